/**
 * What packet filters do to a kind of packet, as far as that is certain. A rule that may hold and may not never leads to
 * the conclusion that a packet is dropped.
 * @module
 */
import { BITS, type Cidr, contains, familyOf, firstIp, lastIp, parseCidr, parseIp } from '../model/address.ts'
import type { Chain, Condition, Rule, Subject, Verdict } from './ruleset.ts'

/** Where packets come from or go to: anywhere in a network, or anywhere but in these. */
export type Region = { readonly within: Cidr } | { readonly outside: readonly Cidr[] }

/** A link by its name, or any but one. */
export type LinkChoice = { readonly is: string } | { readonly not: string }

/** A kind of packet. What is absent may be anything. */
export interface Traffic {
  /** `what pods send to the outside`. */
  readonly title: string
  /** Tunnel packets pass the node's own stack with the kernel's datapath only. */
  readonly of: 'pods' | 'tunnels'
  readonly hook: 'forward' | 'input'
  readonly family: 4 | 6
  readonly inLink?: LinkChoice
  readonly outLink?: LinkChoice
  readonly source?: Region
  readonly destination?: Region
  /** A protocol's name, `udp`. */
  readonly protocol?: string
  readonly port?: number
  /** A state of connection tracking, `new`. */
  readonly state?: string
}

/** A chain of others that certainly drops a kind of packet. */
export interface ForeignDrop {
  readonly traffic: string
  readonly family: string
  readonly table: string
  readonly chain: string
  readonly hook: string
  /** The rule's handle and chain; undefined where the chain's policy does it. */
  readonly rule: { readonly chain: string; readonly handle: number } | undefined
}

type Truth = 'yes' | 'no' | 'maybe'
/** `return` and falling off a chain's end are the same to its caller. */
type Fate = { readonly kind: 'accept' | 'goes on' | 'uncertain' } | { readonly kind: 'drop'; readonly rule: Dropper }
type Dropper = { readonly chain: string; readonly handle: number }

/** Jumps are followed this deep; the kernel allows 16. */
const DEEPEST = 16

/** Chains that certainly drop one of these kinds, one entry for each kind and chain. */
export function foreignDrops(
  traffics: readonly Traffic[],
  chains: readonly Chain[],
  isOurs: (chain: Chain) => boolean,
): readonly ForeignDrop[] {
  return chains.flatMap((chain) => {
    const { base, family, table, name } = chain
    if (base === undefined || base.type !== 'filter' || isOurs(chain)) return []
    return traffics.flatMap((traffic): ForeignDrop[] => {
      if (traffic.hook !== base.hook || !carries(family, traffic)) return []
      const fate = walk(traffic, chain, chains, DEEPEST)
      const drops = fate.kind === 'drop' || (fate.kind === 'goes on' && base.policy === 'drop')
      if (!drops) return []
      const rule = fate.kind === 'drop' ? fate.rule : undefined
      return [{ traffic: traffic.title, family, table, chain: name, hook: base.hook, rule }]
    })
  })
}

/** Drops in words: a sentence for each chain and rule, with everything that it drops. */
export function dropsInWords(drops: readonly ForeignDrop[]): readonly string[] {
  const sentences = new Map<string, { readonly place: string; readonly why: string; readonly traffics: string[] }>()
  for (const { traffic, family, table, chain, hook, rule } of drops) {
    const why =
      rule === undefined ? 'its policy is drop and no rule accepts that' : `rule ${rule.handle} of ${rule.chain}`
    const place = `${family} ${table} ${chain} (hook ${hook})`
    const known = sentences.get(`${place} ${why}`)
    if (known === undefined) sentences.set(`${place} ${why}`, { place, why, traffics: [traffic] })
    else known.traffics.push(traffic)
  }
  return [...sentences.values()].map(({ place, why, traffics }) => `${place} drops ${traffics.join(', ')}: ${why}`)
}

function carries(family: string, traffic: Traffic): boolean {
  return family === 'inet' || family === (traffic.family === 4 ? 'ip' : 'ip6')
}

function walk(traffic: Traffic, chain: Chain, chains: readonly Chain[], depth: number): Fate {
  for (const rule of chain.rules) {
    const holds = all(rule.conditions.map((condition) => judge(condition, traffic)))
    if (holds === 'no' || rule.verdict === undefined) continue
    const fate = fateOf(traffic, { rule, verdict: rule.verdict, chain }, chains, depth)
    if (fate === 'next') continue
    if (holds === 'yes') return fate
    // It may be accepted, or leave the chain before what comes: nothing behind this is certain. What may be dropped goes on.
    if (fate.kind !== 'drop') return { kind: 'uncertain' }
  }
  return { kind: 'goes on' }
}

interface Place {
  readonly rule: Rule
  readonly verdict: Verdict
  readonly chain: Chain
}

function fateOf(
  traffic: Traffic,
  { rule, verdict, chain }: Place,
  chains: readonly Chain[],
  depth: number,
): Fate | 'next' {
  switch (verdict.kind) {
    case 'accept':
      return { kind: 'accept' }
    case 'drop':
      return { kind: 'drop', rule: { chain: chain.name, handle: rule.handle } }
    case 'return':
      return { kind: 'goes on' }
    case 'unknown':
      return { kind: 'uncertain' }
    case 'jump':
    case 'goto': {
      const target = chains.find(
        ({ family, table, name }) => family === chain.family && table === chain.table && name === verdict.chain,
      )
      if (target === undefined || depth === 0) return { kind: 'uncertain' }
      const fate = walk(traffic, target, chains, depth - 1)
      return fate.kind === 'goes on' && verdict.kind === 'jump' ? 'next' : fate
    }
  }
}

function all(truths: readonly Truth[]): Truth {
  if (truths.includes('no')) return 'no'
  return truths.includes('maybe') ? 'maybe' : 'yes'
}

function judge(condition: Condition, traffic: Traffic): Truth {
  if (condition.subject === 'unknown') return 'maybe'
  const test = TESTS[condition.subject]
  const truths = condition.values.map((value) => test(value, traffic))
  const any = truths.includes('yes') ? 'yes' : truths.includes('maybe') ? 'maybe' : 'no'
  if (any === 'maybe' || !condition.negated) return any
  return any === 'yes' ? 'no' : 'yes'
}

/** Whether the subject has this value, of every packet of the kind. */
const TESTS: { readonly [S in Subject]: (value: string, traffic: Traffic) => Truth } = {
  family: (value, { family }) => (value === (family === 4 ? 'ipv4' : 'ipv6') ? 'yes' : 'no'),
  inLink: (value, { inLink }) => linkIs(value, inLink),
  outLink: (value, { outLink }) => linkIs(value, outLink),
  source: (value, { source }) => isWithin(value, source),
  destination: (value, { destination }) => isWithin(value, destination),
  protocol: (value, { protocol }) => equals(value, protocol),
  port: (value, { port }) => equals(value, port === undefined ? undefined : String(port)),
  state: (value, { state }) => equals(value, state),
}

function equals(value: string, known: string | undefined): Truth {
  if (known === undefined) return 'maybe'
  return value === known ? 'yes' : 'no'
}

function linkIs(value: string, link: LinkChoice | undefined): Truth {
  if (value === '*') return 'yes'
  if (link === undefined) return 'maybe'
  if ('not' in link) return value === link.not ? 'no' : 'maybe'
  const matches = value.endsWith('*') ? link.is.startsWith(value.slice(0, -1)) : value === link.is
  return matches ? 'yes' : 'no'
}

function isWithin(value: string, region: Region | undefined): Truth {
  const network = networkOf(value)
  if (network === undefined || region === undefined) return 'maybe'
  if ('outside' in region) {
    if (network.endsWith('/0')) return 'yes'
    return region.outside.some((one) => covers(one, network)) ? 'no' : 'maybe'
  }
  if (covers(network, region.within)) return 'yes'
  return covers(region.within, network) ? 'maybe' : 'no'
}

function covers(outer: Cidr, inner: Cidr): boolean {
  return familyOf(outer) === familyOf(inner) && contains(outer, firstIp(inner)) && contains(outer, lastIp(inner))
}

function networkOf(value: string): Cidr | undefined {
  const address = parseIp(value)
  return parseCidr(address === undefined ? value : `${address}/${BITS[familyOf(address)]}`)
}
