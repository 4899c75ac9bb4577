import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ip, type Mac } from '../../network/model/address.ts'
import { arpAnnouncements, arpFrame, arpProbe, arpQuestion, readArp } from './arp.ts'
import { announcement, dadSolicitation, multicastMac, readNeighbour, solicitation, solicitedNode } from './ndp.ts'
import { conflictQuestion, gatewayQuestion } from './questions.ts'

const OWN = '02:00:00:00:00:0a' as Mac
const OTHER = '02:00:00:00:00:0b' as Mac
const FOUR = ip('172.18.30.131')
const SIX = ip('fd00:18::83')
const NONCE = Uint8Array.of(1, 2, 3, 4, 5, 6)

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (...parts: readonly string[]): string => parts.join('').replaceAll(/[ :]/g, '')

describe('frames, byte by byte', () => {
  const arpHead = '0806 0001 0800 06 04'
  test.each([
    [
      'a probe',
      arpProbe(OWN, FOUR),
      bytes('ffffffffffff', OWN, arpHead, '0001', OWN, '00000000', '000000000000', 'ac121e83'),
    ],
    [
      'a question',
      arpQuestion(OWN, FOUR, ip('172.18.0.1')),
      bytes('ffffffffffff', OWN, arpHead, '0001', OWN, 'ac121e83', '000000000000', 'ac120001'),
    ],
    [
      'an announcement as a request',
      arpAnnouncements(OWN, FOUR)[0] ?? new Uint8Array(),
      bytes('ffffffffffff', OWN, arpHead, '0001', OWN, 'ac121e83', '000000000000', 'ac121e83'),
    ],
    [
      'an announcement as a reply',
      arpAnnouncements(OWN, FOUR)[1] ?? new Uint8Array(),
      bytes('ffffffffffff', OWN, arpHead, '0002', OWN, 'ac121e83', OWN, 'ac121e83'),
    ],
    [
      // Checksums of these three by an independent calculation (RFC 1071 over the pseudo-header and the message).
      'a question of duplicate address detection',
      dadSolicitation(OWN, SIX, NONCE),
      bytes(
        '3333ff000083',
        OWN,
        '86dd 60000000 0020 3a ff',
        '0'.repeat(32),
        'ff0200000000000000000001ff000083',
        `8700 ${checksumOf('::', 'ff02::1:ff00:83', '87000000 00000000 fd000018000000000000000000000083 0e01010203040506')} 00000000`,
        'fd000018000000000000000000000083',
        '0e01 010203040506',
      ),
    ],
    [
      'a solicitation',
      solicitation(OWN, SIX, ip('fe80::1')),
      bytes(
        '3333ff000001',
        OWN,
        '86dd 60000000 0020 3a ff',
        'fd000018000000000000000000000083',
        'ff0200000000000000000001ff000001',
        `8700 ${checksumOf('fd00:18::83', 'ff02::1:ff00:1', `87000000 00000000 fe800000000000000000000000000001 0101${OWN}`)} 00000000`,
        'fe800000000000000000000000000001',
        '0101',
        OWN,
      ),
    ],
    [
      'an unsolicited advertisement',
      announcement(OWN, SIX),
      bytes(
        '333300000001',
        OWN,
        '86dd 60000000 0020 3a ff',
        'fd000018000000000000000000000083',
        'ff020000000000000000000000000001',
        `8800 ${checksumOf('fd00:18::83', 'ff02::1', `88000000 20000000 fd000018000000000000000000000083 0201${OWN}`)} 20000000`,
        'fd000018000000000000000000000083',
        '0201',
        OWN,
      ),
    ],
  ])('%s', (_, frame, expected) => {
    expect(hex(frame)).toBe(expected)
  })

  test('groups', () => {
    expect(solicitedNode(ip('2001:db8::aabb:ccdd'))).toBe(ip('ff02::1:ffbb:ccdd'))
    expect(multicastMac(ip('ff02::1:ffbb:ccdd'))).toBe('33:33:ff:bb:cc:dd' as Mac)
  })
})

describe('who answers', () => {
  const conflict4 = conflictQuestion(OWN, FOUR, NONCE).answerIn
  const conflict6 = conflictQuestion(OWN, SIX, NONCE).answerIn
  const gateway4 = gatewayQuestion(OWN, FOUR, ip('172.18.0.1')).answerIn
  const gateway6 = gatewayQuestion(OWN, SIX, ip('fe80::1')).answerIn
  const request = { operation: 'request', senderMac: OTHER, targetMac: '00:00:00:00:00:00' as Mac } as const
  test.each([
    [
      'a reply of the address',
      conflict4,
      arpFrame({ ...request, operation: 'reply', sender: FOUR, target: ip('0.0.0.0') }),
      OTHER,
    ],
    ['a question in the name of the address', conflict4, arpQuestion(OTHER, FOUR, ip('172.18.0.1')), OTHER],
    ['the address under our own MAC address', conflict4, arpQuestion(OWN, FOUR, ip('172.18.0.1')), OWN],
    ["another's probe for the address", conflict4, arpProbe(OTHER, FOUR), OTHER],
    ['our own probe, reflected', conflict4, arpProbe(OWN, FOUR), undefined],
    ['a question for the address', conflict4, arpQuestion(OTHER, ip('172.18.0.1'), FOUR), undefined],
    ['a probe for another address', conflict4, arpProbe(OTHER, ip('172.18.30.132')), undefined],
    ['an advertisement of the address', conflict6, announcement(OTHER, SIX), OTHER],
    ["another's detection for the address", conflict6, dadSolicitation(OTHER, SIX, NONCE.toReversed()), OTHER],
    ['the same under our own MAC address', conflict6, dadSolicitation(OWN, SIX, NONCE.toReversed()), OWN],
    ['our own detection, reflected', conflict6, dadSolicitation(OWN, SIX, NONCE), undefined],
    ['a question in the name of the IPv6 address', conflict6, solicitation(OTHER, SIX, ip('fe80::1')), OTHER],
    ['a question for the IPv6 address', conflict6, solicitation(OTHER, ip('fe80::1'), SIX), undefined],
    ['an advertisement of another address', conflict6, announcement(OTHER, ip('fd00:18::84')), undefined],
    ['IPv6 where IPv4 is asked for', conflict4, announcement(OTHER, SIX), undefined],
    [
      "the gateway's reply",
      gateway4,
      arpFrame({ ...request, operation: 'reply', sender: ip('172.18.0.1'), target: FOUR }),
      OTHER,
    ],
    [
      'a gateway without a MAC address',
      gateway4,
      arpQuestion('00:00:00:00:00:00' as Mac, ip('172.18.0.1'), FOUR),
      undefined,
    ],
    ["somebody else's reply", gateway4, arpQuestion(OTHER, ip('172.18.0.2'), FOUR), undefined],
    ["the IPv6 gateway's advertisement", gateway6, announcement(OTHER, ip('fe80::1')), OTHER],
    ["somebody else's advertisement", gateway6, announcement(OTHER, ip('fe80::2')), undefined],
  ])('%s', (_, answerIn, frame, expected) => {
    expect(answerIn(frame)).toBe(expected)
  })
})

describe('frames of strangers', () => {
  const good = [arpProbe(OTHER, FOUR), dadSolicitation(OTHER, SIX, NONCE), announcement(OTHER, SIX)]
  const readers = [readArp, readNeighbour]

  test('whatever the bytes, reading ends without an error', () => {
    const noise = fc.uint8Array({ maxLength: 120 })
    const damaged = fc
      .tuple(fc.constantFrom(...good), fc.nat(120), fc.nat(255), fc.nat(120))
      .map(([frame, at, value, end]) => frame.with(at % frame.length, value).subarray(0, end))
    fc.assert(
      fc.property(fc.oneof(noise, damaged), (frame) => {
        for (const read of readers) expect(() => read(frame)).not.toThrow()
      }),
    )
  })

  test('a neighbour message with any bit changed behind its header is none, or has the same address', () => {
    const frame = announcement(OTHER, SIX)
    fc.assert(
      fc.property(fc.integer({ min: 54, max: frame.length - 1 }), fc.nat(7), (at, bit) => {
        expect(readNeighbour(frame.with(at, (frame[at] ?? 0) ^ (1 << bit)))).toBeUndefined()
      }),
    )
  })

  test.each([
    ['cut short', (frame: Uint8Array) => frame.subarray(0, frame.length - 1)],
    ['that passed a router', (frame: Uint8Array) => frame.with(21, 254)],
    ['with a length beyond its end', (frame: Uint8Array) => frame.with(19, 0x28)],
  ])('a neighbour message %s is none', (_, spoil) => {
    expect(readNeighbour(announcement(OTHER, SIX))).toBeDefined()
    expect(readNeighbour(spoil(announcement(OTHER, SIX)))).toBeUndefined()
  })
})

/** By bigints, in one sum: nothing of the code under test. */
function checksumOf(source: string, destination: string, message: string): string {
  const text = bytes(message)
  const wide = (address: string): string =>
    BigInt(`0x${groupsOf(address)}`)
      .toString(16)
      .padStart(32, '0')
  const all = `${wide(source)}${wide(destination)}${(text.length / 2).toString(16).padStart(8, '0')}0000003a${text}`
  const sum = (all.match(/.{4}/g) ?? []).reduce((total, word) => total + BigInt(`0x${word}`), 0n)
  const folded = sum % 0xffffn
  return (0xffffn - folded).toString(16).padStart(4, '0')
}

function groupsOf(address: string): string {
  const [head = '', tail = ''] = address.split('::').map((half) =>
    half
      .split(':')
      .filter((group) => group !== '')
      .map((group) => group.padStart(4, '0'))
      .join(''),
  )
  return head + '0'.repeat(32 - head.length - tail.length) + tail
}
