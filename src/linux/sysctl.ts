/**
 * Network sysctls of any namespace. A key is a list of path segments, so that a link's dot never splits a key:
 * ['net', 'ipv4', 'conf', 'eth0.100', 'forwarding'].
 * @module
 */
import { closeSync, constants, readFileSync, writeSync } from 'node:fs'
import { badArgument, checked, LinuxError, systemError } from './errno.ts'
import { netnsSelf } from './netns.ts'
import { systemCalls } from './sys/addon.ts'

export type SysctlKey = readonly string[]

/** A container's own /proc/sys cannot be written; what can is mounted elsewhere, and told by the environment. */
const FOLDER = process.env['WEFT_SYSCTL_DIR'] ?? '/proc/sys'

/** The value without its newline. Throws LINUX_ENOENT for a key this kernel does not have. */
export function sysctlGet(key: SysctlKey, nsFd?: number): string {
  return withFile(key, constants.O_RDONLY, nsFd, (fd) => readFileSync(fd, 'utf8').trimEnd())
}

/** Throws LINUX_EINVAL for a value the kernel does not take. */
export function sysctlSet(key: SysctlKey, value: string | number, nsFd?: number): void {
  withFile(key, constants.O_WRONLY, nsFd, (fd) => writeSync(fd, `${value}\n`))
}

/** The key of sysctl(8)'s dotted text, where a slash stands for a dot inside a name: `net.ipv4.conf.eth0/100.forwarding`. */
export function sysctlKey(text: string): SysctlKey {
  return text.split('.').map((segment) => segment.replaceAll('/', '.'))
}

/** The file of a key. Throws LINUX_ARGUMENT for anything that would leave /proc/sys/net. */
export function sysctlPath(key: SysctlKey): string {
  const fine = key.length >= 2 && key[0] === 'net' && key.every(isSegment)
  if (!fine) throw badArgument(`${JSON.stringify(key)} is not a network sysctl`, "give segments that begin with 'net'")
  return `${FOLDER}/${key.join('/')}`
}

function isSegment(segment: string): boolean {
  return /^[^/\0\s]{1,255}$/.test(segment) && segment !== '.' && segment !== '..'
}

function withFile<T>(key: SysctlKey, flags: number, nsFd: number | undefined, action: (fd: number) => T): T {
  const path = sysctlPath(key)
  const fd = openFile(path, flags, nsFd)
  try {
    return action(fd)
  } catch (error) {
    const errno = error instanceof Error && 'errno' in error ? Math.abs(Number(error.errno)) : 0
    throw errno === 0 || error instanceof LinuxError ? error : systemError(errno, 'sysctl', key.join('.'))
  } finally {
    closeSync(fd)
  }
}

function openFile(path: string, flags: number, nsFd: number | undefined): number {
  if (nsFd !== undefined) return checked(systemCalls().openIn(nsFd, path, flags), 'open', path)
  const own = netnsSelf()
  try {
    return checked(systemCalls().openIn(own, path, flags), 'open', path)
  } finally {
    closeSync(own)
  }
}
