/**
 * The answer to a question about the cluster's names: a function of the zone.
 * @module
 */
import { CLASS_IN, type Data, type DnsRecord, type Message, type Question, RCODES, TYPES } from '../../dns/message.ts'
import { isWithin, labelsOf } from '../../dns/name.ts'
import { addressData } from './records.ts'
import { podAddress, REVERSE_ZONES } from './reverse.ts'
import type { ClusterZone } from './zone.ts'

/** Seconds for which an answer may be kept, and that there is none. */
export const TTL = 5
/** The version of the specification that is served. */
const SCHEMA_VERSION = '1.1.0'

/** What a message gets for an answer. */
export function answer(zone: ClusterZone, query: Message): Message {
  const [question] = query.questions
  if (query.opcode !== 0) return reply(query, RCODES.NOTIMP)
  if (question === undefined || query.questions.length !== 1) return reply(query, RCODES.FORMERR)
  if (query.edns !== undefined && query.edns.version !== 0) return reply(query, RCODES.BADVERS)
  const apex = apexOf(zone, question.name)
  // 128 and above are no types of records but wishes for something else: zone transfers, mail of old.
  const isTransfer = question.type >= 128 && question.type < TYPES.ANY
  if (apex === undefined || question.class !== CLASS_IN || isTransfer) return reply(query, RCODES.REFUSED)
  const { answers, exists } = follow(zone, question, query.id)
  const soa: DnsRecord = { name: apex, ttl: TTL, data: soaOf(zone) }
  return {
    ...reply(query, exists ? RCODES.NOERROR : RCODES.NXDOMAIN),
    authoritative: true,
    answers,
    authorities: isAnswered(answers, question) ? [] : [soa],
    additionals: addressesOf(zone, answers),
  }
}

/** An answer without records. It repeats what was asked. */
export function reply(query: Message, rcode: number): Message {
  const { id, opcode, recursionDesired, questions, edns } = query
  return {
    id,
    isResponse: true,
    opcode,
    authoritative: false,
    truncated: false,
    recursionDesired,
    recursionAvailable: false,
    rcode,
    questions,
    answers: [],
    authorities: [],
    additionals: [],
    ...(edns === undefined ? {} : { edns: { size: EDNS_SIZE, version: 0 } }),
  }
}

/** Bytes that are received, and at most sent, by UDP: what passes everywhere unfragmented. */
export const EDNS_SIZE = 1232

/** The most links of a chain of names that are followed. */
const LONGEST_CHAIN = 8

function isAlias(data: Data): data is Extract<Data, { readonly type: 'CNAME' | 'PTR' | 'NS' }> {
  return data.type === 'CNAME'
}

function apexOf(zone: ClusterZone, name: string): string | undefined {
  return [zone.domain, ...REVERSE_ZONES].find((one) => isWithin(name, one))
}

/** The records at a name, and those at the name that it is another word for, as far as they are ours. */
function follow(
  zone: ClusterZone,
  { name, type }: Question,
  turn: number,
): { readonly answers: readonly DnsRecord[]; readonly exists: boolean } {
  const answers: DnsRecord[] = []
  let at = name
  for (let link = 0; link < LONGEST_CHAIN; link++) {
    const data = lookup(zone, at)
    if (data === undefined) return { answers, exists: false }
    const owner = at
    const wanted = data.filter((one) => type === TYPES.ANY || numberOf(one) === type)
    answers.push(...turned(wanted, turn).map((one) => ({ name: owner, ttl: TTL, data: one })))
    const alias = data.find(isAlias)
    if (wanted.length > 0 || alias === undefined) return { answers, exists: true }
    answers.push({ name: owner, ttl: TTL, data: alias })
    at = alias.target
    if (apexOf(zone, at) === undefined) return { answers, exists: true }
  }
  return { answers, exists: true }
}

/** An answer that ends with another name outside is complete: the resolver goes on there. */
function isAnswered(answers: readonly DnsRecord[], { type }: Question): boolean {
  const last = answers.at(-1)
  if (last === undefined) return false
  return type === TYPES.ANY || numberOf(last.data) === type || last.data.type === 'CNAME'
}

function lookup(zone: ClusterZone, name: string): readonly Data[] | undefined {
  const { domain } = zone
  if (name === domain) return [soaOf(zone), { type: 'NS', target: `ns.dns.${domain}` }]
  if (REVERSE_ZONES.includes(name)) return [soaOf(zone)]
  if (name === `dns-version.${domain}`) return [{ type: 'TXT', text: SCHEMA_VERSION }]
  if (name === `svc.${domain}` || name === `pod.${domain}`) return []
  if (isWithin(name, `pod.${domain}`)) return podRecords(name.slice(0, -`.pod.${domain}`.length))
  return zone.find(name)
}

/** The name of a pod is its address: whether there is such a pod is not asked. */
function podRecords(below: string): readonly Data[] | undefined {
  const [label = '', namespace, ...more] = labelsOf(below)
  if (more.length > 0) return undefined
  // A namespace's own name has pods below it.
  if (namespace === undefined) return []
  const address = podAddress(label)
  return address === undefined ? undefined : [addressData(address)]
}

/** Addresses of what SRV records point to save the asker a question. */
function addressesOf(zone: ClusterZone, answers: readonly DnsRecord[]): readonly DnsRecord[] {
  const targets = new Set(answers.flatMap(({ data }) => (data.type === 'SRV' ? [data.target] : [])))
  return [...targets].flatMap((name) => {
    const data = (zone.find(name) ?? []).filter(({ type }) => type === 'A' || type === 'AAAA')
    return data.map((one) => ({ name, ttl: TTL, data: one }))
  })
}

/** Begins with another one for each question, so that clients which take the first spread. */
function turned<T>(items: readonly T[], turn: number): readonly T[] {
  const start = items.length === 0 ? 0 : turn % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

function numberOf(data: Data): number {
  return data.type === 'other' ? data.number : TYPES[data.type]
}

/** The serial never changes: nobody transfers this zone. */
function soaOf({ domain }: ClusterZone): Data {
  return {
    type: 'SOA',
    primary: `ns.dns.${domain}`,
    mailbox: `hostmaster.${domain}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86400,
    minimum: TTL,
  }
}
