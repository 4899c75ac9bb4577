/**
 * Telling the service manager how a daemon is, as sd_notify(3) describes: datagrams of `NAME=value` lines to the socket
 * that NOTIFY_SOCKET names.
 * @module
 */
import { Errno, systemError } from './errno.ts'
import { AF_UNIX, encodeSockaddr } from './sockaddr.ts'
import { closeFd, MSG_DONTWAIT, openSocket, SOCK_DGRAM } from './socket.ts'
import { systemCalls } from './sys/addon.ts'

/** What a daemon can tell. Nothing throws and nothing waits; what the manager has no room for is told again later. */
export interface ServiceManager {
  /** Every how many milliseconds {@link alive} has to be called at least; undefined: nobody watches. */
  readonly watchdogMs: number | undefined
  /** The daemon serves. */
  ready(): void
  /** One line for people; `systemctl status` shows it. */
  status(text: string): void
  /** A sign of life. */
  alive(): void
  /** The daemon is about to end. */
  stopping(): void
  close(): void
}

/** A program's environment. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The service manager that started this program, or undefined where there is none. `onProblem` hears once that it cannot be
 * told.
 */
export function serviceManager(
  env: Environment,
  pid: number,
  onProblem: (error: Error) => void,
): ServiceManager | undefined {
  const target = notifyTarget(env['NOTIFY_SOCKET'])
  return target === undefined ? undefined : new Teller(target, watchdogMilliseconds(env, pid), onProblem)
}

/** Where NOTIFY_SOCKET leads: a path or, after `@`, an abstract name. Undefined for none and for what is neither. */
export function notifyTarget(text: string | undefined): Uint8Array | undefined {
  const kind = text?.[0]
  if (text === undefined || (kind !== '/' && kind !== '@')) return undefined
  try {
    return encodeSockaddr(kind === '/' ? { family: 'unix', path: text } : { family: 'abstract', name: text.slice(1) })
  } catch {
    return undefined
  }
}

/** Half of what WATCHDOG_USEC allows, in milliseconds; undefined when it is not meant for this process. */
export function watchdogMilliseconds(env: Environment, pid: number): number | undefined {
  const text = env['WATCHDOG_USEC'] ?? ''
  const watched = env['WATCHDOG_PID']
  if (!/^[1-9]\d{0,15}$/.test(text) || (watched !== undefined && watched !== String(pid))) return undefined
  return Math.max(1, Math.floor(Number(text) / 2000))
}

/** The lines of a notification. A value ends where its line would. */
export function notification(assignments: Readonly<Record<string, string>>): string {
  const lines = Object.entries(assignments).map(([name, value]) => `${name}=${value.replace(/[\r\n]+/g, ' ')}`)
  return lines.join('\n')
}

/** Until what was not taken is told again. */
const RETRY_MS = 200

class Teller implements ServiceManager {
  readonly watchdogMs: number | undefined
  readonly #target: Uint8Array
  readonly #onProblem: (error: Error) => void
  readonly #fd = openSocket(AF_UNIX, SOCK_DGRAM, 0)
  /** The newest of each name that the manager has not heard yet. */
  #untold: Record<string, string> = {}
  #retry: ReturnType<typeof setTimeout> | undefined
  #complained = false
  #closed = false

  constructor(target: Uint8Array, watchdogMs: number | undefined, onProblem: (error: Error) => void) {
    this.#target = target
    this.watchdogMs = watchdogMs
    this.#onProblem = onProblem
  }

  ready(): void {
    this.#tell({ READY: '1' })
  }

  status(text: string): void {
    this.#tell({ STATUS: text })
  }

  alive(): void {
    this.#tell({ WATCHDOG: '1' })
  }

  stopping(): void {
    this.#tell({ STOPPING: '1' })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#retry)
    closeFd(this.#fd)
  }

  #tell(assignments: Readonly<Record<string, string>>): void {
    if (this.#closed) return
    this.#untold = { ...this.#untold, ...assignments }
    const bytes = new TextEncoder().encode(notification(this.#untold))
    const result = systemCalls().sendto(this.#fd, bytes, MSG_DONTWAIT, this.#target)
    if (result >= 0) {
      this.#untold = {}
      return
    }
    if (result !== -Errno.EAGAIN && !this.#complained) {
      this.#complained = true
      this.#onProblem(systemError(-result, 'sendto', 'the service manager (NOTIFY_SOCKET)'))
    }
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#tell({}), RETRY_MS)
    this.#retry.unref()
  }
}
