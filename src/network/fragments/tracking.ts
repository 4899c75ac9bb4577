/**
 * Connection tracking, once for every packet. The direction of a connection is known from its first packet on, so that
 * policies judge whoever opened it, and answers pass.
 * @module
 */
import type { Action, Flow, Match } from '../../flow/flow.ts'
import { type NodeContext, serviceNetworks } from '../context.ts'
import type { Family } from '../model/address.ts'
import {
  type FlowMaker,
  goto,
  holds,
  ICMPV6_ERRORS,
  INVALID,
  ipPacket,
  load,
  tracked,
  UNFINISHED,
} from '../pipeline/build.ts'
import {
  ALLOWED_LABEL,
  GATEWAY_PORT,
  ORIGIN,
  REGISTERS,
  STAGES,
  TRANSLATED_BY_NODE,
  TUNNEL_PORT,
  ZONES,
} from '../pipeline/stages.ts'

const FAMILIES: readonly Family[] = [4, 6]

/** A packet of a connection that was allowed here. */
export const ALLOWED: Match = { ct_label: ALLOWED_LABEL }

/** Sends what is about to be routed through connection tracking. */
export function trackStage({ flow }: FlowMaker, context: NodeContext): Flow[] {
  const zone = zoneOf(context)
  const look: Action = { op: 'ct', zone, ...(byKubeProxy(context) ? {} : { nat: {} }), table: STAGES.sender.table }
  return [
    // In user space address translation damages ICMPv6 errors (the MTU, or the address in the packet they quote).
    ...ICMPV6_ERRORS.map((error) => flow('track', 300, error, [goto('route')])),
    flow('track', 200, { ...tracked(), ct_zone: zone }, [goto('sender')]),
    ...(byKubeProxy(context) ? askedOfKubeProxy(context) : []).map((match) =>
      flow('track', 150, match, [{ ...look, table: STAGES.route.table }]),
    ),
    ...FAMILIES.map((family) => flow('track', 100, ipPacket(family), [look])),
    flow('track', 0, {}, [goto('route')]),
  ]
}

/**
 * Remembers connections from the first packet that got this far. A service's are known since it chose an endpoint, but
 * not allowed before they are here.
 */
export function commitStage({ flow }: FlowMaker, context: NodeContext): Flow[] {
  const zone = zoneOf(context)
  const on = [goto('giveback')]
  const allow: Action = { op: 'set', field: 'ct_label', ...ALLOWED_LABEL }
  const mark: Action = { op: 'set', field: 'ct_mark', value: TRANSLATED_BY_NODE }
  const remember = (...exec: readonly Action[]): Action[] => [
    { op: 'ct', commit: true, zone, exec, table: STAGES.giveback.table },
  ]
  const ours = (family: Family): Match => ({ ...tracked(), ...ipPacket(family), ct_zone: zone })
  const byNode = holds('byNode', 1)
  return [
    flow('commit', 300, INVALID, on),
    flow('commit', 300, tracked('rpl'), on),
    flow('commit', 300, tracked('rel'), on),
    ...(byKubeProxy(context)
      ? [
          flow('commit', 260, { ...ALLOWED, ct_mark: TRANSLATED_BY_NODE }, on),
          ...FAMILIES.map((family) => flow('commit', 250, { ...ours(family), ...byNode }, remember(allow, mark))),
        ]
      : []),
    flow('commit', 240, ALLOWED, on),
    ...FAMILIES.map((family) => flow('commit', 200, ours(family), remember(allow))),
    flow('commit', 0, {}, on),
  ]
}

/** Ethernet header bytes that `check_pkt_larger` counts and an MTU does not. */
const ETHERNET = 14

/**
 * Hands answers of what kube-proxy translated to the node's stack, which knows the service's address. What goes into the
 * tunnel is measured on its way on: after connection tracking, which would part the fragments of a datagram by it.
 */
export function givebackStage({ flow }: FlowMaker, context: NodeContext): Flow[] {
  const answer: Match = { ct_mark: TRANSLATED_BY_NODE, ...tracked('rpl') }
  return [
    ...(byKubeProxy(context)
      ? [
          flow('giveback', 100, answer, [
            load('destinationPort', GATEWAY_PORT),
            { op: 'set', field: 'eth_dst', value: context.routerMac },
            goto('deliver'),
          ]),
        ]
      : []),
    flow('giveback', 50, holds('destinationPort', TUNNEL_PORT), [
      { op: 'check_pkt_larger', size: context.tunnelMtu + ETHERNET, to: REGISTERS.oversize },
      goto('fit'),
    ]),
    flow('giveback', 0, {}, [goto('deliver')]),
  ]
}

/**
 * Ends fragments that waited in vain for the rest of their datagram. In user space connection tracking lets them go with
 * whatever packet comes next, in its registers and at its stage: they would be delivered to that packet's receiver, of
 * whatever tenant. So this comes first in every stage right behind connection tracking.
 */
export function unfinishedDatagrams({ end }: FlowMaker): Flow[] {
  const stages = ['balance', 'turn', 'track', 'sender', 'route', 'giveback', 'deliver'] as const
  return stages.flatMap((stage) =>
    FAMILIES.map((family) => end('unfinished-datagram', stage, 400, { ...ipPacket(family), ...UNFINISHED })),
  )
}

/** Of a pod, for a service: it comes back with the address of the endpoint that kube-proxy chose. */
function askedOfKubeProxy({ cluster }: NodeContext): Match[] {
  const fromPod = holds('origin', ORIGIN.pod)
  return FAMILIES.flatMap((family) =>
    serviceNetworks(cluster, family).map((to) => ({ ...ipPacket(family, { to }), ...fromPod })),
  )
}

function byKubeProxy({ cluster }: NodeContext): boolean {
  return cluster.services === 'kube-proxy'
}

/** Takes the mark of an allowed connection away: its answers pass no more. */
export function revokePermission(context: NodeContext): Action {
  const { mask } = ALLOWED_LABEL
  return { op: 'ct', commit: true, zone: zoneOf(context), exec: [{ op: 'set', field: 'ct_label', value: 0n, mask }] }
}

/** The zone of all connections. */
export function zoneOf(context: NodeContext): number {
  return byKubeProxy(context) ? ZONES.proxy : ZONES.service
}
