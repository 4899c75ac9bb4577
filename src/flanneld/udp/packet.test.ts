import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { internetChecksum } from '../../linux/index.ts'
import { cidr, ip, ipValue } from '../../network/model/address.ts'
import { decodeAnswer, decodeMessage, encodeMessage } from './orders.ts'
import { age, complaint, endsOf } from './packet.ts'
import { isWithin, RemoteTable } from './table.ts'

const number = (text: string): number => Number(ipValue(ip(text)))

/** An echo request of a pod, with a right checksum. */
function sample(
  more: {
    readonly ttl?: number
    readonly protocol?: number
    readonly type?: number
    readonly offset?: number
    readonly source?: string
  } = {},
): Uint8Array {
  const { ttl = 64, protocol = 1, type = 8, offset = 0, source = '10.1.1.2' } = more
  const bytes = new Uint8Array(48)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, 0x45)
  view.setUint16(2, bytes.length)
  view.setUint16(6, offset)
  view.setUint8(8, ttl)
  view.setUint8(9, protocol)
  view.setUint32(12, number(source))
  view.setUint32(16, number('10.1.2.2'))
  view.setUint16(10, internetChecksum(bytes.subarray(0, 20)))
  view.setUint8(20, type)
  return bytes
}

const isSound = (packet: Uint8Array): boolean => internetChecksum(packet.subarray(0, 20)) === 0

test('a packet’s ends, and what is no packet', () => {
  expect(endsOf(sample())).toEqual({ source: number('10.1.1.2'), destination: number('10.1.2.2') })
  expect(endsOf(sample().subarray(0, 30))).toBeUndefined()
  expect(endsOf(new Uint8Array([0x60, ...new Array(47).fill(0)]))).toBeUndefined()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      if (endsOf(bytes) !== undefined) age(bytes)
      complaint(bytes, 'net-unreachable', 0)
    }),
  )
})

test('ageing keeps the checksum right, down to the last hop', () => {
  for (let ttl = 255; ttl > 1; ttl -= 1) {
    const packet = sample({ ttl })
    expect(age(packet)).toBe(true)
    expect([packet[8], isSound(packet)]).toEqual([ttl - 1, true])
  }
  expect(age(sample({ ttl: 1 }))).toBe(false)
  expect(age(sample({ ttl: 0 }))).toBe(false)
})

test('the sender is told, with its own words', () => {
  const told = complaint(sample(), 'net-unreachable', number('10.1.1.0')) ?? new Uint8Array()
  expect(endsOf(told)).toEqual({ source: number('10.1.1.0'), destination: number('10.1.1.2') })
  expect([told[8], told[9], told[20], told[21], isSound(told)]).toEqual([8, 1, 3, 0, true])
  expect(internetChecksum(told.subarray(20))).toBe(0)
  expect(told.subarray(28)).toEqual(sample().subarray(0, 28))
  expect(complaint(sample(), 'time-exceeded', 0)?.[20]).toBe(11)
})

test.each([
  ['an error', sample({ type: 3 })],
  ['a later piece', sample({ offset: 5 })],
  ['a group', sample({ source: '224.0.0.1' })],
  ['nobody', sample({ source: '0.0.0.0' })],
  ['the loopback', sample({ source: '127.0.0.1' })],
])('%s is not told', (_, packet) => expect(complaint(packet, 'net-unreachable', 0)).toBeUndefined())

test('who has an address', () => {
  const table = new RemoteTable([
    { subnet: cidr('10.1.2.0/24'), machine: ip('192.0.2.2') },
    { subnet: cidr('10.1.3.0/26'), machine: ip('192.0.2.3') },
    { subnet: cidr('200.1.0.0/16'), machine: ip('192.0.2.4') },
  ])
  const machine = (text: string) => table.machineOf(number(text))
  expect(['10.1.2.255', '10.1.3.63', '10.1.3.64', '200.1.255.255', '10.1.1.1'].map(machine)).toEqual([
    ip('192.0.2.2'),
    ip('192.0.2.3'),
    undefined,
    ip('192.0.2.4'),
    undefined,
  ])
  const senders: readonly (readonly [string, string])[] = [
    ['192.0.2.3', '10.1.3.5'],
    ['192.0.2.3', '203.0.113.7'],
    ['192.0.2.3', '10.1.2.5'],
    ['192.0.2.9', '203.0.113.7'],
  ]
  expect(senders.map(([from, source]) => table.mayBeFrom(from, number(source)))).toEqual([true, true, false, false])
  expect(isWithin(cidr('200.1.2.0/24'), number('200.1.2.9'))).toBe(true)
  expect(isWithin(cidr('200.1.2.0/24'), number('200.1.3.9'))).toBe(false)
})

test('orders arrive as they were given, anything else means the end', () => {
  const orders = {
    device: 'flannel0',
    address: ip('192.0.2.1'),
    port: 8285,
    subnet: cidr('10.1.1.0/24'),
    remotes: [{ subnet: cidr('10.1.2.0/24'), machine: ip('192.0.2.2') }],
  }
  expect(decodeMessage(encodeMessage({ tells: 'orders', orders }))).toEqual({ tells: 'orders', orders })
  expect(decodeMessage(encodeMessage({ tells: 'end' }))).toEqual({ tells: 'end' })
  fc.assert(
    fc.property(fc.json(), (text) => {
      const bytes = new TextEncoder().encode(text)
      expect([decodeMessage(bytes).tells, decodeAnswer(bytes).does]).toEqual(['end', 'end'])
    }),
  )
})
