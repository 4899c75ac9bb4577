import { afterEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { ready, watch } from './poller.ts'
import { AF_INET, AF_NETLINK, ipSockaddr } from './sockaddr.ts'
import { closeFd, openSocket, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_RAW } from './socket.ts'
import { systemCalls } from './sys/addon.ts'

const open: number[] = []
afterEach(() => open.splice(0).forEach(closeFd))

describe('a watch', () => {
  test('calls back until everything is read, and not after its close', async () => {
    const { fd, send } = datagrams()
    let calls = 0
    const done = Promise.withResolvers<void>()
    const registration = watch(fd, 'read', () => {
      systemCalls().recv(fd, new Uint8Array(9), 0)
      if (++calls === 50) done.resolve()
    })
    for (let i = 0; i < 50; i++) send()
    await done.promise
    registration.close()
    registration.close()
    send()
    await ready(fd, 'read', 1000)
    expect(calls).toBe(50)
  })

  test('rests while paused', async () => {
    const { fd, send } = datagrams()
    let calls = 0
    let next = Promise.withResolvers<void>()
    const registration = watch(fd, 'read', () => {
      calls++
      registration.pause()
      next.resolve()
    })
    send()
    await next.promise
    expect(calls).toBe(1)
    next = Promise.withResolvers<void>()
    registration.resume()
    await next.promise
    expect(calls).toBe(2)
    registration.close()
  })

  test('of a closed descriptor does not hear its successor', async () => {
    const first = datagrams()
    const heard: string[] = []
    first.send()
    const stale = watch(first.fd, 'read', () => heard.push('stale'))
    // The event is on its way when the descriptor changes hands.
    Bun.sleepSync(20)
    stale.close()
    closeFd(first.fd)
    open.splice(open.indexOf(first.fd), 1)
    const second = datagrams()
    const third = datagrams()
    expect(second.fd).toBe(first.fd)
    const fresh = watch(second.fd, 'read', () => heard.push('fresh'))
    // Events come in order: when a later one is here, the stale one has been.
    third.send()
    await ready(third.fd, 'read', 1000)
    expect(heard).toEqual([])
    fresh.close()
  })

  test('on what cannot be watched is refused', () => {
    expect(() => watch(1_000_000, 'read', () => undefined)).toThrow('bad file descriptor')
  })
})

test('ready gives up in time', async () => {
  const { fd } = datagrams()
  expect(await ready(fd, 'write', 1000)).toBeUndefined()
  expect(await ready(fd, 'read', 10).catch((error) => error.code)).toBe('LINUX_TIMEOUT')
})

test('a send on a thread gives bytes or the errno, on the descriptor as it was', async () => {
  const { fd, send, address } = datagrams()
  const sender = openSocket(AF_INET, SOCK_DGRAM, 0)
  systemCalls().connect(sender, address)
  const sending = systemCalls().sendBlocking(sender, new Uint8Array(5))
  closeFd(sender)
  expect(await sending).toBe(5)
  await ready(fd, 'read', 1000)
  expect(await systemCalls().sendBlocking(1_000_000, new Uint8Array(5))).toBe(-9)
  send()
})

// A program ends by itself when it watches nothing that holds it, and stays for what does.
test.each([
  ['nothing', '', 'ended'],
  ['a closed watch', "watch(fd, 'read', () => {}).close()", 'ended'],
  ['a watch that does not hold', "watch(fd, 'read', () => {}, { hold: false })", 'ended'],
  ['a watch', "watch(fd, 'read', () => {})", 'stays'],
])('a program that watches %s: %s: %s', async (_what, statement, expected) => {
  const program = `
    import { watch } from '${join(import.meta.dir, 'poller.ts')}'
    import { openSocket } from '${join(import.meta.dir, 'socket.ts')}'
    const fd = openSocket(${AF_NETLINK}, ${SOCK_RAW}, 0)
    ${statement}
    console.log('up')`
  const child = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'inherit' })
  await child.stdout.getReader().read()
  const outcome = await Promise.race([
    child.exited.then(() => 'ended'),
    Bun.sleep(expected === 'ended' ? 5000 : 300).then(() => 'stays'),
  ])
  child.kill()
  await child.exited
  expect(outcome).toBe(expected)
})

/** A socket that is readable after each `send`. */
function datagrams() {
  const calls = systemCalls()
  const fd = openSocket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)
  const sender = openSocket(AF_INET, SOCK_DGRAM, 0)
  open.push(fd, sender)
  calls.bind(fd, ipSockaddr('127.0.0.1', 0))
  const name = new Uint8Array(16)
  calls.getsockname(fd, name)
  return { fd, address: name, send: () => calls.sendto(sender, new Uint8Array(3), 0, name) }
}
