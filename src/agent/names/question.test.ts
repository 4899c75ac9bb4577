import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodeMessage } from '../../dns/decode.ts'
import { encodeMessage } from '../../dns/encode.ts'
import { type DnsRecord, type Message, RCODES } from '../../dns/message.ts'
import { damaged, message } from '../../dns/testing/messages.ts'
import { answerIn, answers, MOST_ADDRESSES, question } from './question.ts'

const NAME = 'www.shop.example'
const asked = question(7, NAME, 'A')

const a = (name: string, address: string, ttl = 60): DnsRecord => ({ name, ttl, data: { type: 'A', address } })
const alias = (name: string, target: string, ttl = 60): DnsRecord => ({ name, ttl, data: { type: 'CNAME', target } })
const soa = (ttl: number, minimum: number): DnsRecord => {
  const times = { serial: 1, refresh: 1, retry: 1, expire: 1, minimum }
  return { name: 'example', ttl, data: { type: 'SOA', primary: 'a', mailbox: 'b', ...times } }
}
const ns: DnsRecord = { name: 'example', ttl: 60, data: { type: 'NS', target: 'ns.example' } }

function reply(change: Partial<Message>): Message {
  return { ...asked, isResponse: true, recursionAvailable: true, ...change }
}

function addresses(list: readonly string[], ttl: number) {
  return { type: 'addresses', addresses: list, ttl }
}

test.each<[string, Partial<Message>, unknown]>([
  ['one address', { answers: [a(NAME, '192.0.2.1', 30)] }, addresses(['192.0.2.1'], 30)],
  [
    'the shortest TTL of all',
    { answers: [a(NAME, '192.0.2.1', 30), a(NAME, '192.0.2.2', 20)] },
    addresses(['192.0.2.1', '192.0.2.2'], 20),
  ],
  ['the same twice', { answers: [a(NAME, '192.0.2.1'), a(NAME, '192.0.2.1')] }, addresses(['192.0.2.1'], 60)],
  [
    'an alias of an alias, in any order',
    { answers: [a('c.example', '192.0.2.1'), alias('b.example', 'c.example', 5), alias(NAME, 'b.example')] },
    addresses(['192.0.2.1'], 5),
  ],
  ['an address of another name', { answers: [a('evil.example', '192.0.2.9')] }, addresses([], 30)],
  ['an address beside the alias', { answers: [alias(NAME, 'b.example'), a(NAME, '192.0.2.9')] }, addresses([], 30)],
  [
    'what is only mentioned',
    { additionals: [a(NAME, '192.0.2.9')], authorities: [a(NAME, '192.0.2.9')] },
    addresses([], 30),
  ],
  [
    'the other family',
    { answers: [{ name: NAME, ttl: 60, data: { type: 'AAAA', address: '2001:db8::1' } }] },
    addresses([], 30),
  ],
  [
    'aliases in a circle',
    { answers: [alias(NAME, 'b.example'), alias('b.example', NAME)] },
    { type: 'failure', reason: 'its aliases lead nowhere' },
  ],
  ['no such name, said by whoever knows', { rcode: RCODES.NXDOMAIN, authorities: [soa(300, 40)] }, addresses([], 40)],
  [
    'no such name, for as long as the record holds',
    { rcode: RCODES.NXDOMAIN, authorities: [soa(20, 40)] },
    addresses([], 20),
  ],
  ['none of the family', { authorities: [soa(300, 50)] }, addresses([], 50)],
  ['none, of a server that looked', {}, addresses([], 30)],
  [
    'none, of a server that does not look',
    { recursionAvailable: false },
    { type: 'failure', reason: 'the server looks nothing up for others' },
  ],
  ['ask somebody else', { authorities: [ns] }, { type: 'failure', reason: 'the server looks nothing up for others' }],
  ['a failure', { rcode: RCODES.SERVFAIL }, { type: 'failure', reason: 'the server answers SERVFAIL' }],
  [
    'a refusal, with an address',
    { rcode: RCODES.REFUSED, answers: [a(NAME, '192.0.2.9')] },
    { type: 'failure', reason: 'the server answers REFUSED' },
  ],
  ['cut', { truncated: true, answers: [a(NAME, '192.0.2.1')] }, { type: 'truncated' }],
  ['a TTL with the highest bit', { answers: [a(NAME, '192.0.2.1', 0x80000001)] }, addresses(['192.0.2.1'], 0)],
])('%s', (_, change, expected) => {
  expect(answerIn(reply(change), NAME, 'A') as unknown).toEqual(expected)
})

test('an answer of more addresses than are kept is none', () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => a(NAME, `10.0.${n >> 8}.${n & 0xff}`))
  expect(answerIn(reply({ answers: many(MOST_ADDRESSES) }), NAME, 'A').type).toBe('addresses')
  expect(answerIn(reply({ answers: many(MOST_ADDRESSES + 1) }), NAME, 'A').type).toBe('failure')
})

test.each<[string, Message, boolean]>([
  ['the answer', reply({}), true],
  ['another id', reply({ id: 8 }), false],
  ['the question itself', asked, false],
  ['another name', reply({ questions: question(7, 'www.bank.example', 'A').questions }), false],
  ['another type', reply({ questions: question(7, NAME, 'AAAA').questions }), false],
  ['two questions', reply({ questions: [...asked.questions, ...asked.questions] }), false],
  ['no question', reply({ questions: [] }), false],
  ['no question that could be read', reply({ questions: [], rcode: RCODES.FORMERR }), true],
  ['another operation', reply({ opcode: 5 }), false],
  [
    'the name in capitals',
    reply({
      questions: question(7, NAME, 'A').questions.map((one) => ({
        ...one,
        wire: one.wire.map((byte) => (byte >= 97 ? byte - 32 : byte)),
      })),
    }),
    true,
  ],
])('what answers a question: %s', (_, given, expected) => {
  // As it arrives: names in capitals are the same.
  const read = decodeMessage(encodeMessage(given))
  expect(read !== undefined && answers(read, asked)).toBe(expected)
})

test('of whatever arrives only addresses of the name come out, and not too many', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        message.map((one) => encodeMessage(one)),
        damaged,
      ),
      (bytes) => {
        const read = decodeMessage(bytes)
        if (read === undefined) return
        const found = answerIn(read, NAME, 'A')
        if (found.type !== 'addresses') return
        expect(found.addresses.length).toBeLessThanOrEqual(MOST_ADDRESSES)
        expect(found.ttl).toBeGreaterThanOrEqual(0)
        expect(found.ttl).toBeLessThanOrEqual(0x7fffffff)
      },
    ),
  )
})
