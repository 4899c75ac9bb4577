/**
 * The error of this room: a failed system call, or an input that never became one.
 * @module
 */
import { errnoTable } from './errno-table.ts'

/** What an error can say beside its message. */
export interface LinuxErrorDetails {
  /** The call or netlink message type that failed, for example `socket` or `RTM_NEWLINK`. */
  readonly syscall?: string
  /** The kernel's positive error number. */
  readonly errno?: number
  readonly remedy?: string
}

/**
 * An error with a stable code: `LINUX_` and the errno's name (`LINUX_EEXIST`), or one of ours: `LINUX_ADDON_MISSING`,
 * `LINUX_ADDON_UNSAFE`, `LINUX_ARGUMENT`, `LINUX_MALFORMED` (bytes from outside), `LINUX_TIMEOUT`, `LINUX_TOOL`.
 */
export class LinuxError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string
  readonly remedy: string

  constructor(code: string, message: string, details: LinuxErrorDetails = {}) {
    super(message)
    this.name = 'LinuxError'
    this.code = code
    this.errno = details.errno ?? 0
    this.syscall = details.syscall ?? ''
    this.remedy = details.remedy ?? 'correct the value that the message names'
  }
}

/** The error for a failed call; `about` names its object (a path, a link), `kernel` is the kernel's own sentence. */
export function systemError(errno: number, syscall: string, about = '', kernel = ''): LinuxError {
  const [name, text] = errnoTable.get(errno) ?? [`E${errno}`, `error ${errno}`]
  const subject = about === '' ? syscall : `${syscall} ${about}`
  const message = kernel === '' ? `${subject}: ${text}` : `${subject}: ${text} (${kernel})`
  return new LinuxError(`LINUX_${name}`, message, { syscall, errno, remedy: remedies.get(name) ?? usualRemedy })
}

/** The result of a system call, or the error it stands for. */
export function checked(result: number, syscall: string, about = ''): number {
  if (result < 0) throw systemError(-result, syscall, about)
  return result
}

/** Is this the kernel's error of that name, for example `hasErrno(error, 'EEXIST')`? */
export function hasErrno(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof LinuxError && names.some((name) => error.code === `LINUX_${name}`)
}

/** An argument that no system call should see. */
export function badArgument(message: string, remedy?: string): LinuxError {
  return new LinuxError('LINUX_ARGUMENT', message, remedy === undefined ? {} : { remedy })
}

/** Bytes from outside that do not follow their format. */
export function malformed(message: string): LinuxError {
  return new LinuxError('LINUX_MALFORMED', message, {
    remedy: 'repeat the operation; if it happens again, report the message with the kernel version',
  })
}

/** Something that did not happen in time. */
export function timedOut(message: string): LinuxError {
  return new LinuxError('LINUX_TIMEOUT', message, { remedy: 'check that the other side runs and is reachable' })
}

const usualRemedy = 'check that what the message names exists and is in the state the operation expects'
const privilege = 'run as root, or with CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN'
const feature = 'use a kernel built with the feature that the message names, or load its module'

const remedies: ReadonlyMap<string, string> = new Map([
  ['EPERM', privilege],
  ['EACCES', privilege],
  ['EOPNOTSUPP', feature],
  ['ENOTSUPP', feature],
  ['EAFNOSUPPORT', feature],
  ['EPROTONOSUPPORT', feature],
  ['EEXIST', 'remove or rename the object of that name, or use the replacing operation'],
  ['EADDRINUSE', 'stop the program that holds the address, or choose another'],
  ['EMFILE', 'raise the open file limit (ulimit -n, LimitNOFILE=)'],
  ['ENFILE', 'raise the sysctl fs.file-max'],
  ['ENOBUFS', 'raise the receive buffer and list the objects again'],
  ['ENODEV', 'check the name or index of the link: it is gone or lives in another namespace'],
  ['EINTR', 'repeat the operation when the tables change less'],
])

/** The names of some errno values that callers compare with, positive. */
export const Errno = {
  EINTR: 4,
  EAGAIN: 11,
  EBUSY: 16,
  EEXIST: 17,
  EMFILE: 24,
  ENFILE: 23,
  EPIPE: 32,
  EMSGSIZE: 90,
  EADDRINUSE: 98,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
  EINPROGRESS: 115,
} as const
