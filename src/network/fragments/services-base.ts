/**
 * What the stages of services have on every node, whichever services there are.
 *
 * A connection is translated on its client's node, in both directions: a pod's on the node it runs on, an outsider's on
 * the node whose port it called. So the first packet needs no other node's knowledge, and isolation is judged where the
 * endpoint is.
 * @module
 */
import type { Action, Flow, Match } from '../../flow/flow.ts'
import { type NodeContext, podNetworks, serviceNetworks } from '../context.ts'
import { type Family, familyOf, type Ip } from '../model/address.ts'
import { type FlowMaker, goto, holds, ipPacket, LATER_FRAGMENT, load, tracked } from '../pipeline/build.ts'
import { GATEWAY_PORT, ORIGIN, STAGES, type StageName, TRANSLATED_BY_NODE, ZONES } from '../pipeline/stages.ts'
import { NODE_PORT_ADDRESS, TURN_ADDRESS } from '../virtual-addresses.ts'

const FAMILIES: readonly Family[] = [4, 6]

/** The stages between a packet's sender and its route. */
export function translateStages(make: FlowMaker, context: NodeContext): Flow[] {
  const { flow } = make
  const through = [flow('translate', 0, {}, [goto('route')])]
  if (context.cluster.services !== 'weft') return [...through, ...unused(make)]
  return [...through, ...translate(make, context), ...balance(make), ...turn(make, context)]
}

/** Packets of a pod for this address of a node: its port may be a service's. */
export function nodeAddressFlow({ flow }: FlowMaker, address: Ip): Flow {
  const match = { ...ipPacket(familyOf(address), { to: address }), ...holds('origin', ORIGIN.pod) }
  return flow('translate', 100, match, [load('nodeAddress', 1), track('service', 'balance')])
}

/** The stages between a packet's permission and its delivery. */
export function untranslateStages({ flow }: FlowMaker, { cluster, routerMac }: NodeContext): Flow[] {
  const deliver = [goto('deliver')]
  if (cluster.services === 'weft') {
    return [
      ...FAMILIES.map((family) => flow('untranslate', 100, ipPacket(family), [track('service', 'deliver')])),
      flow('untranslate', 0, {}, deliver),
      flow('giveback', 0, {}, deliver),
    ]
  }
  const mark: Match = { ct_mark: TRANSLATED_BY_NODE, ...tracked('rpl') }
  return [
    flow('untranslate', 200, holds('destinationPort', GATEWAY_PORT), deliver),
    ...FAMILIES.map((family) =>
      flow('untranslate', 100, ipPacket(family), [{ op: 'ct', zone: ZONES.proxy, table: STAGES.giveback.table }]),
    ),
    flow('untranslate', 0, {}, deliver),
    flow('giveback', 100, mark, [
      load('destinationPort', GATEWAY_PORT),
      { op: 'set', field: 'eth_dst', value: routerMac },
      goto('deliver'),
    ]),
    flow('giveback', 0, {}, deliver),
  ]
}

/** How a pod's packet goes on that comes back from the node's own stack: there kube-proxy may have translated it. */
export function backFromNode({ cluster }: NodeContext): Action {
  if (cluster.services === 'weft') return goto('translate')
  return {
    op: 'ct',
    commit: true,
    zone: ZONES.proxy,
    table: STAGES.route.table,
    exec: [{ op: 'set', field: 'ct_mark', value: TRANSLATED_BY_NODE }],
  }
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
  const toService = [track('service', 'balance')]
  return [
    ...FAMILIES.flatMap((family) => [
      flow('translate', 200, ipPacket(family, { to: TURN_ADDRESS[family] }), [
        load('turned', 1),
        track('turn', 'route'),
      ]),
      ...[...serviceNetworks(context.cluster, family), NODE_PORT_ADDRESS[family]].map((to) =>
        flow('translate', 150, ipPacket(family, { to }), toService),
      ),
    ]),
    ...context.self.addresses.map((address) => nodeAddressFlow(make, address)),
  ]
}

function balance({ flow, drop }: FlowMaker): Flow[] {
  const isNodeAddress = holds('nodeAddress', 1)
  return [
    // A pod's answer to somebody's connection from a node looks invalid here: nothing but services is tracked.
    flow('balance', 310, { ...tracked('inv'), ...isNodeAddress }, [goto('turn')]),
    drop('invalid-connection', 300, tracked('inv')),
    flow('balance', 200, tracked('est'), [goto('turn')]),
    flow('balance', 200, tracked('rel'), [goto('turn')]),
    flow('balance', 50, isNodeAddress, [goto('turn')]),
    ...FAMILIES.map((family) =>
      drop('service-fragment', 40, { ...tracked('new'), ...ipPacket(family), ...LATER_FRAGMENT }),
    ),
    drop('no-such-service', 0, {}),
  ]
}

function turn({ flow, drop }: FlowMaker, context: NodeContext): Flow[] {
  const fromNode = holds('origin', ORIGIN.gateway)
  return [
    ...FAMILIES.flatMap((family) => [
      ...podNetworks(context.cluster, family).map((to) =>
        flow('turn', 200, { ...fromNode, ...ipPacket(family, { to }) }, [goto('route')]),
      ),
      flow('turn', 100, { ...fromNode, ...ipPacket(family) }, turnAround(family)),
      drop('unknown-turn', 310, ipPacket(family, { to: TURN_ADDRESS[family] })),
    ]),
    flow('turn', 0, {}, [goto('route')]),
  ]
}

/** Stages that no packet meets have a way out all the same. */
function unused({ flow, drop }: FlowMaker): Flow[] {
  return [drop('no-such-service', 0, {}), flow('turn', 0, {}, [goto('route')])]
}

function track(zone: keyof typeof ZONES, table: StageName): Action {
  return { op: 'ct', zone: ZONES[zone], nat: {}, table: STAGES[table].table }
}
