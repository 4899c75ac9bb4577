/**
 * Who else speaks BGP on a machine.
 * @module
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { birdEnvironment, wordsBefore } from './program.ts'

/** Where a BIRD is to work. */
export interface Arena {
  /** How BIRD is called; what stands before it leads to its network namespace. */
  readonly command: readonly string[]
  /** The network namespace, as a path; where that is not known, no process is looked for. */
  readonly namespace?: string
}

/** Another BIRD of root’s in the same network namespace: kernels do not tell routes of two apart, so each removes the other's. */
export function rivalPid({ namespace }: Arena, own: number | undefined): number | undefined {
  const inode = namespace === undefined ? undefined : inodeOf(namespace)
  if (inode === undefined) return undefined
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => pid !== own && isBird(pid) && inodeOf(`/proc/${pid}/ns/net`) === inode)
}

/** Whether a process is a BIRD of root’s: anybody can call a process so. */
export function isBird(pid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === 0 && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'bird'
  } catch {
    return false
  }
}

/** The TCP port that sessions of a configuration come in by; undefined for one without any. */
export function portIn(configuration: string): number | undefined {
  const [, port] = /\blocal\b[^;\n]*\bport (\d{1,5})\b/.exec(configuration) ?? []
  return port === undefined ? undefined : Number(port)
}

/**
 * Whether somebody listens at a TCP port there. Processes of others may be out of sight, as from a container; the kernel's table of
 * sockets is not.
 */
export async function isTaken({ command }: Arena, port: number): Promise<boolean> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const before = wordsBefore(command)
  // Nobody knows whose sockets to look at.
  if (before === undefined) return false
  const text = await socketTables(before)
  return text.split('\n').some((line) => {
    const [, local, , state] = line.trim().split(/\s+/)
    return state === LISTENS && local?.endsWith(suffix) === true
  })
}

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
/** TCP_LISTEN of linux/tcp_states.h, as these tables write it. */
const LISTENS = '0A'

async function socketTables(prefix: readonly string[]): Promise<string> {
  // Without a table, such as that of a family that is off, nobody listens there.
  if (prefix.length === 0) return TABLES.map((path) => quietly(() => readFileSync(path, 'utf8')) ?? '').join('\n')
  const child = Bun.spawn([...prefix, 'cat', ...TABLES], {
    env: birdEnvironment(),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'ignore',
  })
  return child.stdout.text()
}

function inodeOf(path: string): number | undefined {
  return quietly(() => statSync(path).ino)
}

function quietly<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
