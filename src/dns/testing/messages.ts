/**
 * DNS messages of all kinds, and what becomes of them on a bad day.
 * @module
 */
import fc from 'fast-check'
import { encodeMessage } from '../encode.ts'
import type { Data, DnsRecord, Message } from '../message.ts'
import { isName, labelText, nameBytes } from '../name.ts'

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
const question = fc.record({ name, type: u16, class: u16 }).map((one) => ({ ...one, wire: nameBytes(one.name) }))
/** Any message that can be written. */
export const message: fc.Arbitrary<Message> = fc.record(
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

/** What is left of a message whose bytes were changed and whose end was cut off. */
export const damaged = fc
  .tuple(message, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), fc.nat())
  .map(([one, changes, cut]) => {
    const written = encodeMessage(one)
    for (const [at, value] of changes) written[at % written.length] = value
    return written.slice(0, cut % 3 === 0 ? cut % (written.length + 1) : written.length)
  })
