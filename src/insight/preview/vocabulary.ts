/**
 * What policies can tell apart: the labels, port names, ranges and DNS names that they speak of.
 * @module
 */
import type { Cidr } from '../../network/model/address.ts'
import { keysIn } from '../../network/model/condition.ts'
import type { NetworkSet } from '../../network/model/network-set.ts'
import type { AddressRange, Peer, PodSet, Policy, PolicyRule } from '../../network/model/policy.ts'

/** Everything that some policy speaks of. */
export interface Vocabulary {
  /** Keys of pods' labels. */
  readonly labels: ReadonlySet<string>
  /** Names of ports. */
  readonly ports: ReadonlySet<string>
  readonly ranges: ReadonlySet<Cidr>
  /** DNS names. */
  readonly names: ReadonlySet<string>
}

/** What these policies speak of. */
export function vocabularyOf(policies: Iterable<Policy>, sets: Iterable<NetworkSet> = []): Vocabulary {
  const vocabulary = {
    labels: new Set<string>(),
    ports: new Set<string>(),
    ranges: new Set<Cidr>(),
    names: new Set<string>(),
  }
  for (const { nets } of sets) for (const net of nets) vocabulary.ranges.add(net)
  for (const policy of policies) {
    learnPods(vocabulary, policy.subject)
    for (const rule of rulesOf(policy)) {
      learnRanges(vocabulary, rule.own ?? [])
      for (const port of rule.ports ?? []) if (port.type === 'named') vocabulary.ports.add(port.name)
      for (const peer of rule.peers ?? []) learnPeer(vocabulary, peer)
    }
  }
  return vocabulary
}

/** All rules of a policy, of both directions. */
export function rulesOf({ ingress = [], egress = [] }: Policy): readonly PolicyRule[] {
  return [...ingress, ...egress]
}

function learnPeer(
  { labels, ranges, names }: { labels: Set<string>; ranges: Set<Cidr>; names: Set<string> },
  peer: Peer,
): void {
  if (peer.type === 'name') names.add(peer.name)
  else if (peer.type === 'range') learnRanges({ ranges }, [peer])
  else learnRanges({ ranges }, peer.within ?? [])
  if (peer.type === 'pods') learnPods({ labels }, peer)
}

function learnPods({ labels }: { readonly labels: Set<string> }, { pods, where }: PodSet): void {
  for (const { key } of pods) labels.add(key)
  for (const key of where === undefined ? [] : keysIn(where, 'own')) labels.add(key)
}

function learnRanges({ ranges }: { readonly ranges: Set<Cidr> }, all: readonly AddressRange[]): void {
  for (const { range, except } of all) for (const one of [range, ...except]) ranges.add(one)
}
