/**
 * Makes a case small enough to be read: what can be left out without making it right is left out.
 * @module
 */
import type { Peer, Policy, PolicyRule } from '../../src/network/model/policy.ts'

/** The smallest list of policies found for which `isWrong` still holds. */
export async function shrink(
  policies: readonly Policy[],
  isWrong: (policies: readonly Policy[]) => Promise<boolean>,
  budget = 200,
): Promise<readonly Policy[]> {
  let smallest = policies
  let left = budget
  for (let again = true; again; ) {
    again = false
    for (const candidate of without(smallest, smallerPolicies)) {
      if (left <= 0) return smallest
      left -= 1
      if (!(await isWrong(candidate))) continue
      smallest = candidate
      again = true
      break
    }
  }
  return smallest
}

/** A list without one of its elements, then with one of them smaller. */
function* without<T>(list: readonly T[], smaller: (one: T) => Iterable<T>): Generator<readonly T[]> {
  for (const i of list.keys()) yield list.toSpliced(i, 1)
  for (const [i, one] of list.entries()) for (const less of smaller(one)) yield list.with(i, less)
}

function* smallerPolicies(policy: Policy): Generator<Policy> {
  for (const direction of ['ingress', 'egress'] as const) {
    const { [direction]: rules, ...rest } = policy
    if (rules === undefined) continue
    yield rest
    for (const less of without(rules, smallerRules)) yield { ...policy, [direction]: less }
  }
  if (policy.subject.pods.length > 0) yield { ...policy, subject: { ...policy.subject, pods: [] } }
}

function* smallerRules(rule: PolicyRule): Generator<PolicyRule> {
  const { peers, ports, ...rest } = rule
  if (peers !== undefined && peers.length > 1) {
    for (const less of without(peers, smallerPeers)) yield { ...rule, peers: less }
  } else if (peers?.[0] !== undefined) for (const less of smallerPeers(peers[0])) yield { ...rule, peers: [less] }
  if (ports !== undefined && ports.length > 1) {
    for (const i of ports.keys()) yield { ...rule, ports: ports.toSpliced(i, 1) }
  } else if (ports !== undefined) yield peers === undefined ? rest : { ...rest, peers }
}

function* smallerPeers(peer: Peer): Generator<Peer> {
  if (peer.type === 'range') {
    for (const i of peer.except.keys()) yield { ...peer, except: peer.except.toSpliced(i, 1) }
  }
  if (peer.type === 'pods' && peer.pods.length > 0) yield { ...peer, pods: [] }
}
