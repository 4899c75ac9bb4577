import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { internetChecksum } from '../../linux/index.ts'
import { icmpAnswer, PORT_UNREACHABLE, tooBig } from './icmp-answer.ts'

const POD_MAC = [0x0a, 0x58, 0x0a, 0x80, 0, 2]
const ROUTER_MAC = [0x0a, 0x58, 0x0a, 0x80, 0, 1]
const POD = { v4: [10, 128, 0, 2], v6: [0xfd, ...new Array<number>(14).fill(0), 2] }
const REMOTE = { v4: [10, 129, 0, 9], v6: [0xfd, ...new Array<number>(14).fill(0), 9] }

interface Ipv4 {
  readonly protocol?: number
  readonly fragmentOffset?: number
  readonly payload?: readonly number[]
  readonly source?: readonly number[]
}

function ipv4({
  protocol = 17,
  fragmentOffset = 0,
  payload = new Array<number>(1600).fill(7),
  source = POD.v4,
}: Ipv4 = {}): Uint8Array {
  const length = 20 + payload.length
  const header = [
    0x45,
    0,
    length >> 8,
    length & 255,
    0,
    1,
    0x40 | (fragmentOffset >> 8),
    fragmentOffset & 255,
    64,
    protocol,
    0,
    0,
  ]
  return new Uint8Array([...ROUTER_MAC, ...POD_MAC, 0x08, 0x00, ...header, ...source, ...REMOTE.v4, ...payload])
}

function ipv6({ next = 17, source = POD.v6, payload = new Array<number>(1600).fill(7) } = {}): Uint8Array {
  const header = [0x60, 0, 0, 0, payload.length >> 8, payload.length & 255, next, 64]
  return new Uint8Array([...ROUTER_MAC, ...POD_MAC, 0x86, 0xdd, ...header, ...source, ...REMOTE.v6, ...payload])
}

describe('an oversize IPv4 packet', () => {
  const answer = icmpAnswer(ipv4(), tooBig(1450)) ?? new Uint8Array()

  test('goes back to its sender, from its destination', () => {
    expect([...answer.subarray(0, 14)]).toEqual([...POD_MAC, ...ROUTER_MAC, 0x08, 0x00])
    expect([...answer.subarray(26, 34)]).toEqual([...REMOTE.v4, ...POD.v4])
  })

  test('is “fragmentation needed” with the MTU, and quotes the packet', () => {
    expect([...answer.subarray(34, 36)]).toEqual([3, 4])
    expect(new DataView(answer.buffer).getUint16(40)).toBe(1450)
    expect([...answer.subarray(42, 62)]).toEqual([...ipv4().subarray(14, 34)])
    expect(answer.length).toBe(14 + 20 + 8 + 548)
  })

  test('has right checksums', () => {
    expect(internetChecksum(answer.subarray(14, 34))).toBe(0)
    expect(internetChecksum(answer.subarray(34))).toBe(0)
  })
})

describe('an oversize IPv6 packet', () => {
  const answer = icmpAnswer(ipv6(), tooBig(1450)) ?? new Uint8Array()

  test('is “packet too big” with the MTU, within the minimum MTU', () => {
    expect([...answer.subarray(54, 56)]).toEqual([2, 0])
    expect(new DataView(answer.buffer).getUint32(58)).toBe(1450)
    expect([...answer.subarray(22, 54)]).toEqual([...REMOTE.v6, ...POD.v6])
    expect(answer.length).toBe(14 + 1280)
  })

  test('has a right checksum, pseudo header included', () => {
    const message = answer.subarray(54)
    const pseudo = [...answer.subarray(22, 54), 0, 0, message.length >> 8, message.length & 255, 0, 0, 0, 58]
    expect(internetChecksum(new Uint8Array([...pseudo, ...message]))).toBe(0)
  })
})

test.each([
  ['an ICMP error', ipv4({ protocol: 1, payload: [3, 3, 0, 0, 0, 0, 0, 0] })],
  ['the tail of a fragmented packet', ipv4({ fragmentOffset: 100 })],
  ['a multicast sender', ipv4({ source: [224, 0, 0, 1] })],
  ['an ICMPv6 error', ipv6({ next: 58, payload: [1, 0, 0, 0, 0, 0, 0, 0] })],
  ['a multicast sender, IPv6', ipv6({ source: [0xff, ...new Array<number>(15).fill(0)] })],
  ['ARP', new Uint8Array([...ROUTER_MAC, ...POD_MAC, 0x08, 0x06, ...new Array<number>(46).fill(0)])],
])('%s is not answered', (_what, frame) => {
  expect(icmpAnswer(frame, tooBig(1450))).toBeUndefined()
})

test('an echo request is answered: it is no error', () => {
  expect(icmpAnswer(ipv4({ protocol: 1, payload: [8, 0, 0, 0, 0, 1, 0, 1] }), tooBig(1450))).toBeDefined()
})

test('no frame makes it throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (frame) => void icmpAnswer(frame, tooBig(1450))))
  fc.assert(
    fc.property(fc.constantFrom(ipv4(), ipv6()), fc.nat(80), fc.nat(255), fc.nat(90), (frame, at, byte, length) => {
      const mutated = frame.slice(0, length)
      mutated[at] = byte
      icmpAnswer(mutated, tooBig(1450))
    }),
  )
})

test.each([
  ['IPv4', ipv4({ protocol: 6 }), 34, [3, 3]],
  ['IPv6', ipv6({ next: 6 }), 54, [1, 4]],
] as const)('who calls a port that nobody serves is told so (%s)', (_, frame, at, expected) => {
  const answer = icmpAnswer(frame, PORT_UNREACHABLE) ?? new Uint8Array()
  expect([...answer.subarray(at, at + 2)]).toEqual([...expected])
  expect([...answer.subarray(at + 4, at + 8)]).toEqual([0, 0, 0, 0])
})

test.each([
  ['IPv4', ipv4({ protocol: 6, payload: new Array<number>(19).fill(7) })],
  ['IPv6', ipv6({ next: 6, payload: new Array<number>(19).fill(7) })],
])('half a TCP header is not quoted (%s)', (_, frame) => {
  expect(icmpAnswer(frame, PORT_UNREACHABLE)).toBeUndefined()
})
