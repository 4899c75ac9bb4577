/**
 * Drops that policies cause. Their flows' objects are titled by policy and rule, or by what isolates.
 * @module
 */
import type { DropName } from '../../../network/pipeline/drops.ts'
import { type Clause, connection, owner, receiver, sender } from './place.ts'

export const POLICIES = {
  'egress-denied': (p) => `${owner(p)} denies ${sender(p)} to open ${connection(p)} of ${receiver(p)}`,
  'egress-isolated': (p) =>
    `no rule lets ${sender(p)} open ${connection(p)} of ${receiver(p)}, and the ${owner(p)} ends what no rule allows`,
  'ingress-denied': (p) => `${owner(p)} denies that ${sender(p)} opens ${connection(p)} of ${receiver(p)}`,
  'ingress-isolated': (p) =>
    `no rule lets ${receiver(p)} take ${connection(p)} from ${sender(p)}, and the ${owner(p)} ends what no rule allows`,
  'firewall-denied': (p) => `${owner(p)} denies what ${sender(p)} sends to ${receiver(p)} outside the cluster`,
  'firewall-ambiguous': (p) =>
    `the namespace of ${sender(p)} has more than one egress firewall, so nothing of it may leave: ${owner(p)}`,
  'firewall-unresolved': (p) =>
    `${owner(p)} denies a DNS name that ${p.node} could not resolve, and ${receiver(p)} may be what it stands for`,
  'policy-pending': (p) =>
    `${p.node} does not know yet which policies its new pod is subject to, and lets nothing through before: ${owner(p)}`,
} as const satisfies Partial<Record<DropName, Clause>>
