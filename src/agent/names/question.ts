/**
 * One question to a DNS server, and what an answer to it says. Answers are anybody's: only what was asked is taken.
 * @module
 */
import { CLASS_IN, type DnsRecord, type Message, type Question, RCODES, TYPES } from '../../dns/message.ts'
import { nameBytes } from '../../dns/name.ts'
import { type Ip, parseIp } from '../../network/model/address.ts'

/** The records that say addresses. */
export type AddressType = 'A' | 'AAAA'

/** What an answer says. TTL in seconds, as the server gave it. */
export type Answer =
  /** None: there is no such name, or it has none of this family. */
  | { readonly type: 'addresses'; readonly addresses: readonly Ip[]; readonly ttl: number }
  /** The whole of it is to be had by TCP. */
  | { readonly type: 'truncated' }
  /** The server does not know. For people. */
  | { readonly type: 'failure'; readonly reason: string }

/** More addresses than this are no answer: what could not be kept of them would be missing from a denial. */
export const MOST_ADDRESSES = 256

/** Names behind names, one after the other. */
const MOST_ALIASES = 16

/** Seconds for which “there is none” holds where the server does not say (RFC 2308 leaves it to us). */
const UNSAID_TTL = 30

/** The question for a name, which is absolute: no search domain is put behind it. */
export function question(id: number, name: string, type: AddressType): Message {
  const asked: Question = { name, type: TYPES[type], class: CLASS_IN, wire: nameBytes(name) }
  const flags = { isResponse: false, authoritative: false, truncated: false, recursionAvailable: false }
  const nothing = { answers: [], authorities: [], additionals: [] }
  return { id, opcode: 0, ...flags, recursionDesired: true, rcode: RCODES.NOERROR, questions: [asked], ...nothing }
}

/** Whether a message answers a question. What does not may be somebody's who guesses. */
export function answers(message: Message, asked: Message): boolean {
  const [mine] = asked.questions
  const [theirs, ...more] = message.questions
  if (!message.isResponse || message.opcode !== 0 || message.id !== asked.id || more.length > 0) return false
  // A server that could not read the question repeats none; then the answer is a failure, and nothing is taken from it.
  if (theirs === undefined) return message.rcode === RCODES.FORMERR || message.rcode === RCODES.NOTIMP
  return theirs.name === mine?.name && theirs.type === mine.type && theirs.class === mine.class
}

/** What a message says that answers a question for `name`. */
export function answerIn(message: Message, name: string, type: AddressType): Answer {
  if (message.truncated) return { type: 'truncated' }
  if (message.rcode !== RCODES.NOERROR && message.rcode !== RCODES.NXDOMAIN) {
    return { type: 'failure', reason: wordsOf(message.rcode) }
  }
  const { owner, ttls, isEndless } = followed(message.answers, name)
  if (isEndless) return { type: 'failure', reason: 'its aliases lead nowhere' }
  const records = message.answers.filter((one) => one.name === owner && one.data.type === type)
  const addresses = [...new Set(records.flatMap(addressIn))]
  if (addresses.length > MOST_ADDRESSES) return { type: 'failure', reason: `more than ${MOST_ADDRESSES} addresses` }
  if (addresses.length > 0) return { type: 'addresses', addresses, ttl: least([...ttls, ...records.map(ttlOf)]) }
  return none(message, ttls)
}

/** Where the aliases of a name end. */
function followed(records: readonly DnsRecord[], name: string) {
  const aliases = new Map(records.flatMap((one) => (one.data.type === 'CNAME' ? [[one.name, one] as const] : [])))
  const ttls: number[] = []
  let owner = name
  for (let n = 0; n < MOST_ALIASES; n += 1) {
    const alias = aliases.get(owner)
    if (alias?.data.type !== 'CNAME') return { owner, ttls, isEndless: false }
    ttls.push(ttlOf(alias))
    owner = alias.data.target
  }
  return { owner, ttls, isEndless: true }
}

/** That there is none is an answer of a server that looked. One that sends us elsewhere did not. */
function none(message: Message, ttls: readonly number[]): Answer {
  const { authorities, recursionAvailable, authoritative } = message
  const said = authorities.flatMap((one) =>
    one.data.type === 'SOA' ? [Math.min(ttlOf(one), ttlOf({ ttl: one.data.minimum }))] : [],
  )
  const isReferral = said.length === 0 && authorities.some(({ data }) => data.type === 'NS')
  if (isReferral || (said.length === 0 && !recursionAvailable && !authoritative)) {
    return { type: 'failure', reason: 'the server looks nothing up for others' }
  }
  return { type: 'addresses', addresses: [], ttl: least([...ttls, ...(said.length === 0 ? [UNSAID_TTL] : said)]) }
}

function addressIn({ data }: DnsRecord): readonly Ip[] {
  const address = data.type === 'A' || data.type === 'AAAA' ? parseIp(data.address) : undefined
  return address === undefined ? [] : [address]
}

/** RFC 2181 section 8: one with the highest bit set means 0. */
function ttlOf({ ttl }: Pick<DnsRecord, 'ttl'>): number {
  return ttl > 0x7fffffff ? 0 : ttl
}

function least(values: readonly number[]): number {
  return Math.min(...values)
}

function wordsOf(rcode: number): string {
  const name = Object.entries(RCODES).find(([, code]) => code === rcode)?.[0]
  return `the server answers ${name ?? `code ${rcode}`}`
}
