/**
 * Network namespaces: named ones as `ip netns` knows them (bind mounts under /run/netns), opened by path, entered for a
 * moment. Nothing is forked.
 * @module
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { badArgument, checked, hasErrno, LinuxError, systemError } from './errno.ts'
import { systemCalls } from './sys/addon.ts'

/** The folder of named namespaces. */
const NETNS_FOLDER = '/run/netns'

/** What makes two descriptors the same namespace: device and inode. */
export interface NetnsId {
  readonly device: number
  readonly inode: number
}

/**
 * A descriptor (close-on-exec, the caller's) of a namespace, by its path or its name. Throws LINUX_ENOENT when there is
 * none, LINUX_ARGUMENT when the path is something else than a network namespace.
 */
export function netnsOpen(pathOrName: string): number {
  const path = pathOrName.includes('/') ? pathOrName : netnsPath(pathOrName)
  const fd = openFile(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  if (isNetns(fd)) return fd
  closeSync(fd)
  throw badArgument(`${path} is not a network namespace`, 'give the path of a namespace, for example /run/netns/<name>')
}

/** Is this the descriptor of a network namespace? Descriptors that came from others are asked before use. */
export function isNetns(fd: number): boolean {
  return systemCalls().ioctl(fd, NS_GET_NSTYPE) === CLONE_NEWNET
}

/** A descriptor of the namespace this thread is in. */
export function netnsSelf(): number {
  return netnsOpen('/proc/thread-self/ns/net')
}

/** Makes a named namespace and returns its descriptor. Throws LINUX_EEXIST when the name is taken. */
export function netnsAdd(name: string): number {
  const path = netnsPath(name)
  prepareFolder()
  closeSync(openFile(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC))
  const calls = systemCalls()
  const fd = calls.newNetns()
  const mounted = fd < 0 ? fd : calls.mount(`/proc/self/fd/${fd}`, path, null, MS_BIND, null)
  if (mounted >= 0) return fd
  if (fd >= 0) calls.close(fd)
  rmSync(path, { force: true })
  throw systemError(-mounted, fd < 0 ? 'unshare' : 'mount', path)
}

/** A fresh namespace without a name: it ends with its last descriptor. */
export function netnsNew(): number {
  return checked(systemCalls().newNetns(), 'unshare', 'network namespace')
}

/** Removes a name; the namespace ends when no process, socket or descriptor is in it. False when there was none. */
export function netnsDel(name: string): boolean {
  const path = netnsPath(name)
  try {
    closeSync(openFile(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC))
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false
    throw error
  }
  const result = systemCalls().umount2(path, MNT_DETACH)
  // EINVAL: a bare file, left by somebody who was killed between creating and mounting.
  if (result < 0 && result !== -EINVAL) throw systemError(-result, 'umount2', path)
  rmSync(path, { force: true })
  return true
}

/** Names under /run/netns, sorted. */
export function netnsList(): readonly string[] {
  try {
    return readdirSync(NETNS_FOLDER).sort()
  } catch {
    return []
  }
}

/** The path of a named namespace. Throws LINUX_ARGUMENT for a name that would leave the folder. */
export function netnsPath(name: string): string {
  const bytes = Buffer.byteLength(name)
  if (bytes < 1 || bytes > 255 || name === '.' || name === '..' || /[/\0]/.test(name)) {
    throw badArgument(`${JSON.stringify(name)} cannot be a namespace's name`)
  }
  return `${NETNS_FOLDER}/${name}`
}

export function netnsId(fd: number): NetnsId {
  const { dev, ino } = fstatSync(fd)
  return { device: dev, inode: ino }
}

export function sameNetns(a: number, b: number): boolean {
  const [first, second] = [netnsId(a), netnsId(b)]
  return first.device === second.device && first.inode === second.inode
}

/**
 * Runs `action` inside a namespace, on this thread, and comes back. It must not await: everything the program does while
 * it waits would happen inside. Prefer openSocket and the sysctl functions, which never run our code there.
 */
export function withNetns<T>(fd: number, action: () => T extends PromiseLike<unknown> ? never : T): T {
  const home = netnsSelf()
  try {
    checked(systemCalls().setns(fd, CLONE_NEWNET), 'setns', `descriptor ${fd}`)
    try {
      const result: unknown = action()
      if (result instanceof Promise) throw badArgument('an action inside a namespace must not be asynchronous')
      return result as T
    } finally {
      // Going on in the wrong network would be worse than ending.
      if (systemCalls().setns(home, CLONE_NEWNET) < 0) process.abort()
    }
  } finally {
    closeSync(home)
  }
}

const { O_RDONLY, O_NONBLOCK, O_CREAT, O_EXCL } = constants
const O_CLOEXEC = 0o2000000
const CLONE_NEWNET = 0x40000000
const NS_GET_NSTYPE = 0xb703
const MS_BIND = 0x1000
const MS_REC = 0x4000
const MS_SHARED = 1 << 20
const MNT_DETACH = 2
const LOCK_EX = 2
const EINVAL = 22

/** As `ip netns`: the folder is a shared mount, so that a removal reaches every mount namespace. */
function prepareFolder(): void {
  mkdirSync(NETNS_FOLDER, { recursive: true, mode: 0o755 })
  const calls = systemCalls()
  const folder = openFile(NETNS_FOLDER, O_RDONLY | O_CLOEXEC)
  try {
    checked(calls.flock(folder, LOCK_EX), 'flock', NETNS_FOLDER)
    if (calls.mount('', NETNS_FOLDER, 'none', MS_SHARED | MS_REC, null) >= 0) return
    checked(calls.mount(NETNS_FOLDER, NETNS_FOLDER, 'none', MS_BIND | MS_REC, null), 'mount', NETNS_FOLDER)
    checked(calls.mount('', NETNS_FOLDER, 'none', MS_SHARED | MS_REC, null), 'mount', NETNS_FOLDER)
  } finally {
    closeSync(folder)
  }
}

function openFile(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0)
  } catch (error) {
    const errno = error instanceof Error && 'errno' in error ? Math.abs(Number(error.errno)) : 0
    if (errno === 0)
      throw new LinuxError('LINUX_ARGUMENT', `${path}: ${error instanceof Error ? error.message : error}`)
    throw systemError(errno, 'open', path)
  }
}
