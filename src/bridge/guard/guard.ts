/**
 * The guard: a process of its own session that takes a change back unless it is told that all is well. It is started
 * before the first change, outlives whoever makes the change, and the terminal.
 * @module
 */
import { dirname } from 'node:path'
import { lockFile } from '../../linux/index.ts'
import { type Ending, endUndertaking, readUndertaking, startOf, type Undertaking } from './state.ts'
import { takeBack } from './undo.ts'

/** A maker that says nothing for so long is stuck, in milliseconds: no single change takes as long. */
const SILENCE_MS = 25_000
/** A second apart: ten minutes. */
const ATTEMPTS = 600

/** What the maker says, a line each; anything else says that it goes on. */
export const WORDS = { confirm: 'confirmed', undo: 'undo' } as const

/** Guards the undertaking in a file until its end. Resolves to how it ended. */
export async function guard(path: string): Promise<Ending> {
  // The terminal goes, the session is closed: that is when it is needed.
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGPIPE'] as const) process.on(signal, () => undefined)
  process.stdout.on('error', () => undefined)
  const undertaking = readUndertaking(path)
  using lock = lockFile(lockOf(path))
  if (lock === undefined) throw new Error(`another guard has ${path}`)
  process.stdout.write('ready\n')
  const reason = await verdict(undertaking)
  const ending = reason === undefined ? ended(undertaking, 'confirmed') : await undone(undertaking, reason)
  endUndertaking(dirname(path), ending)
  process.stdout.write(`${JSON.stringify(ending)}\n`)
  return ending
}

/** The file that a guard has locked as long as it lives. */
export const lockOf = (path: string): string => `${path}.guard`

/** Why it is taken back; undefined when all is well. */
function verdict({ maker }: Undertaking): Promise<string | undefined> {
  return new Promise((resolve) => {
    let heard = ''
    let timer: NodeJS.Timeout | undefined
    const end = (reason: string | undefined): void => {
      clearTimeout(timer)
      process.stdin.removeAllListeners()
      // Read on, it would keep this process alive as long as the maker.
      process.stdin.destroy()
      resolve(reason)
    }
    const patience = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        endMaker(maker)
        end(`nothing was heard of the command for ${SILENCE_MS / 1000} s`)
      }, SILENCE_MS)
    }
    const hear = (chunk: Buffer): void => {
      const lines = `${heard}${chunk.toString()}`.split('\n')
      heard = lines.pop() ?? ''
      const last = lines.find((line) => line === WORDS.confirm || line.startsWith(WORDS.undo))
      if (last === undefined) patience()
      else end(last === WORDS.confirm ? undefined : last.slice(WORDS.undo.length).trim())
    }
    process.stdin.on('data', hear)
    // Whoever had the other end is gone, however it went.
    process.stdin.on('end', () => end('the command ended before the gateway had answered'))
    process.stdin.on('error', () => end('the command ended before the gateway had answered'))
    patience()
  })
}

/** One that goes on while its work is taken back would do harm. */
function endMaker({ pid, started }: Undertaking['maker']): void {
  if (startOf(pid) !== started) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has just gone.
  }
}

async function undone(undertaking: Undertaking, reason: string): Promise<Ending> {
  const { ovsdb, undo } = undertaking
  const problems = await takeBack({ ovsdb, undo, attempts: ATTEMPTS })
  return ended(undertaking, problems.length === 0 ? 'rolled back' : 'half done', reason, problems)
}

function ended(
  { bridge, what }: Undertaking,
  outcome: Ending['outcome'],
  reason?: string,
  problems: readonly string[] = [],
): Ending {
  const when = new Date().toISOString()
  return { bridge, what, outcome, ...(reason === undefined ? {} : { reason }), problems, when }
}
