import { describe, expect, test } from 'bun:test'
import { internetChecksum } from '../../src/linux/checksum.ts'
import { ip, type Mac } from '../../src/network/model/address.ts'
import { crc32c } from './crc32c.ts'
import { bytesOf, frameOf, type Part, type ProbeProtocol, readFrame } from './probe.ts'

const HOP = { from: '0a:58:0a:80:00:02' as Mac, to: '0a:58:0a:80:00:01' as Mac }
const ENDS = [
  [ip('10.128.0.2'), ip('10.129.0.3')],
  [ip('fd00:10:128:1::2'), ip('fd00:10:128:2::3')],
] as const
const PROTOCOLS: readonly ProbeProtocol[] = ['TCP', 'UDP', 'SCTP', 'ICMP']
const PARTS: readonly Part[] = ['first', 'answer', 'later']
const cases = ENDS.flatMap(([source, destination]) =>
  PROTOCOLS.flatMap((protocol) => PARTS.map((part) => ({ source, destination, protocol, part }))),
).filter(({ protocol, part }) => protocol !== 'SCTP' || part !== 'later')

describe.each(cases)('$protocol, $part, from $source', ({ source, destination, protocol, part }) => {
  const port = protocol === 'ICMP' ? 0 : 81
  const frame = frameOf({ source, destination, protocol, port, number: 40_001 }, HOP, part)

  test('is understood as what it is', () => {
    const [from, to] = part === 'answer' ? [destination, source] : [source, destination]
    expect(readFrame(frame)).toEqual({
      protocol,
      part,
      number: 40_001,
      port,
      source: bytesOf(from),
      destination: bytesOf(to),
    })
  })

  test('has right checksums', () => {
    const four = !source.includes(':')
    const length = { TCP: 20, UDP: 12, SCTP: 32, ICMP: 12 }[protocol]
    const at = four ? 34 : 54
    const body = frame.slice(at, at + length)
    if (four) expect(internetChecksum(frame.subarray(14, 34))).toBe(0)
    if (protocol === 'SCTP') {
      const sent = new DataView(body.buffer).getUint32(8, true)
      body.fill(0, 8, 12)
      expect(sent).toBe(crc32c(body))
      return
    }
    const number = frame[four ? 23 : 20] ?? 0
    const addresses = frame.subarray(four ? 26 : 22, at)
    const pseudo = four && protocol === 'ICMP' ? [] : [...addresses, 0, number, 0, length]
    expect(internetChecksum(Uint8Array.from([...pseudo, ...body]))).toBe(0)
  })
})

test('what is of nobody here is not understood', () => {
  expect(readFrame(new Uint8Array(60))).toBeUndefined()
  expect(readFrame(new Uint8Array(0))).toBeUndefined()
})

test('the checksum of SCTP is the standard’s', () => {
  expect(crc32c(new TextEncoder().encode('123456789'))).toBe(0xe3069283)
})
