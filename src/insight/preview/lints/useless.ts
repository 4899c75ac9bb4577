/**
 * Rules that say nothing that others do not say already.
 * @module
 */
import { contains, firstIp, overlaps, prefixLength } from '../../../network/model/address.ts'
import {
  DIRECTIONS,
  type Direction,
  type Peer,
  type PodSet,
  type Policy,
  type PolicyRule,
  type PortMatch,
  type Selector,
} from '../../../network/model/policy.ts'
import { policyTitle } from '../../../network/policy/rule-names.ts'
import type { Note } from './lint.ts'

/** Says which rules of a policy another rule makes useless, as far as their words show. */
export function lintUseless(policy: Policy, all: readonly Policy[]): readonly Note[] {
  const siblings = all.filter(
    (one) =>
      policy.kind === 'NetworkPolicy' &&
      one.kind === 'NetworkPolicy' &&
      one.name !== policy.name &&
      holdsPods(one.subject, policy.subject),
  )
  return DIRECTIONS.flatMap((direction) =>
    (policy[direction] ?? []).flatMap((rule, i) => {
      const says = rule.peers?.length === 0 ? undefined : whyUseless(policy, direction, i, siblings)
      return says === undefined ? [] : [{ field: `spec.${direction}[${i}]`, says }]
    }),
  )
}

function whyUseless(
  policy: Policy,
  direction: Direction,
  index: number,
  siblings: readonly Policy[],
): string | undefined {
  const rules = policy[direction] ?? []
  const rule = rules[index]
  if (rule === undefined) return undefined
  const earlier = rules.slice(0, index).findIndex((other) => holds(other, rule))
  if (policy.kind !== 'NetworkPolicy') {
    return earlier < 0 ? undefined : `never counts: spec.${direction}[${earlier}] decides about all of it before`
  }
  const later = rules.findIndex((other, i) => i > index && holds(other, rule) && !holds(rule, other))
  const place = earlier < 0 ? later : earlier
  if (place >= 0) return `adds nothing: spec.${direction}[${place}] allows all of it`
  for (const sibling of siblings) {
    const other = (sibling[direction] ?? []).findIndex((one) => holds(one, rule))
    if (other >= 0) return `adds nothing: ${policyTitle(sibling)}, spec.${direction}[${other}], allows all of it`
  }
  return undefined
}

/** Whether one rule speaks of all that another speaks of. */
function holds(one: PolicyRule, other: PolicyRule): boolean {
  if (!isPlain(one) || !isPlain(other)) return false
  return holdsAll(one.peers, other.peers, holdsPeer) && holdsAll(one.ports, other.ports, holdsPort)
}

/** What only Calico's policies say is not compared. */
function isPlain({ own, sourcePorts, peers = [] }: PolicyRule): boolean {
  return (
    own === undefined && sourcePorts === undefined && peers.every((peer) => peer.type !== 'sets' && !('within' in peer))
  )
}

function holdsAll<T>(
  one: readonly T[] | undefined,
  other: readonly T[] | undefined,
  holdsOne: (a: T, b: T) => boolean,
): boolean {
  if (one === undefined) return true
  return other?.every((b) => one.some((a) => holdsOne(a, b))) ?? false
}

function holdsPeer(one: Peer, other: Peer): boolean {
  if (one.type === 'pods') return other.type === 'pods' && holdsPods(one, other)
  if (one.type === 'name') return other.type === 'name' && one.name === other.name
  if (one.type !== 'range' || other.type !== 'range') return false
  const isWider = prefixLength(one.range) <= prefixLength(other.range) && contains(one.range, firstIp(other.range))
  const isTaken = (part: typeof one.range): boolean =>
    other.except.some((hole) => prefixLength(hole) <= prefixLength(part) && contains(hole, firstIp(part)))
  return isWider && one.except.every((part) => !overlaps(part, other.range) || isTaken(part))
}

function holdsPods(one: PodSet, other: PodSet): boolean {
  if (one.where !== undefined && JSON.stringify(one.where) !== JSON.stringify(other.where)) return false
  const [a, b] = [one.namespaces, other.namespaces]
  const inNamespaces =
    'name' in a ? 'name' in b && a.name === b.name : 'name' in b ? a.labels.length === 0 : isLooser(a.labels, b.labels)
  return inNamespaces && isLooser(one.pods, other.pods)
}

/** Whether a selector demands nothing that another does not demand. */
function isLooser(one: Selector, other: Selector): boolean {
  const demands = new Set(other.map((requirement) => JSON.stringify(requirement)))
  return one.every((requirement) => demands.has(JSON.stringify(requirement)))
}

function holdsPort(one: PortMatch, other: PortMatch): boolean {
  if (one.type === 'icmp' || one.type === 'ip' || other.type === 'icmp' || other.type === 'ip') {
    return JSON.stringify(one) === JSON.stringify(other)
  }
  if (one.type === 'protocol') return other.protocol === one.protocol
  if (one.type === 'named') {
    return other.type === 'named' && one.name === other.name && (one.protocol ?? other.protocol) === other.protocol
  }
  return other.type === 'numbers' && one.protocol === other.protocol && one.from <= other.from && other.to <= one.to
}
