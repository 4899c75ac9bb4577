import { describe, expect, test } from 'bun:test'
import { LinuxError } from '../errno.ts'
import { systemCalls } from '../sys/addon.ts'
import { scratch } from '../testing/scratch.ts'
import { NLM_F_DUMP_INTR, NLM_F_MULTI, NLMSG_DONE, NLMSG_ERROR, RTM_GETLINK, RTM_NEWLINK } from './constants.ts'
import { linkAdd } from './link-add.ts'
import { linkList } from './link-ops.ts'
import { DUMP_ATTEMPTS, openRtnl, rtnlOver } from './rtnl-socket.ts'
import { kernelTransport, type NetlinkTransport } from './transport.ts'
import { message } from './writer.ts'

const EINTR = -4
const ENOBUFS = -105
const ENOMEM = -12

/** The real kernel, except for what `fault` puts in place of a datagram. */
function faulty(real: NetlinkTransport, fault: (datagram: Uint8Array | number, count: number) => Uint8Array | number) {
  const counts = { received: 0, sent: 0 }
  const transport: NetlinkTransport = {
    ...real,
    send: (bytes) => {
      counts.sent++
      return real.send(bytes)
    },
    receive: () => fault(real.receive(), ++counts.received),
  }
  return { transport, counts }
}

describe('a dump', () => {
  test('is repeated when the kernel marks it interrupted, and is whole then', () => {
    using space = scratch()
    const { transport, counts } = faulty(kernelTransport(space.nsFd), (datagram, count) =>
      count === 1 && typeof datagram !== 'number' ? withFlag(datagram, NLM_F_DUMP_INTR) : datagram,
    )
    using rtnl = rtnlOver(transport)
    expect(linkList(rtnl).map((link) => link.name)).toEqual(['lo'])
    expect(counts.sent).toBe(2)
  })

  test('is repeated when a datagram was cut', () => {
    using space = scratch()
    const { transport, counts } = faulty(kernelTransport(space.nsFd), (datagram, count) => (count === 1 ? 0 : datagram))
    using rtnl = rtnlOver(transport)
    expect(linkList(rtnl)).toHaveLength(1)
    expect(counts.sent).toBe(2)
  })

  test('that never becomes consistent ends with LINUX_EINTR', () => {
    using space = scratch()
    const { transport, counts } = faulty(kernelTransport(space.nsFd), (datagram) =>
      typeof datagram === 'number' ? datagram : withFlag(datagram, NLM_F_DUMP_INTR),
    )
    using rtnl = rtnlOver(transport)
    expect(codeOf(() => linkList(rtnl))).toBe('LINUX_EINTR')
    expect(counts.sent).toBe(DUMP_ATTEMPTS)
  })

  test('goes on after EINTR of the call itself', () => {
    using space = scratch()
    let interrupted = 0
    const real = kernelTransport(space.nsFd)
    using rtnl = rtnlOver({ ...real, receive: () => (interrupted++ < 3 ? EINTR : real.receive()) })
    expect(linkList(rtnl)).toHaveLength(1)
    expect(interrupted).toBeGreaterThan(3)
  })

  test('of hundreds of links is complete', () => {
    using space = scratch()
    for (let i = 0; i < 150; i++) linkAdd(space.rtnl, { kind: 'veth', name: `a${i}`, peer: { name: `b${i}` } })
    const names = new Set(linkList(space.rtnl).map((link) => link.name))
    expect(names.size).toBe(301)
    expect(names.has('b149')).toBe(true)
  })
})

describe('an answer', () => {
  test.each([
    ['an errno of the call', () => ENOMEM, 'LINUX_ENOMEM'],
    ['a torn message', () => new Uint8Array(15), 'LINUX_MALFORMED'],
    ['an error without its number', () => message(NLMSG_ERROR, 0, (w) => w.half(1)), 'LINUX_MALFORMED'],
  ])('that is %s gives its code', (_what, receive, code) => {
    const fake = fakeTransport((seq) => {
      const answer = receive()
      return typeof answer === 'number' ? answer : withSeq(answer, seq)
    })
    using rtnl = rtnlOver(fake)
    expect(codeOf(() => rtnl.request({ type: RTM_GETLINK, fill: () => undefined }))).toBe(code)
  })

  test('to another question is passed over', () => {
    const foreign = withSeq(error(-1), 4711)
    const answers = [foreign, withSeq(error(0), 1)]
    using rtnl = rtnlOver(fakeTransport(() => answers.shift() ?? ENOBUFS))
    expect(rtnl.request({ type: RTM_NEWLINK, fill: () => undefined })).toEqual([])
    expect(answers).toEqual([])
  })

  test('of a dump that ends with an error at its end is that error', () => {
    const done = message(NLMSG_DONE, NLM_F_MULTI, (w) => w.word(2 ** 32 - 95))
    using rtnl = rtnlOver(fakeTransport((seq) => withSeq(done, seq)))
    expect(codeOf(() => linkList(rtnl))).toBe('LINUX_EOPNOTSUPP')
  })
})

test('a closed socket does not touch who got its number', () => {
  using space = scratch()
  const rtnl = openRtnl({ nsFd: space.nsFd })
  rtnl.close()
  rtnl.close()
  const successor = systemCalls().newNetns()
  expect(codeOf(() => linkList(rtnl))).toBe('LINUX_EBADF')
  expect(systemCalls().close(successor)).toBe(0)
})

test('a namespace descriptor that is none is refused', () => {
  expect(codeOf(() => openRtnl({ nsFd: 0 }))).toStartWith('LINUX_E')
  expect(codeOf(() => openRtnl({ nsFd: 999_999 }))).toBe('LINUX_EBADF')
})

function error(code: number): Uint8Array {
  return message(NLMSG_ERROR, 0, (w) => w.word(code < 0 ? 2 ** 32 + code : code).bytes(new Uint8Array(16)))
}

function fakeTransport(receive: (seq: number) => Uint8Array | number): NetlinkTransport {
  let seq = 0
  return {
    send: (bytes) => {
      seq = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true)
      return bytes.length
    },
    sendBlocking: async (bytes) => bytes.length,
    receive: () => receive(seq),
    sibling: () => fakeTransport(receive),
    close: () => undefined,
  }
}

function withFlag(datagram: Uint8Array, flag: number): Uint8Array {
  const copy = datagram.slice()
  const view = new DataView(copy.buffer)
  view.setUint16(6, view.getUint16(6, true) | flag, true)
  return copy
}

function withSeq(datagram: Uint8Array, seq: number): Uint8Array {
  const copy = datagram.slice()
  if (copy.length >= 16) new DataView(copy.buffer).setUint32(8, seq, true)
  return copy
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return error instanceof LinuxError ? error.code : String(error)
  }
  return 'no error'
}
