/**
 * What a bridge of ours on the physical network has, whoever is on it. Its switching stays Open vSwitch's own (`NORMAL`):
 * these flows only say what does not get there.
 * @module
 */
import type { Flow } from '../../flow/flow.ts'
import { LOOPBACK, MULTICAST, type NodeContext } from '../context.ts'
import { rogueWords } from '../fragments/base.ts'
import { BASE_KEY, type Fragment } from '../fragments/fragment.ts'
import { policyStages } from '../fragments/policy-base.ts'
import { commitStage, unfinishedDatagrams, zoneOf } from '../fragments/tracking.ts'
import type { Family } from '../model/address.ts'
import { ETH_IPV4, type FlowMaker, flowsOf, goto, ICMPV6_ERRORS, icmpv6, ipPacket, load } from '../pipeline/build.ts'
import { ORIGIN, STAGES } from '../pipeline/stages.ts'

const FAMILIES: readonly Family[] = [4, 6]
/** `OFPP_LOCAL`: the bridge's own interface, which is the node's. */
const LOCAL_PORT = 0xfffffffe
const FIREWALL_TABLES: ReadonlySet<number> = new Set([STAGES.firewall.table, STAGES.firewallRules.table])

/** The base fragment of a bridge on the physical network. */
export function wireBase(context: NodeContext): Fragment {
  const make = flowsOf(BASE_KEY)
  const flows = [
    ...classify(make),
    ...guard(make),
    ...manners(make),
    ...track(make, context),
    ...policyStages(make, context).filter(({ table }) => !FIREWALL_TABLES.has(table)),
    make.flow('route', 0, {}, [goto('receiver')]),
    ...commitStage(make, context),
    make.flow('giveback', 0, {}, [goto('deliver')]),
    ...unfinishedDatagrams(make).filter(({ table }) => USED.has(table)),
    make.flow('deliver', 0, {}, [{ op: 'output', port: 'normal' }]),
  ]
  return { key: BASE_KEY, title: 'every bridge on the physical network', flows, groups: [] }
}

const USED: ReadonlySet<number> = new Set(
  (['track', 'sender', 'route', 'giveback', 'deliver'] as const).map((stage) => STAGES[stage].table),
)

/** Whoever is no pod of ours may say what it likes; what it says to our pods is judged. */
function classify({ flow }: FlowMaker): Flow[] {
  return [
    flow('classify', 200, { in_port: LOCAL_PORT }, [load('origin', ORIGIN.gateway), goto('track')]),
    flow('classify', 0, {}, [goto('track')]),
  ]
}

function guard({ drop }: FlowMaker): Flow[] {
  return [drop('spoofed-mac', 0, {})]
}

/** Neighbour messages that are true, and those by which a link is looked after, went on before. */
function manners({ flow, drop }: FlowMaker): Flow[] {
  return [
    ...rogueWords({ drop }),
    // Group membership, which switches on the way listen to, and questions for routers.
    ...[130, 131, 132, 133, 143].map((type) => flow('manners', 250, icmpv6(type), [goto('deliver')])),
    flow('manners', 250, { eth_type: ETH_IPV4, ip_proto: PROTO_IGMP }, [goto('deliver')]),
    drop('spoofed-nd', 200, icmpv6(135)),
    drop('spoofed-nd', 200, icmpv6(136)),
    ...FAMILIES.flatMap((family) => MULTICAST[family].map((to) => drop('multicast', 150, ipPacket(family, { to })))),
    ...FAMILIES.map((family) => drop('loopback', 120, ipPacket(family, { to: LOOPBACK[family] }))),
    flow('manners', 0, {}, [goto('track')]),
  ]
}

const PROTO_IGMP = 2

/** One pass of connection tracking, in the zone that the node's policies speak of. Nothing is translated here. */
function track({ flow }: FlowMaker, context: NodeContext): Flow[] {
  const look = { op: 'ct', zone: zoneOf(context), table: STAGES.sender.table } as const
  return [
    ...ICMPV6_ERRORS.map((error) => flow('track', 300, error, [goto('route')])),
    ...NEIGHBOUR_MESSAGES.map((type) => flow('track', 300, icmpv6(type), [goto('deliver')])),
    ...FAMILIES.map((family) => flow('track', 100, ipPacket(family), [look])),
    flow('track', 0, {}, [goto('deliver')]),
  ]
}

/** Solicitations and advertisements, of routers and neighbours: no connection is made by them. */
const NEIGHBOUR_MESSAGES = [133, 134, 135, 136] as const
