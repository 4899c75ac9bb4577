import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { LinuxError } from '../errno.ts'
import { formatIp, formatMac, maskPrefix, parseIp, parseMac, parsePrefix } from '../ip.ts'
import { decodeSockaddr, encodeSockaddr } from '../sockaddr.ts'
import { decodeAddress } from './address.ts'
import { decodeLink } from './link.ts'
import { decodeNotification } from './monitor.ts'
import { decodeNeighbour } from './neighbour.ts'
import { readAttributeList, readAttributes, readMessages } from './reader.ts'
import { decodeRoute } from './route-decode.ts'
import { decodeRule } from './rule.ts'
import { MessageWriter, message } from './writer.ts'

const bytes = (max = 400) => fc.uint8Array({ maxLength: max })
const type = fc.integer({ min: 1, max: 0x3fff })

describe('writer and reader', () => {
  test('attributes come back as they were written', () => {
    const attribute = fc.record({ type, value: bytes(60) })
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 20 }), (list) => {
        const writer = new MessageWriter(1)
        for (const each of list) writer.raw(each.type, each.value)
        const written = writer.finish()
        expect(written.length % 4).toBe(0)
        expect(readAttributeList(written)).toEqual(list)
      }),
    )
  })

  test('scalars, texts, flags and nests come back', () => {
    const text = fc.string({ maxLength: 40 }).filter((value) => !value.includes('\0') && value.isWellFormed())
    const record = fc.record({
      u8: fc.integer({ min: 0, max: 0xff }),
      u16: fc.integer({ min: 0, max: 0xffff }),
      u32: fc.integer({ min: 0, max: 0xffffffff }),
      be64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      text,
    })
    fc.assert(
      fc.property(record, ({ u8, u16, u32, be64, text }) => {
        const written = message(99, 5, (w) =>
          w
            .word(7)
            .u8(1, u8)
            .u16(2, u16)
            .nest(3, (inner) => inner.u32(4, u32).be16(5, u16).flag(6, true).flag(7, false).u32(8, undefined))
            .be64(9, be64)
            .text(10, text),
        )
        const [only, ...others] = readMessages(written)
        expect(others).toEqual([])
        expect(only).toMatchObject({ type: 99, flags: 5 })
        const read = readAttributes(only?.body ?? new Uint8Array(0), 4)
        const nested = read.nested(3)
        expect([read.u8(1), read.u16(2), read.be64(9), read.text(10)]).toEqual([u8, u16, be64, text])
        expect([nested?.u32(4), nested?.be16(5), nested?.has(6), nested?.has(7), nested?.has(8)]).toEqual([
          u32,
          u16,
          true,
          false,
          false,
        ])
      }),
    )
  })

  test.each([-1.5, 1.5, 256, Number.NaN, Number.POSITIVE_INFINITY])('a byte cannot be %p', (value) => {
    expect(() => new MessageWriter().u8(1, value)).toThrow(LinuxError)
  })

  test('an attribute beyond its 16-bit length is refused', () => {
    expect(() => new MessageWriter().raw(1, new Uint8Array(65_532))).toThrow(LinuxError)
    expect(new MessageWriter().raw(1, new Uint8Array(65_531)).length).toBe(65_536)
  })
})

const decoders = { decodeLink, decodeAddress, decodeRoute, decodeRule, decodeNeighbour }

describe('hostile bytes', () => {
  test.each(Object.entries(decoders))('%s gives an object or LINUX_MALFORMED', (_name, decode) => {
    fc.assert(
      fc.property(bytes(), (body) => {
        expectObjectOrMalformed(() => decode(body))
      }),
      { numRuns: 500 },
    )
  })

  test('decoders survive well-formed attributes with nonsense inside', () => {
    const attribute = fc.record({ type: fc.integer({ min: 1, max: 45 }), value: bytes(70) })
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.array(attribute), (header, list) => {
        const writer = new MessageWriter().bytes(header)
        for (const each of list) writer.raw(each.type, each.value)
        for (const decode of Object.values(decoders)) expectObjectOrMalformed(() => decode(writer.finish()))
      }),
    )
  })

  test('message streams give messages or LINUX_MALFORMED, and notifications never more', () => {
    fc.assert(
      fc.property(bytes(), (stream) => {
        expectObjectOrMalformed(() => readMessages(stream))
      }),
    )
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), bytes(), (type, body) => {
        expectObjectOrMalformed(() => decodeNotification({ type, flags: 0, seq: 0, pid: 0, body }) ?? {})
      }),
    )
  })

  test('a message that says it is shorter than its header is refused, not repeated for ever', () => {
    expect(() => readMessages(new Uint8Array(16))).toThrow('does not fit')
  })

  test('socket addresses decode whatever comes', () => {
    fc.assert(
      fc.property(bytes(40), (raw) => {
        expect(decodeSockaddr(raw).family).toBeString()
      }),
    )
  })
})

describe('addresses', () => {
  test('bytes to text and back', () => {
    const address = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).map((list) => Uint8Array.from(list)),
    )
    fc.assert(fc.property(address, (raw) => expect(parseIp(formatIp(raw))).toEqual(raw)))
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (raw) =>
        expect(parseMac(formatMac(raw))).toEqual(raw),
      ),
    )
  })

  // RFC 5952: the longest run, the first of equals, no run of one.
  test.each([
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1::', '1::'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
  ])('%s is written %s', (given, canonical) => {
    expect(formatIp(parseIp(given))).toBe(canonical)
  })

  test.each(['', '1.2.3', '1.2.3.4.5', '::1%lo', 'fd00::/64', '1.2.3.256', ' 1.2.3.4'])('%p is no address', (text) => {
    expect(() => parseIp(text)).toThrow(LinuxError)
  })

  test.each(['10.0.0.0/33', 'fd00::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/1e1', '/24'])(
    '%p is no prefix',
    (text) => {
      expect(() => parsePrefix(text)).toThrow(LinuxError)
    },
  )

  test('a mask clears host bits', () => {
    expect(formatIp(maskPrefix(parsePrefix('10.1.255.3/17')))).toBe('10.1.128.0')
    expect(formatIp(maskPrefix(parsePrefix('fd00::ffff/0')))).toBe('::')
    expect(formatIp(maskPrefix(parsePrefix('10.1.2.3')))).toBe('10.1.2.3')
  })

  test.each([
    { family: 'unix', path: '/run/x.sock' } as const,
    { family: 'inet', address: '10.0.0.1', port: 65535 } as const,
    { family: 'inet6', address: 'fd00::1', port: 1, scopeId: 3 } as const,
    { family: 'netlink', pid: 7, groups: 0x80000001 } as const,
    { family: 'packet', link: 3, protocol: 0x806, packetType: 4, mac: parseMac('02:00:00:00:00:01') } as const,
  ])('socket address $family comes back', (address) => {
    expect(decodeSockaddr(encodeSockaddr(address))).toEqual(address)
  })
})

function expectObjectOrMalformed(decode: () => unknown): void {
  try {
    expect(decode()).toBeObject()
  } catch (error) {
    if (!(error instanceof LinuxError)) throw error
    expect(error.code).toBe('LINUX_MALFORMED')
  }
}
