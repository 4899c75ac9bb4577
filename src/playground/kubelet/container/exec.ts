/**
 * Commands in running containers: they enter the namespaces of its process 1.
 * @module
 */
import { readFileSync } from 'node:fs'
import type { ExecOptions, ExecSession } from '../../apiserver/contract.ts'
import type { RunningState } from '../pod/facts.ts'
import { readSpec } from './files.ts'
import { type ContainerFolder, runFolder } from './runs.ts'

/** Runs a command in a container. Its exit code is 127 where there is no such program. */
export function execIn(
  container: ContainerFolder,
  run: RunningState,
  options: Omit<ExecOptions, 'container'>,
): ExecSession {
  const spec = readSpec(runFolder(container, run.attempt))
  const env = { ...spec?.env, ...(options.tty ? { TERM: 'xterm' } : {}) }
  const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--root', '--wd']
  const enter = [Bun.which('nsenter') ?? 'nsenter', '--target', String(run.pid), ...namespaces, '--']
  // A shell's builtin says what is missing, and with which exit code, as shells do.
  const argv = [...enter, Bun.which('sh') ?? 'sh', '-c', 'exec "$@"', 'exec', ...options.command]
  return options.tty ? withTerminal(argv, env) : withPipes(argv, env, options)
}

function withPipes(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  { stdin, stdout, stderr }: Pick<ExecOptions, 'stdin' | 'stdout' | 'stderr'>,
): ExecSession {
  const child = Bun.spawn([...argv], {
    env: { ...env },
    stdin: stdin ? 'pipe' : 'ignore',
    stdout: stdout ? 'pipe' : 'ignore',
    stderr: stderr ? 'pipe' : 'ignore',
  })
  const sink = child.stdin
  const quietly = (work: () => unknown): void => {
    // Who has stopped reading is not written to.
    Promise.resolve()
      .then(work)
      .catch(() => undefined)
  }
  return {
    stdout: child.stdout ?? empty(),
    stderr: child.stderr ?? undefined,
    write: (data) => {
      if (!sink) return
      // The caller may use the bytes again.
      const copy = data.slice()
      quietly(() => {
        sink.write(copy)
        return sink.flush()
      })
    },
    endInput: () => {
      if (sink) quietly(() => sink.end())
    },
    resize: () => undefined,
    exited: child.exited,
    kill: () => killTree(child),
  }
}

function withTerminal(argv: readonly string[], env: Readonly<Record<string, string>>): ExecSession {
  const output = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, { highWaterMark: 1024 })
  const writer = output.writable.getWriter()
  const closed = Promise.withResolvers<void>()
  const child = Bun.spawn([...argv], {
    env: { ...env },
    terminal: {
      data: (_, bytes) => {
        writer.write(bytes.slice()).catch(() => undefined)
      },
      exit: () => closed.resolve(),
    },
  })
  const terminal = child.terminal
  child.exited.then(async () => {
    // What was printed last is still on its way; a process left behind may keep the terminal open.
    await Promise.race([closed.promise, Bun.sleep(LAST_WORDS)])
    terminal?.close()
    await writer.close().catch(() => undefined)
  })
  return {
    stdout: output.readable,
    stderr: undefined,
    write: (data) => {
      if (terminal?.closed === false) terminal.write(data)
    },
    // What people type at the end of their input.
    endInput: () => {
      if (terminal?.closed === false) terminal.write('\u0004')
    },
    resize: (columns, rows) => {
      if (terminal?.closed === false && columns > 0 && rows > 0) terminal.resize(columns, rows)
    },
    exited: child.exited,
    kill: () => killTree(child),
  }
}

const LAST_WORDS = 300

/** The command is the child of the process that entered the namespaces. */
function killTree({ pid, exitCode, signalCode }: Pick<Bun.Subprocess, 'pid' | 'exitCode' | 'signalCode'>): void {
  // Its number may be somebody else's by now.
  if (exitCode !== null || signalCode !== null) return
  for (const each of [...childrenOf(pid), pid]) {
    try {
      process.kill(each, 'SIGKILL')
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function empty(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() })
}
