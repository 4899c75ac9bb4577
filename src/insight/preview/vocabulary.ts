/**
 * What policies can tell apart: the labels, port names, ranges and DNS names that they speak of.
 * @module
 */
import type { Cidr } from '../../network/model/address.ts'
import type { Peer, Policy, PolicyRule } from '../../network/model/policy.ts'

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
export function vocabularyOf(policies: Iterable<Policy>): Vocabulary {
  const vocabulary = {
    labels: new Set<string>(),
    ports: new Set<string>(),
    ranges: new Set<Cidr>(),
    names: new Set<string>(),
  }
  for (const policy of policies) {
    for (const { key } of policy.subject.pods) vocabulary.labels.add(key)
    for (const rule of rulesOf(policy)) {
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
  if (peer.type === 'pods') for (const { key } of peer.pods) labels.add(key)
  else if (peer.type === 'name') names.add(peer.name)
  else for (const range of [peer.range, ...peer.except]) ranges.add(range)
}
