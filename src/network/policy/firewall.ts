/**
 * The egress firewall of a namespace: ordered rules for connections of its pods that leave the cluster.
 * @module
 */
import type { Action, Flow, Match } from '../../flow/flow.ts'
import { familyOf, hostCidr, type Ip } from '../model/address.ts'
import { type Peer, type Policy, type PolicyRule, policyKey } from '../model/policy.ts'
import { flowsOf, goto, holds, ipPacket } from '../pipeline/build.ts'
import type { DropName } from '../pipeline/drops.ts'
import { refusals, rowKey } from './class-flows.ts'
import { priorityOf } from './levels.ts'
import { portTerms } from './port-terms.ts'
import { without } from './ranges.ts'
import { ruleKey } from './rule-names.ts'

/** A namespace's firewall. */
export interface Firewall {
  readonly namespace: string
  readonly key: string
  readonly id: number
  readonly policies: readonly Policy[]
  /** Addresses of a DNS name; undefined while nobody knows. */
  readonly resolve: (name: string) => readonly Ip[] | undefined
  readonly revoke: Action
}

/** The key of the fragment of a namespace's firewall. */
export function firewallKey(namespace: string): string {
  return `policy-firewall/${namespace}`
}

/** The flows of a firewall. With two policies nobody knows which counts: nothing leaves. */
export function firewallFlows(firewall: Firewall): readonly Flow[] {
  const own = holds('policyClass', firewall.id)
  const [policy, other] = firewall.policies
  if (policy === undefined) return []
  if (other !== undefined) {
    const log = firewall.policies.some((one) => one.log === true)
    return refusals(
      flowsOf(firewall.key),
      { ...firewall, log },
      'firewall-ambiguous',
      'firewallRules',
      priorityOf(0),
      own,
    )
  }
  const rows = new Map<string, Flow>()
  for (const [index, rule] of (policy.egress ?? []).entries()) {
    for (const flow of ruleFlows(firewall, policy, rule, index, own)) {
      rows.set(rowKey(flow), flow)
    }
  }
  return [...rows.values()]
}

function ruleFlows(firewall: Firewall, policy: Policy, rule: PolicyRule, index: number, own: Match): readonly Flow[] {
  const make = flowsOf(ruleKey(policyKey(policy), 'egress', index))
  const priority = priorityOf(index)
  const refuse = (reason: DropName, match: Match) =>
    refusals(make, { ...firewall, log: policy.log === true }, reason, 'firewallRules', priority, { ...own, ...match })
  const isUnknown = rule.action === 'deny' && (rule.peers ?? []).some((peer) => isUnresolved(firewall, peer))
  if (isUnknown) return refuse('firewall-unresolved', {})
  return destinations(firewall, rule).flatMap((destination) =>
    portTerms(rule.ports).flatMap((port) => {
      if (port.eth_type !== undefined && destination.eth_type !== undefined && port.eth_type !== destination.eth_type)
        return []
      const match = { ...destination, ...port }
      if (rule.action === 'deny') return refuse('firewall-denied', match)
      return [make.flow('firewallRules', priority, { ...own, ...match }, [goto('receiver')])]
    }),
  )
}

function isUnresolved({ resolve }: Firewall, peer: Peer): boolean {
  return peer.type === 'name' && resolve(peer.name) === undefined
}

function destinations({ resolve }: Firewall, { peers }: PolicyRule): readonly Match[] {
  if (peers === undefined) return [{}]
  return peers.flatMap((peer): readonly Match[] => {
    if (peer.type === 'pods' || peer.type === 'sets') return []
    const ranges =
      peer.type === 'range'
        ? without(peer.range, peer.except)
        : (resolve(peer.name) ?? []).map((address) => hostCidr(address))
    return ranges.map((to) => ipPacket(familyOf(to), { to }))
  })
}
