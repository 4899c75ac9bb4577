import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseIp as bytesOf } from '../../linux/ip.ts'
import { packetOf } from './packet.ts'

const MACS = new Array<number>(12).fill(2)

function ipv4(protocol: number, rest: readonly number[], { options = 0, fragment = 0 } = {}): Uint8Array {
  const header = [0x45 + options, 0, 0, 0, 0, 0, fragment >> 8, fragment & 0xff, 64, protocol, 0, 0]
  const addresses = [...bytesOf('10.128.0.2'), ...bytesOf('192.0.2.9')]
  return Uint8Array.from([...MACS, 8, 0, ...header, ...addresses, ...new Array<number>(4 * options).fill(1), ...rest])
}

function ipv6(next: number, rest: readonly number[]): Uint8Array {
  const addresses = [...bytesOf('fd00:10:128::2'), ...bytesOf('2001:db8::9')]
  return Uint8Array.from([...MACS, 0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, next, 64, ...addresses, ...rest])
}

const PORTS = [0xc0, 0x01, 0x01, 0xbb, 0, 0, 0, 0]
const V4 = { source: '10.128.0.2', destination: '192.0.2.9' }
const V6 = { source: 'fd00:10:128::2', destination: '2001:db8::9' }

test.each<[string, Uint8Array, unknown]>([
  ['TCP', ipv4(6, PORTS), { ...V4, protocol: 'TCP', port: 443 }],
  ['UDP behind options', ipv4(17, PORTS, { options: 3 }), { ...V4, protocol: 'UDP', port: 443 }],
  ['SCTP', ipv4(132, PORTS), { ...V4, protocol: 'SCTP', port: 443 }],
  ['ICMP', ipv4(1, PORTS), { ...V4, protocol: 'ICMP' }],
  ['a protocol of nobody', ipv4(200, PORTS), { ...V4, protocol: '200' }],
  ['a first fragment', ipv4(17, PORTS, { fragment: 0x2000 }), { ...V4, protocol: 'UDP', port: 443 }],
  ['a later fragment', ipv4(17, PORTS, { fragment: 0x2001 }), { ...V4, protocol: 'UDP' }],
  ['ports cut off', ipv4(6, PORTS.slice(0, 3)), { ...V4, protocol: 'TCP' }],
  ['TCP over IPv6', ipv6(6, PORTS), { ...V6, protocol: 'TCP', port: 443 }],
  ['ICMPv6', ipv6(58, PORTS), { ...V6, protocol: 'ICMPv6' }],
  [
    'behind extensions',
    ipv6(0, [43, 0, 0, 0, 0, 0, 0, 0, 17, 1, ...new Array<number>(14).fill(0), ...PORTS]),
    { ...V6, protocol: 'UDP', port: 443 },
  ],
  ['a first fragment of IPv6', ipv6(44, [17, 0, 0, 1, 0, 0, 0, 1, ...PORTS]), { ...V6, protocol: 'UDP', port: 443 }],
  ['a later fragment of IPv6', ipv6(44, [17, 0, 0, 8, 0, 0, 0, 1, ...PORTS]), { ...V6, protocol: 'UDP' }],
  ['ARP', Uint8Array.from([...MACS, 8, 6, ...new Array<number>(28).fill(0)]), undefined],
  ['nothing', new Uint8Array(0), undefined],
  ['half an address', ipv4(6, []).slice(0, 33), undefined],
  ['a header that is too short for itself', ipv4(6, PORTS).fill(0x44, 14, 15), undefined],
  ['IPv6 that says it is IPv4', ipv6(6, PORTS).fill(0x45, 14, 15), undefined],
])('%s', (_, frame, expected) => {
  expect(packetOf(frame) as unknown).toEqual(expected)
})

test('whatever the bytes are, it comes to an end, and says canonical addresses or nothing', () => {
  const any = fc.uint8Array({ maxLength: 128 })
  const ip = fc
    .tuple(fc.constantFrom([8, 0, 0x45], [0x86, 0xdd, 0x60]), any)
    .map(([head, rest]) => Uint8Array.from([...MACS, ...head, ...rest]))
  fc.assert(
    fc.property(fc.oneof(any, ip), (frame) => {
      const found = packetOf(frame)
      if (found === undefined) return
      expect(found.source).toMatch(/^[0-9a-f.:]+$/)
      expect(found.protocol).toMatch(/^(TCP|UDP|SCTP|ICMP|ICMPv6|\d{1,3})$/)
      if (found.port !== undefined) expect(found.port).toBeLessThan(65_536)
    }),
    { numRuns: 2000 },
  )
})
