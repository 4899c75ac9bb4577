/**
 * A plugin's program, run once: its input at once, its output within limits of size and time. It is a process group of its
 * own, so that nothing it started outlives its deadline.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { cniError } from '../errors.ts'

/** What is run. */
export interface Execution {
  readonly type: string
  readonly file: string
  readonly environment: Readonly<Record<string, string>>
  readonly input: string
}

/** How it is held. */
export interface ExecLimits {
  /** Milliseconds. */
  readonly deadlineMs: number
  /** Bytes of standard output. */
  readonly maxOutput: number
  /** Bytes of standard error that are kept; what is beyond is read and dropped. */
  readonly maxErrors: number
}

/** How it ended by itself. */
export interface ExecOutcome {
  /** 0: it succeeded. */
  readonly status: number
  /** The signal that ended it. */
  readonly signal: string | undefined
  readonly output: string
  /** For the log: it may hold anything. */
  readonly errors: string
}

/** More than any runtime waits for one plugin, in milliseconds. */
export const EXEC_LIMITS: ExecLimits = { deadlineMs: 100_000, maxOutput: 1_048_576, maxErrors: 8_192 }

/** A program that is being replaced cannot be run for a moment; so often it is tried again, this far apart. */
const BUSY_TRIES = 5
const BUSY_WAIT_MS = 1_000
/** What a program left running may keep its output open; so long it is waited for after the program's end. */
const DRAIN_MS = 1_000

/**
 * Runs a program to its end. Throws `plugin-timeout` after the deadline, `plugin-failed` for more output than allowed and
 * where it cannot be started, and the signal's reason once that is aborted: in each case its whole process group is dead.
 */
export async function exec(execution: Execution, limits: ExecLimits, signal?: AbortSignal): Promise<ExecOutcome> {
  signal?.throwIfAborted()
  const child = await start(execution, signal)
  const cut = new Cut(child.pid)
  const timer = setTimeout(
    () => cut.now(cniError('plugin-timeout', timeoutValues(execution, limits))),
    limits.deadlineMs,
  )
  const abort = (): void => cut.now(signal?.reason)
  signal?.addEventListener('abort', abort)
  const tooMuch = `it answered more than ${limits.maxOutput} bytes`
  const output = collect(child.stdout, limits.maxOutput, () => cut.now(failed(execution.type, tooMuch)))
  const errors = collect(child.stderr, limits.maxErrors)
  try {
    const status = await child.exited
    const endedBy = child.signalCode
    await Promise.race([Promise.all([output.ended, errors.ended]), sleep(DRAIN_MS, undefined, { ref: false })])
    cut.check()
    return {
      status,
      signal: endedBy === null ? undefined : String(endedBy),
      output: output.text(),
      errors: errors.text(),
    }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
    for (const each of [output, errors]) each.stop()
  }
}

function timeoutValues({ type }: Execution, { deadlineMs }: ExecLimits): { type: string; seconds: number } {
  return { type, seconds: deadlineMs / 1_000 }
}

/** The end of a program that was not its own. */
class Cut {
  readonly #pid: number
  #reason: { readonly error: unknown } | undefined

  constructor(pid: number) {
    this.#pid = pid
  }

  /** Kills the program and all of its group; the first reason counts. */
  now(error: unknown): void {
    this.#reason ??= { error }
    try {
      process.kill(-this.#pid, 'SIGKILL')
    } catch {
      // The group has ended by itself.
    }
  }

  check(): void {
    if (this.#reason !== undefined) throw this.#reason.error
  }
}

type Child = Bun.Subprocess<Uint8Array, 'pipe', 'pipe'>

async function start({ type, file, environment, input }: Execution, signal?: AbortSignal): Promise<Child> {
  const stdin = new TextEncoder().encode(input)
  for (let tries = 0; ; tries += 1) {
    try {
      return Bun.spawn([file], { stdin, stdout: 'pipe', stderr: 'pipe', env: environment, detached: true, cwd: '/' })
    } catch (error) {
      const code = codeOf(error)
      if (code !== 'ETXTBSY' || tries === BUSY_TRIES) throw failed(type, `it cannot be started (${code})`)
      await sleep(BUSY_WAIT_MS, undefined, signal === undefined ? {} : { signal })
    }
  }
}

function failed(type: string, reason: string): Error {
  return cniError('plugin-failed', { type, reason })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error'
}

interface Collected {
  /** Resolves when the stream has ended, or cannot be read on. */
  readonly ended: Promise<void>
  text(): string
  /** Closes it: a daemon may keep the other end open for ever. */
  stop(): void
}

/** Reads a stream to its end, keeping the first bytes of it. `overflowed` hears of the first that is not kept. */
function collect(
  stream: ReadableStream<Uint8Array>,
  limit: number,
  overflowed: () => void = () => undefined,
): Collected {
  const chunks: Uint8Array[] = []
  const reader = stream.getReader()
  let size = 0
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      if (size < limit) chunks.push(value.subarray(0, limit - size))
      if (size <= limit && size + value.length > limit) overflowed()
      size += value.length
    }
  }
  return {
    ended: read().catch(() => undefined),
    text: () => Buffer.concat(chunks).toString('utf8'),
    stop: () => void reader.cancel().catch(() => undefined),
  }
}
