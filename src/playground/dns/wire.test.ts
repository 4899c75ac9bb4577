import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeMessage } from './decode.ts'
import { encodeMessage } from './encode.ts'
import type { Data, DnsRecord, Message } from './message.ts'
import { isName, labelBytes, labelText } from './name.ts'
import { respond } from './respond.ts'
import { framed, split } from './sockets.ts'
import { endpoint, service, slice } from './testing/objects.ts'
import { ClusterZone } from './zone.ts'

const label = fc.uint8Array({ minLength: 1, maxLength: 63 }).map(labelText)
const word = fc.stringMatching(/^[a-z0-9_-]{1,12}$/)
const name = fc
  .array(fc.oneof(word, word, word, label), { maxLength: 6 })
  .map((labels) => labels.join('.'))
  .filter(isName)
const u16 = fc.nat(0xffff)
const u32 = fc.nat(0xffffffff)
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const target = (type: 'CNAME' | 'PTR' | 'NS') => name.map((target): Data => ({ type, target }))
const data: fc.Arbitrary<Data> = fc.oneof(
  bytes(4).map((b): Data => ({ type: 'A', address: b.join('.') })),
  fc.nat(0xfffe).map((n): Data => ({ type: 'AAAA', address: `fd00::${(n + 1).toString(16)}` })),
  target('CNAME'),
  target('PTR'),
  target('NS'),
  fc.record({ type: fc.constant('SRV' as const), priority: u16, weight: u16, port: u16, target: name }),
  fc
    .string({ unit: fc.constantFrom('a', '\xff', '\0', '"'), maxLength: 600 })
    .map((text): Data => ({ type: 'TXT', text })),
  fc.record({
    type: fc.constant('SOA' as const),
    primary: name,
    mailbox: name,
    serial: u32,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
  }),
  fc.uint8Array({ maxLength: 40 }).map((b): Data => ({ type: 'other', number: 65280, bytes: b })),
)
const record: fc.Arbitrary<DnsRecord> = fc.record({ name, ttl: u32, data })
const records = fc.array(record, { maxLength: 5 })
const question = fc.record({ name, type: u16, class: u16 }).map((one) => {
  const labels = one.name === '' ? [] : one.name.split('.')
  const wire = labels.flatMap((each) => [labelBytes(each).length, ...labelBytes(each)])
  return { ...one, wire: Uint8Array.from([...wire, 0]) }
})
const message: fc.Arbitrary<Message> = fc.record(
  {
    id: u16,
    isResponse: fc.boolean(),
    opcode: fc.nat(15),
    authoritative: fc.boolean(),
    truncated: fc.boolean(),
    recursionDesired: fc.boolean(),
    recursionAvailable: fc.boolean(),
    rcode: fc.nat(15),
    questions: fc.array(question, { maxLength: 2 }),
    answers: records,
    authorities: records,
    additionals: records,
    edns: fc.record({ size: u16, version: fc.nat(255) }),
  },
  {
    requiredKeys: [
      'id',
      'isResponse',
      'opcode',
      'authoritative',
      'truncated',
      'recursionDesired',
      'recursionAvailable',
      'rcode',
      'questions',
      'answers',
      'authorities',
      'additionals',
    ],
  },
)

const zone = new ClusterZone('cluster.local')
const many = service('shop', 'many', { clusterIP: 'None' })
zone.setService(many)
zone.setSlice(
  slice(
    many,
    'many-1',
    Array.from({ length: 200 }, (_, i) => endpoint(`10.1.2.${i}`)),
  ),
)

describe('messages', () => {
  test('come back as they were written', () => {
    fc.assert(
      fc.property(message, (one) => {
        expect(decodeMessage(encodeMessage(one))).toEqual(one)
      }),
      { numRuns: 500 },
    )
  })

  test('never exceed their limit, and say so when something is missing', () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 512, max: 1500 }), (one, limit) => {
        const short = { ...one, questions: [], truncated: false }
        const written = encodeMessage(short, limit)
        expect(written.length).toBeLessThanOrEqual(limit)
        const read = decodeMessage(written)
        expect(read).toBeDefined()
        if (read === undefined) return
        const isWhole = read.answers.length === one.answers.length && read.authorities.length === one.authorities.length
        expect(read.truncated).toBe(!isWhole)
        expect(read.answers).toEqual(one.answers.slice(0, read.answers.length))
      }),
    )
  })
})

describe('anything at all', () => {
  const damaged = fc
    .tuple(message, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), fc.nat())
    .map(([one, changes, cut]) => {
      const written = encodeMessage(one)
      for (const [at, value] of changes) written[at % written.length] = value
      return written.slice(0, cut % 3 === 0 ? cut % (written.length + 1) : written.length)
    })
  test('is read or refused, and answered within bounds', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), damaged), (given) => {
        const read = decodeMessage(given)
        if (read !== undefined) expect(read.questions.length + read.answers.length).toBeLessThan(given.length)
        const answered = respond(zone, given, 'udp')
        if (answered === undefined) return
        expect(answered.length).toBeLessThanOrEqual(1232)
        expect(decodeMessage(answered)?.isResponse).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  const header = [0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
  test.each([
    ['nothing', [], undefined],
    ['half a header', header.slice(0, 11), undefined],
    ['an answer', [0, 7, 0x80, ...header.slice(3), 0, 0, 1, 0, 1], undefined],
    ['a pointer to itself', [...header, 0xc0, 12, 0, 1, 0, 1], 1],
    ['a pointer forward', [...header, 0xc0, 14, 0, 0, 1, 0, 1], 1],
    ['two pointers that meet', [...header, 0xc0, 14, 0xc0, 12, 0, 1, 0, 1], 1],
    ['a label type of nobody', [...header, 0x80, 0, 0, 1, 0, 1], 1],
    ['a question that ends early', [...header, 3, 97], 1],
    ['65,535 questions that are not there', [0, 7, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0], 1],
  ])('%s', (_, given, rcode) => {
    expect(decodeMessage(respond(zone, Uint8Array.from(given), 'udp') ?? new Uint8Array(0))?.rcode).toBe(rcode)
  })

  test('a chain of pointers to pointers is no name', () => {
    const chain = Array.from({ length: 4000 }, (_, i) => [
      0xc0 | ((12 + 2 * i - 2) >> 8),
      (12 + 2 * i - 2) & 0xff,
    ]).flat()
    const given = Uint8Array.from([0, 7, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0, ...chain])
    expect(decodeMessage(given)).toBeUndefined()
  })
})

test('a long answer is cut by UDP as the client wishes, and whole by TCP', () => {
  const ask = (edns: { readonly size: number; readonly version: number } | undefined, transport: 'udp' | 'tcp') => {
    const wire = Uint8Array.from(
      'many.shop.svc.cluster.local.'.split('.').flatMap((each) => [each.length, ...Buffer.from(each)]),
    )
    const base = { id: 7, isResponse: false, opcode: 0, authoritative: false, truncated: false, rcode: 0 }
    const flags = { recursionDesired: true, recursionAvailable: false, answers: [], authorities: [], additionals: [] }
    const questions = [{ name: 'many.shop.svc.cluster.local', type: 1, class: 1, wire }]
    const given = encodeMessage({ ...base, ...flags, questions, ...(edns === undefined ? {} : { edns }) })
    const answered = respond(zone, given, transport) ?? new Uint8Array(0)
    const read = decodeMessage(answered)
    return [answered.length <= 512, answered.length <= 1232, read?.truncated, read?.answers.length === 200]
  }
  expect(ask(undefined, 'udp')).toEqual([true, true, true, false])
  expect(ask({ size: 4096, version: 0 }, 'udp')).toEqual([false, true, true, false])
  expect(ask({ size: 100, version: 0 }, 'udp')).toEqual([true, true, true, false])
  expect(ask(undefined, 'tcp')).toEqual([false, false, false, true])
})

test('messages behind their lengths come out whole, however they are cut', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), fc.nat(), (messages, cut) => {
      const stream = Buffer.concat(messages.map(framed))
      const at = cut % (stream.length + 1)
      const first = split(stream.subarray(0, at))
      const second = split(Buffer.concat([first.rest, stream.subarray(at)]))
      expect([...first.messages, ...second.messages].map((one) => Buffer.from(one).toString('hex'))).toEqual(
        messages.map((one) => Buffer.from(one).toString('hex')),
      )
      expect(second.rest).toHaveLength(0)
    }),
  )
})
