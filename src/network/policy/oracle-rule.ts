/**
 * Whether one rule speaks of a connection: some peer must be the other end, and some port the one it goes to.
 * @module
 */
import { contains, type Family, familyOf, type Ip } from '../model/address.ts'
import type { Condition } from '../model/condition.ts'
import { isWhole, type NetworkSet } from '../model/network-set.ts'
import type { Namespace } from '../model/pod.ts'
import type {
  AddressRange,
  Direction,
  Peer,
  Policy,
  PolicyAction,
  PolicyRule,
  PortMatch,
  PortSpan,
} from '../model/policy.ts'
import { matchesPodSet, matchesSet } from './selector.ts'
import type { Connection, Party, PolicyWorld, RuleRef } from './verdict.ts'

/** What an ICMP connection is unless it says otherwise: a ping. */
const ECHO: Readonly<Record<Family, number>> = { 4: 8, 6: 128 }
/** Where a connection comes from unless it says so: some port that a system gives. */
const EPHEMERAL = 40_000

/** A connection, and which of its ends is asked. */
export interface Question {
  readonly world: PolicyWorld
  readonly connection: Connection
  readonly direction: Direction
}

/** A rule that speaks of a connection. */
export interface RuleMatch {
  readonly action: PolicyAction
  readonly rule: RuleRef
  /** The DNS name that nobody could resolve, if that is why. */
  readonly unresolved?: string
}

/** How a rule at this place of a policy matches, or undefined. */
export function ruleMatch(policy: Policy, rule: PolicyRule, index: number, question: Question): RuleMatch | undefined {
  const { connection, direction } = question
  const other = direction === 'ingress' ? connection.source : connection.destination
  if (!matchesOwn(rule, question)) return undefined
  const port = placeOf(rule.ports, (match) => matchesPort(match, connection))
  if (port === 'none') return undefined
  const isClosed = rule.action !== 'allow' && (rule.peers ?? []).some((one) => isUnread(one, question.world))
  const peer = placeOf(
    rule.peers,
    (one) =>
      matchesPeer(one, other, question) || (isClosed && isUnread(one, question.world) && mayHold(one, other, question)),
  )
  const unknown = peer === 'none' ? placeOfUnresolved(rule, question.world) : undefined
  const place = unknown ?? peer
  if (place === 'none') return undefined
  const { kind, namespace, name, tier } = policy
  const unresolved = unknown === undefined ? undefined : rule.peers?.[unknown]
  return {
    action: isClosed ? 'deny' : rule.action,
    rule: {
      policy: { kind, ...(namespace === undefined ? {} : { namespace }), name },
      tier,
      direction,
      index,
      ...(rule.name === undefined ? {} : { name: rule.name }),
      ...(place === 'any' ? {} : { peer: place }),
      ...(port === 'any' ? {} : { port }),
    },
    ...(unresolved?.type === 'name' ? { unresolved: unresolved.name } : {}),
  }
}

/** Where in a list something matches first; `any` for a list that is absent. */
function placeOf<T>(list: readonly T[] | undefined, test: (one: T) => boolean): number | 'any' | 'none' {
  if (list === undefined) return 'any'
  const place = list.findIndex(test)
  return place < 0 ? 'none' : place
}

/** What is denied to a name that nobody could resolve is denied to everybody: any address may be its. */
function placeOfUnresolved({ action, peers }: PolicyRule, { names }: PolicyWorld): number | undefined {
  if (action !== 'deny') return undefined
  const place = placeOf(peers, (peer) => peer.type === 'name' && !names.has(peer.name))
  return typeof place === 'number' ? place : undefined
}

/** Whether a peer stands for a network set of which something cannot be read: what is denied to that may be for anybody. */
function isUnread(peer: Peer, { sets = [], namespaces }: PolicyWorld): boolean {
  if (peer.type !== 'sets') return false
  return [...sets].some((set) => !isWhole(set) && selects(peer.where, set, namespaces))
}

/** Whether somebody would be meant by a peer if a network set held everything. */
function mayHold(peer: Peer, party: Party, { world: { nodes }, direction }: Question): boolean {
  if (peer.type !== 'sets' || peer.within === undefined) return true
  const addresses = direction === 'ingress' ? sourcesOf(party, nodes) : [party.address]
  return addresses.some((address) => peer.within?.some((one) => isIn(one, address)))
}

function matchesPeer(peer: Peer, party: Party, { world, direction }: Question): boolean {
  const { namespaces, nodes, names, sets } = world
  const addresses = direction === 'ingress' ? sourcesOf(party, nodes) : [party.address]
  switch (peer.type) {
    case 'pods': {
      if (party.type !== 'pod') return false
      const { pod } = party
      if (peer.within !== undefined && !peer.within.some((range) => isIn(range, party.address))) return false
      return matchesPodSet(peer, pod, [...namespaces].find(({ name }) => name === pod.namespace)?.labels)
    }
    case 'sets':
      return [...(sets ?? [])].some(
        (set) =>
          selects(peer.where, set, namespaces) &&
          addresses.some(
            (address) =>
              set.nets.some((net) => contains(net, address)) &&
              (peer.within?.some((one) => isIn(one, address)) ?? true),
          ),
      )
    case 'range':
      return addresses.some((address) => isIn(peer, address))
    case 'name':
      return names.get(peer.name)?.includes(party.address) ?? false
  }
}

function isIn({ range, except }: AddressRange, address: Ip): boolean {
  return contains(range, address) && !except.some((part) => contains(part, address))
}

function selects(where: Condition, set: NetworkSet, namespaces: Iterable<Namespace>): boolean {
  return matchesSet(where, set, [...namespaces].find(({ name }) => name === set.namespace)?.labels)
}

/** What a rule asks of the pod itself, and of the port that the connection comes from. */
function matchesOwn({ own, sourcePorts }: PolicyRule, { connection, direction }: Question): boolean {
  const { source, destination, protocol, sourcePort = EPHEMERAL } = connection
  const address = direction === 'ingress' ? destination.address : source.address
  if (own !== undefined && !own.some((range) => isIn(range, address))) return false
  return sourcePorts === undefined || (protocol !== 'ICMP' && sourcePorts.some((one) => isWithin(one, sourcePort)))
}

function isWithin({ from, to }: PortSpan, port: number): boolean {
  return from <= port && port <= to
}

/**
 * What a range is held against at the receiver. A node speaks to pods of other nodes with its address in the overlay;
 * whoever writes policies knows its other addresses.
 */
function sourcesOf(party: Party, nodes: PolicyWorld['nodes']): readonly Ip[] {
  if (party.type !== 'node') return [party.address]
  const node = [...nodes].find((one) => one.node === party.node)
  const family = familyOf(party.address)
  return [party.address, ...(node?.addresses ?? []).filter((address) => familyOf(address) === family)]
}

function matchesPort(match: PortMatch, { destination, protocol, port, icmp }: Connection): boolean {
  const family = familyOf(destination.address)
  if (match.type === 'icmp') {
    if (protocol !== 'ICMP' || match.family !== family) return false
    const { type, code } = icmp ?? { type: ECHO[family], code: 0 }
    return (match.icmpType ?? type) === type && (match.code ?? code) === code
  }
  if (protocol === 'ICMP' || match.type === 'ip') return false
  switch (match.type) {
    case 'protocol':
      return match.protocol === protocol
    case 'numbers':
      return match.protocol === protocol && isWithin(match, port)
    case 'named': {
      if (match.protocol !== undefined && match.protocol !== protocol) return false
      const named = destination.type === 'pod' ? (destination.pod.namedPorts ?? []) : []
      return named.some((one) => one.name === match.name && one.protocol === protocol && one.port === port)
    }
  }
}
