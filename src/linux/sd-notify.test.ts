import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasErrno } from './errno.ts'
import { notification, notifyTarget, serviceManager, watchdogMilliseconds } from './sd-notify.ts'
import { decodeSockaddr, encodeSockaddr, type SocketAddress } from './sockaddr.ts'
import { openReceiver, type Receiver } from './testing/notify-receiver.ts'

const folder = mkdtempSync(join(tmpdir(), 'wefttest-notify-'))
const name = `wefttest-notify-${process.pid}`
afterEach(() => rmSync(join(folder, 'socket'), { force: true }))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const PLACES: readonly (readonly [text: string, address: SocketAddress])[] = [
  [join(folder, 'socket'), { family: 'unix', path: join(folder, 'socket') }],
  [`@${name}`, { family: 'abstract', name }],
]

describe.each(PLACES)('a service manager at %s', (text, address) => {
  let receiver: Receiver
  beforeEach(() => {
    receiver = openReceiver(address)
  })
  afterEach(() => receiver.close())

  test('hears everything in order', () => {
    const manager = serviceManager({ NOTIFY_SOCKET: text }, 1, failed)
    manager?.status('waiting for\nOpen vSwitch')
    manager?.ready()
    manager?.alive()
    manager?.stopping()
    manager?.close()
    manager?.alive()
    expect(receiver.read()).toEqual(['STATUS=waiting for Open vSwitch', 'READY=1', 'WATCHDOG=1', 'STOPPING=1'])
  })

  test('hears later what it had no room for, the newest of each kind', async () => {
    const manager = serviceManager({ NOTIFY_SOCKET: text }, 1, failed)
    const room = receiver.fill()
    manager?.status('old')
    manager?.ready()
    manager?.status('new')
    expect(receiver.read()).toEqual(room)
    expect(await receiver.next()).toBe('STATUS=new\nREADY=1')
    manager?.close()
  })
})

test('a manager that is gone is no reason to fail, and is mentioned once', () => {
  const problems: Error[] = []
  const manager = serviceManager({ NOTIFY_SOCKET: join(folder, 'nobody') }, 1, (error) => problems.push(error))
  manager?.ready()
  manager?.status('still here')
  manager?.close()
  expect(problems).toHaveLength(1)
  expect(hasErrno(problems[0], 'ENOENT')).toBe(true)
})

test.each([undefined, '', 'relative', '@', `/${'x'.repeat(200)}`, 'vsock:2:1', '/a\0b'])('%p is no manager', (text) => {
  expect(notifyTarget(text)).toBeUndefined()
  expect(serviceManager({ NOTIFY_SOCKET: text }, 1, failed)).toBeUndefined()
})

test.each([
  [{}, undefined],
  [{ WATCHDOG_USEC: '90000000' }, 45_000],
  [{ WATCHDOG_USEC: '90000000', WATCHDOG_PID: '7' }, 45_000],
  [{ WATCHDOG_USEC: '90000000', WATCHDOG_PID: '8' }, undefined],
  [{ WATCHDOG_USEC: '1' }, 1],
  [{ WATCHDOG_USEC: '0' }, undefined],
  [{ WATCHDOG_USEC: '-5' }, undefined],
  [{ WATCHDOG_USEC: '9'.repeat(40) }, undefined],
])('%j: a sign of life every %p ms', (env, expected) => {
  expect(watchdogMilliseconds(env, 7)).toBe(expected)
})

test('a text cannot smuggle in another line', () => {
  expect(notification({ STATUS: 'a\nREADY=1\r\nb', WATCHDOG: '1' })).toBe('STATUS=a READY=1 b\nWATCHDOG=1')
})

test('abstract names survive their encoding', () => {
  for (const one of ['a', 'with\0inside', 'ü', 'x'.repeat(107)]) {
    const address = { family: 'abstract', name: one } as const
    expect(decodeSockaddr(encodeSockaddr(address))).toEqual(address)
  }
  expect(() => encodeSockaddr({ family: 'abstract', name: '' })).toThrow('between 1 and 107')
  expect(() => encodeSockaddr({ family: 'abstract', name: 'x'.repeat(108) })).toThrow('between 1 and 107')
})

function failed(error: Error): void {
  throw error
}
