/**
 * Whether one rule speaks of a connection: some peer must be the other end, and some port the one it goes to.
 * @module
 */
import { contains, familyOf, type Ip } from '../model/address.ts'
import type { Direction, Peer, Policy, PolicyAction, PolicyRule, PortMatch } from '../model/policy.ts'
import { matchesPodSet } from './selector.ts'
import type { Connection, Party, PolicyWorld, RuleRef } from './verdict.ts'

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
  const port = placeOf(rule.ports, (match) => matchesPort(match, connection))
  if (port === 'none') return undefined
  const peer = placeOf(rule.peers, (one) => matchesPeer(one, other, question))
  const unknown = peer === 'none' ? placeOfUnresolved(rule, question.world) : undefined
  const place = unknown ?? peer
  if (place === 'none') return undefined
  const { kind, namespace, name, tier } = policy
  const unresolved = unknown === undefined ? undefined : rule.peers?.[unknown]
  return {
    action: rule.action,
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

function matchesPeer(peer: Peer, party: Party, { world, direction }: Question): boolean {
  const { namespaces, nodes, names } = world
  switch (peer.type) {
    case 'pods': {
      if (party.type !== 'pod') return false
      const { pod } = party
      return matchesPodSet(peer, pod, [...namespaces].find(({ name }) => name === pod.namespace)?.labels)
    }
    case 'range':
      return (direction === 'ingress' ? sourcesOf(party, nodes) : [party.address]).some(
        (address) => contains(peer.range, address) && !peer.except.some((part) => contains(part, address)),
      )
    case 'name':
      return names.get(peer.name)?.includes(party.address) ?? false
  }
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

function matchesPort(match: PortMatch, { destination, protocol, port }: Connection): boolean {
  if (protocol === 'ICMP') return false
  switch (match.type) {
    case 'protocol':
      return match.protocol === protocol
    case 'numbers':
      return match.protocol === protocol && match.from <= port && port <= match.to
    case 'named': {
      if (match.protocol !== undefined && match.protocol !== protocol) return false
      const named = destination.type === 'pod' ? (destination.pod.namedPorts ?? []) : []
      return named.some((one) => one.name === match.name && one.protocol === protocol && one.port === port)
    }
  }
}
