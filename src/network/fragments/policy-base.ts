/**
 * What the stages of policies have on every node, whichever policies there are: who passes them, and where a packet goes
 * that no policy speaks of. What a packet means to a policy is known in `sender`, `receiver` and `firewall`; flows of
 * the pods that policies speak of are there at priority 100.
 * @module
 */
import type { Flow, Match } from '../../flow/flow.ts'
import { type NodeContext, podNetworks, serviceNetworks } from '../context.ts'
import { type Family, familyOf } from '../model/address.ts'
import { type FlowMaker, FRAGMENT, goto, holds, holdsAll, ICMPV6_ERRORS, ipPacket, tracked } from '../pipeline/build.ts'
import { ORIGIN, type StageName } from '../pipeline/stages.ts'
import { ALLOWED } from './tracking.ts'

const FAMILIES: readonly Family[] = [4, 6]

/** An error about a connection that is allowed; one about another, which anybody can make up, is judged as what it is. */
const ABOUT_ALLOWED: Match = { ...tracked('rel'), ...ALLOWED }

/** The policy stages of every node. */
export function policyStages(make: FlowMaker, context: NodeContext): Flow[] {
  const { flow } = make
  const passes = (stage: StageName, next: StageName): Flow => flow(stage, 0, {}, [goto(next)])
  return [
    ...sender(make),
    passes('egressAdmin', 'egress'),
    passes('egress', 'egressBaseline'),
    passes('egressBaseline', 'route'),
    ...firewall(make, context),
    passes('firewallRules', 'receiver'),
    ...receiver(make, context),
    passes('ingressAdmin', 'ingress'),
    passes('ingress', 'ingressBaseline'),
    passes('ingressBaseline', 'commit'),
  ]
}

/** Policies decide about connections. Their answers, and errors about them, follow. */
function sender({ flow, drop }: FlowMaker): Flow[] {
  const on = [goto('route')]
  return [
    ...followers().map((match) => flow('sender', 280, match, on)),
    // A pod may always hear from itself.
    flow('sender', 350, holds('turned', 1), on),
    flow('sender', 310, ABOUT_ALLOWED, on),
    flow('sender', 300, { ...tracked('rpl'), ...ALLOWED }, on),
    drop('unasked-answer', 290, tracked('rpl')),
    flow('sender', 0, {}, on),
  ]
}

/** Pods' addresses are inside, and so are the node's own among them; kube-proxy leads a service's address inside. */
function firewall({ flow }: FlowMaker, { cluster }: NodeContext): Flow[] {
  // Behind the node there may be a pod of its own on the physical network, which policies speak of.
  const on = [goto('receiver')]
  const inside = FAMILIES.flatMap((family) =>
    [...podNetworks(cluster, family), ...serviceNetworks(cluster, family)].map((to) => ipPacket(family, { to })),
  )
  return [
    ...[...noConnections(), ...followers(), ...inside].map((match) => flow('firewall', 300, match, on)),
    flow('firewall', 0, {}, on),
  ]
}

/** A node must be able to probe its pods; what comes by a node port may have its address too. */
function receiver({ flow }: FlowMaker, { self, ranges }: NodeContext): Flow[] {
  const on = [goto('commit')]
  const own = [...new Set([...self.addresses, ...ranges.map(({ gateway }) => gateway)])]
  const fromNode = holdsAll({ origin: ORIGIN.gateway, fromOutside: 0 })
  return [
    ...[...noConnections(), ...followers()].map((match) => flow('receiver', 300, match, on)),
    // A pod's to itself, or the node's own; what comes by a node port is neither.
    flow('receiver', 300, holdsAll({ turned: 1, fromOutside: 0 }), on),
    ...own.map((from) => flow('receiver', 200, { ...ipPacket(familyOf(from), { from }), ...fromNode }, on)),
    flow('receiver', 0, {}, on),
  ]
}

/** Packets that open no connection. */
function noConnections(): readonly Match[] {
  return [...ICMPV6_ERRORS, tracked('rpl'), ABOUT_ALLOWED]
}

/**
 * Fragments that have no ports to be judged by, of connections that are allowed: they are worth nothing without their
 * datagram's first, which is judged.
 */
function followers(): readonly Match[] {
  return FAMILIES.map((family) => ({ ...ipPacket(family), ...FRAGMENT.later, ...ALLOWED }))
}
