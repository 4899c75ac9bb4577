/**
 * What the stages of services have on every node, whichever services there are.
 *
 * A connection is translated on its client's node, in both directions: a pod's on the node it runs on, an outsider's on
 * the node whose port it called. So the first packet needs no other node's knowledge, and isolation is judged where the
 * endpoint is.
 * @module
 */
import type { Action, Flow } from '../../flow/flow.ts'
import { calledNetworks, type NodeContext, podNetworks } from '../context.ts'
import { type Family, familyOf, type Ip } from '../model/address.ts'
import {
  type FlowMaker,
  FRAGMENT,
  goto,
  holds,
  ICMPV6_ERRORS,
  INVALID,
  ipPacket,
  load,
  PROTO_SCTP,
  tracked,
} from '../pipeline/build.ts'
import { ORIGIN, REGISTERS, STAGES, type StageName, ZONES } from '../pipeline/stages.ts'
import { NODE_PORT_ADDRESS, TURN_ADDRESS } from '../virtual-addresses.ts'

const FAMILIES: readonly Family[] = [4, 6]

/** The stages between a packet's sender and its route. */
export function translateStages(make: FlowMaker, context: NodeContext): Flow[] {
  const { flow } = make
  const through = [flow('translate', 0, {}, [goto('track')])]
  if (context.cluster.services !== 'weft') return [...through, ...unused(make)]
  return [...through, ...translate(make, context), ...balance(make, context), ...turn(make, context)]
}

/**
 * Packets of a pod for this address of a node: its port may be a service's. Fragments pass: they would have to be held
 * before anybody knows whether they are for a service.
 */
export function nodeAddressFlows({ flow }: FlowMaker, address: Ip): Flow[] {
  const match = { ...ipPacket(familyOf(address), { to: address }), ...holds('origin', ORIGIN.pod) }
  return [
    flow('translate', 110, { ...match, ...FRAGMENT.any }, [goto('track')]),
    flow('translate', 100, match, [load('nodeAddress', 1), track('service', 'balance')]),
  ]
}

/** Gives a packet that leads back to its sender another source. */
export function turnAround(family: Family): readonly Action[] {
  return [
    load('turned', 1),
    {
      op: 'ct',
      commit: true,
      zone: ZONES.turn,
      nat: { direction: 'src', address: { min: TURN_ADDRESS[family] } },
      table: STAGES.route.table,
    },
  ]
}

function translate(make: FlowMaker, context: NodeContext): Flow[] {
  const { flow } = make
  const toService = track('service', 'balance')
  return [
    ...ICMPV6_ERRORS.map((error) => flow('translate', 300, error, [goto('track')])),
    ...FAMILIES.flatMap((family) => [
      flow('translate', 200, ipPacket(family, { to: TURN_ADDRESS[family] }), [
        load('turned', 1),
        track('turn', 'track'),
      ]),
      ...calledNetworks(context, family).map((to) => flow('translate', 150, ipPacket(family, { to }), [toService])),
      flow('translate', 150, ipPacket(family, { to: NODE_PORT_ADDRESS[family] }), [load('fromOutside', 1), toService]),
    ]),
    ...[...context.self.addresses, ...context.ranges.map(({ gateway }) => gateway)].flatMap((address) =>
      nodeAddressFlows(make, address),
    ),
  ]
}

/** In user space SCTP is tracked by addresses alone: a service's port would be left as it is. */
function balance(make: FlowMaker, context: NodeContext): Flow[] {
  const { flow, drop } = make
  const isNodeAddress = holds('nodeAddress', 1)
  return [
    // It need not be for a service: what is no connection to one goes on to the node as it is.
    flow('balance', 310, { ...INVALID, ...isNodeAddress }, [goto('turn')]),
    ...(context.datapath === 'netdev' ? FAMILIES : []).map((family) =>
      drop('sctp-untracked', 305, { ...holds('nodeAddress', 0), ...ipPacket(family), ip_proto: PROTO_SCTP }),
    ),
    drop('invalid-connection', 300, INVALID),
    flow('balance', 200, tracked('est'), [goto('turn')]),
    flow('balance', 200, tracked('rel'), [goto('turn')]),
    // Until somebody answers, a connection's next packets are as new as its first; they have their endpoint already.
    flow('balance', 200, tracked('new', 'dnat'), [goto('turn')]),
    flow('balance', 50, isNodeAddress, [goto('turn')]),
    ...FAMILIES.flatMap((family) => holdFragments(make, family)),
    drop('no-such-service', 0, {}),
  ]
}

/**
 * The fragments of a connection's first datagram. In user space connection tracking puts a datagram together anew at
 * every step, from fragments that came the same way; what the last of them asks for is done to the whole, and only the
 * first fragment knows the port. So the others wait at the step behind `turn`, and the first takes a detour through a
 * zone of its own, to be the last there. A register written on the way would part them.
 */
function holdFragments({ flow, drop }: FlowMaker, family: Family): Flow[] {
  const fresh = { ...tracked('new'), ...ipPacket(family) }
  const detour: Action = { op: 'ct', zone: ZONES.hold, table: STAGES.balance.table }
  return [
    flow('balance', 120, { ...fresh, ct_zone: ZONES.service, ...FRAGMENT.first }, [detour]),
    flow('balance', 120, { ...fresh, ct_zone: ZONES.service, ...FRAGMENT.later }, [
      { op: 'clone', actions: [track('service', 'turn')] },
      detour,
    ]),
    drop('held-fragment', 120, { ...fresh, ct_zone: ZONES.hold, ...FRAGMENT.later }),
  ]
}

function turn({ flow, drop }: FlowMaker, context: NodeContext): Flow[] {
  const fromNode = holds('origin', ORIGIN.gateway)
  const fromGuest = holds('guest', 1)
  return [
    ...FAMILIES.flatMap((family) => [
      // A guest is its tenant's, whosever the service: as a pod is.
      ...podNetworks(context.cluster, family).map((to) =>
        flow('turn', 210, { ...fromGuest, ...ipPacket(family, { to }) }, [goto('track')]),
      ),
      ...podNetworks(context.cluster, family).map((to) =>
        flow('turn', 200, { ...fromNode, ...ipPacket(family, { to }) }, [
          { op: 'move', from: { field: 'ct_mark', offset: 0, bits: 32 }, to: REGISTERS.sourceVni },
          goto('track'),
        ]),
      ),
      flow('turn', 100, { ...fromNode, ...ipPacket(family) }, turnAround(family)),
      drop('unknown-turn', 310, ipPacket(family, { to: TURN_ADDRESS[family] })),
    ]),
    flow('turn', 0, {}, [goto('track')]),
  ]
}

/** Stages that no packet meets have a way out all the same. */
function unused({ flow, drop }: FlowMaker): Flow[] {
  return [drop('no-such-service', 0, {}), flow('turn', 0, {}, [goto('track')])]
}

function track(zone: keyof typeof ZONES, table: StageName): Action {
  return { op: 'ct', zone: ZONES[zone], nat: {}, table: STAGES[table].table }
}
