/**
 * Readiness of descriptors without polling: one thread of the addon waits, this file dispatches. Registrations are
 * one-shot in the kernel and armed again after the callback, so that a slow reader never drowns the event loop.
 * @module
 */
import { checked, timedOut } from './errno.ts'
import { systemCalls } from './sys/addon.ts'

export type Interest = 'read' | 'write'

export interface WatchOptions {
  /** Keep the program alive while watched (default true). */
  readonly hold?: boolean
}

/** A registration. A descriptor has at most one; close it before the descriptor. */
export interface Watch {
  /** Stop calling back until `resume`. */
  pause(): void
  resume(): void
  close(): void
}

/** Calls back whenever the descriptor can be read (or written, or has failed) until closed. */
export function watch(fd: number, interest: Interest, onReady: () => void, options: WatchOptions = {}): Watch {
  start()
  const token = nextToken++
  const events = interest === 'read' ? EPOLLIN | EPOLLRDHUP : EPOLLOUT
  const entry: Entry = { fd, token, events, onReady, hold: options.hold ?? true, state: 'armed' }
  checked(systemCalls().watch(fd, events, token), 'epoll_ctl', `descriptor ${fd}`)
  entries.set(token, entry)
  if (entry.hold) hold(1)
  return {
    pause: () => pause(entry),
    resume: () => resume(entry),
    close: () => close(entry),
  }
}

/** Resolves when the descriptor is ready; rejects with LINUX_TIMEOUT after `timeoutMs` milliseconds. */
export function ready(fd: number, interest: Interest, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      registration.close()
      reject(timedOut(`descriptor ${fd} was not ready to ${interest} within ${timeoutMs} ms`))
    }, timeoutMs)
    const registration = watch(fd, interest, () => {
      registration.close()
      clearTimeout(timer)
      resolve()
    })
  })
}

interface Entry {
  readonly fd: number
  readonly token: number
  readonly events: number
  readonly onReady: () => void
  readonly hold: boolean
  state: 'armed' | 'calling' | 'paused' | 'closed'
}

const EPOLLIN = 0x1
const EPOLLOUT = 0x4
const EPOLLRDHUP = 0x2000

const entries = new Map<number, Entry>()
let started = false
let nextToken = 1
let holders = 0

function start(): void {
  if (started) return
  checked(systemCalls().watchStart(dispatch), 'epoll_create1')
  started = true
}

function dispatch(events: readonly number[]): void {
  for (let i = 0; i < events.length; i += 2) {
    const entry = entries.get(events[i] ?? 0)
    if (entry?.state === 'armed') call(entry)
  }
}

function call(entry: Entry): void {
  entry.state = 'calling'
  try {
    entry.onReady()
    if (entry.state === 'calling') arm(entry)
  } catch (error) {
    // A throwing callback must not starve the others of this batch; it surfaces as an uncaught error of its own, and is
    // not called again.
    close(entry)
    queueMicrotask(() => {
      throw error
    })
  }
}

function arm(entry: Entry): void {
  entry.state = 'armed'
  checked(systemCalls().rearm(entry.fd, entry.events, entry.token), 'epoll_ctl', `descriptor ${entry.fd}`)
}

function pause(entry: Entry): void {
  if (entry.state !== 'closed') entry.state = 'paused'
}

function resume(entry: Entry): void {
  if (entry.state === 'paused') arm(entry)
}

function close(entry: Entry): void {
  if (entry.state === 'closed') return
  entry.state = 'closed'
  entries.delete(entry.token)
  systemCalls().unwatch(entry.fd)
  if (entry.hold) hold(-1)
}

function hold(change: 1 | -1): void {
  const before = holders > 0
  holders += change
  if (before !== holders > 0) systemCalls().watchHold(holders > 0 ? 1 : 0)
}
