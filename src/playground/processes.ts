/**
 * The playground's processes. Each carries the playground's folder in its environment: that is how they are found
 * again, also by a run that knows nothing of the one that started them.
 * @module
 */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PlaygroundError } from './errors.ts'
import type { Layout } from './layout.ts'

const MARK = 'WEFT_PLAYGROUND'
const ROLE = 'WEFT_PLAYGROUND_ROLE'
const TERM_PATIENCE = 3000

/** A process of a playground. */
export interface PlayProcess {
  readonly pid: number
  /** Ticks from boot to its start (proc(5) field 22): tells it from a later process with its number. */
  readonly start: string
  readonly role: string
}

/** What to start. */
export interface ProcessSpec {
  /** What it is for: also its log file's name. */
  readonly role: string
  readonly argv: readonly string[]
  /** The network namespace it runs in; default: this program's. */
  readonly netns?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a process that outlives this one. */
export function startProcess(layout: Layout, { role, argv, netns, env = {} }: ProcessSpec): number {
  const [command = '', ...args] = netns === undefined ? argv : ['ip', 'netns', 'exec', netns, ...argv]
  const log = openSync(join(layout.logDir, `${role}.log`), 'a', 0o600)
  try {
    const child = spawn(command, args, {
      detached: true,
      cwd: '/',
      stdio: ['ignore', log, log],
      env: { PATH: SAFE_PATH, LANG: 'C.UTF-8', ...env, [MARK]: layout.runDir, [ROLE]: role },
    })
    child.on('error', () => undefined)
    child.unref()
    if (child.pid !== undefined) return child.pid
  } finally {
    closeSync(log)
  }
  throw new PlaygroundError(
    'PLAY_PROCESS',
    `cannot start ${argv[0]}`,
    'is it installed? npm run play installs what it needs',
  )
}

/** Every living process of a playground. */
export function findProcesses(runDir: string): readonly PlayProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => {
    const variables = readProc(`/proc/${pid}/environ`).split('\0')
    if (!variables.includes(`${MARK}=${runDir}`)) return []
    const role = variables.find((variable) => variable.startsWith(`${ROLE}=`))?.slice(ROLE.length + 1) ?? 'unknown'
    const start = startOf(Number(pid))
    return start === undefined ? [] : [{ pid: Number(pid), start, role }]
  })
}

/** Processes whose network namespace is one of these, by inode: what people started in there. */
export function processesInside(
  inodes: ReadonlySet<number>,
  statOf: (path: string) => number | undefined,
): readonly PlayProcess[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  return pids.flatMap((pid) => {
    const inode = statOf(`/proc/${pid}/ns/net`)
    const start = startOf(Number(pid))
    if (inode === undefined || !inodes.has(inode) || start === undefined) return []
    return [{ pid: Number(pid), start, role: readProc(`/proc/${pid}/comm`).trim() }]
  })
}

/** Ends processes: asks first, insists after three seconds. Returns those that live on all the same. */
export async function endProcesses(processes: readonly PlayProcess[]): Promise<readonly PlayProcess[]> {
  const left = (): readonly PlayProcess[] => processes.filter(({ pid, start }) => startOf(pid) === start)
  for (const { pid } of left()) kill(pid, 'SIGTERM')
  await until(() => left().length === 0, TERM_PATIENCE)
  for (const { pid } of left()) kill(pid, 'SIGKILL')
  await until(() => left().length === 0, TERM_PATIENCE)
  return left()
}

/** Whether a process lives; one that has ended but was not waited for does not. */
export function isAlive(pid: number): boolean {
  return startOf(pid) !== undefined
}

/** The last thing that a process said: the text of a JSON log line, or the line as it is. */
export function lastWords(layout: Layout, role: string): string {
  const line =
    readProc(join(layout.logDir, `${role}.log`))
      .trimEnd()
      .split('\n')
      .at(-1) ?? ''
  try {
    const { msg } = JSON.parse(line) as { readonly msg?: unknown }
    return String(msg)
  } catch {
    return line
  }
}

/** Waits until something holds; false when it does not within so many milliseconds. */
export async function until(holds: () => boolean | Promise<boolean>, milliseconds: number): Promise<boolean> {
  const end = performance.now() + milliseconds
  while (!(await holds())) {
    if (performance.now() > end) return false
    await Bun.sleep(20)
  }
  return true
}

const SAFE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

function kill(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended by itself meanwhile.
  }
}

/** When a process started (field 22 of /proc/pid/stat); undefined for a process that is gone or a zombie. */
export function startOf(pid: number): string | undefined {
  const stat = readProc(`/proc/${pid}/stat`)
  // The name in parentheses may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
