/**
 * A service: which packets are for it, and the endpoints they may go to.
 * @module
 */
import type { Action, Bucket, Group, Match } from '../../flow/flow.ts'
import { calledNetworks, LINK_LOCAL_V6, type NodeContext } from '../context.ts'
import { type Cidr, cidr, contains, type Family, familyOf, hostCidr, type Ip } from '../model/address.ts'
import { type EndpointSlice, type Protocol, type Service, type ServicePort, serviceKey } from '../model/service.ts'
import { isHostAddress } from '../model/validate-cluster.ts'
import { isIn } from '../outside.ts'
import { tellAgent } from '../pipeline/answers.ts'
import { flowsOf, holds, holdsAll, ipPacket, PROTO_SCTP, PROTO_TCP, PROTO_UDP, tracked } from '../pipeline/build.ts'
import type { StableIds } from '../pipeline/stable-ids.ts'
import { STAGES, ZONES } from '../pipeline/stages.ts'
import { type Backend, backendsOf, type Scope, shareOf } from '../service/backends.ts'
import { bucketIds } from '../service/bucket-ids.ts'
import { NODE_PORT_ADDRESS, TURN_ADDRESS } from '../virtual-addresses.ts'
import { type Fragment, NO_TABLES, serviceFragmentKey } from './fragment.ts'

const LINK_LOCAL: { readonly [F in Family]: readonly Cidr[] } = { 4: [cidr('169.254.0.0/16')], 6: [LINK_LOCAL_V6] }
const PROTOCOLS: { readonly [P in Protocol]: number } = { TCP: PROTO_TCP, UDP: PROTO_UDP, SCTP: PROTO_SCTP }

/** What a service's fragment is made of. */
export interface ServiceInputs {
  readonly service: Service
  readonly slices: readonly EndpointSlice[]
  /** The VNI of the service's namespace; undefined while it has none. */
  readonly vni: number | undefined
  /** Whether the service has an address outside, for one of its ports. */
  has(address: Ip, port: ServicePort): boolean
}

/**
 * A message to the switch holds so many buckets and some. Where a service has more endpoints than this, every node leads to
 * a part of them, and each to another part.
 */
const MOST_BACKENDS = 500

/** The fragment of a service; empty when somebody else translates services, or while nobody's tenant stands behind it. */
export function serviceFragment(
  context: NodeContext,
  { service, slices, vni, has }: ServiceInputs,
  ids: StableIds,
): Fragment {
  const name = serviceKey(service.namespace, service.name)
  const key = serviceFragmentKey(name)
  const title = `service ${name}`
  if (context.cluster.services !== 'weft' || vni === undefined) return { key, title, ...NO_TABLES }
  const { flow, dropWith } = flowsOf(key)
  const groups = new Map<string, Group>()
  const flows = doorsOf(context, service, has).map(({ match, port, family, scope, priority = 100 }) => {
    const groupKey = `${name} ${port.protocol} ${port.port} IPv${family} ${scope}`
    const { node } = context.self
    const usable = backendsOf(slices, port, family, scope, node).filter(({ address }) => canServe(context, address))
    const backends = shareOf(usable, node, MOST_BACKENDS)
    if (backends.length === 0) return dropWith('no-service-endpoint', priority, match, [tellAgent('unreachable')])
    const isByClient = service.affinitySeconds !== undefined || port.protocol === 'UDP'
    const group =
      groups.get(groupKey) ?? groupOf(ids.of(groupKey), backends, vni, isByClient ? BY_CLIENT[family] : undefined)
    groups.set(groupKey, group)
    return flow('balance', priority, match, [{ op: 'group', group: group.id }])
  })
  return { key, title, flows, groups: [...groups.values()] }
}

/**
 * Whether an address can be an endpoint's. Tenants write endpoint slices: an address that leads back to the switch, or to
 * nobody, would send packets in circles.
 */
function canServe(context: NodeContext, address: Ip): boolean {
  const family = familyOf(address)
  const circles = [
    ...calledNetworks(context, family),
    hostCidr(NODE_PORT_ADDRESS[family]),
    hostCidr(TURN_ADDRESS[family]),
  ]
  return (
    isHostAddress(address) &&
    !LINK_LOCAL[family].some((network) => contains(network, address)) &&
    !circles.some((network) => contains(network, address))
  )
}

/** A way into a service, and the endpoints it leads to. Ways that lead to the same ones share a group. */
interface Door {
  readonly match: Match
  readonly port: ServicePort
  readonly family: Family
  readonly scope: Scope
  /** 100 when absent. */
  readonly priority?: number
}

function doorsOf({ outside }: NodeContext, service: Service, has: ServiceInputs['has']): readonly Door[] {
  const { clusterIps, externalIps = [], loadBalancerIps = [], ports } = service
  const isHeadless = clusterIps.length === 0
  const more = [
    ...externalIps.filter((address) => isIn(outside.externalIps, address)),
    ...loadBalancerIps.filter((address) => isIn(outside.loadBalancerIps, address)),
  ]
  return [
    ...clusterIps.flatMap((address) => ports.flatMap((port) => doorsAt(service, port, address))),
    ...clusterIps
      .filter((address) => isIn(outside.clusterIps, address))
      .flatMap((address) => ports.flatMap((port) => calledDoor(service, port, address))),
    ...(isHeadless ? [] : [...new Set(more)]).flatMap((address) =>
      ports.filter((port) => has(address, port)).flatMap((port) => doorsOutside(service, port, address)),
    ),
  ]
}

/** At the service's own address those outside are served by the endpoints that are told to them. */
function calledDoor({ internalPolicy, externalPolicy }: Service, port: ServicePort, address: Ip): readonly Door[] {
  if (externalPolicy === internalPolicy || internalPolicy === 'Local') return []
  return [{ ...outsideDoor(port, address), scope: externalPolicy }]
}

/** At an address outside: whoever is inside the cluster may be served by every endpoint. */
function doorsOutside({ externalPolicy }: Service, port: ServicePort, address: Ip): readonly Door[] {
  const family = familyOf(address)
  const inside: Door = { match: at(family, port.protocol, port.port, address), port, family, scope: 'Cluster' }
  return externalPolicy === 'Cluster' ? [inside] : [inside, { ...outsideDoor(port, address), scope: externalPolicy }]
}

function outsideDoor(port: ServicePort, address: Ip): Omit<Door, 'scope'> {
  const family = familyOf(address)
  const match = { ...at(family, port.protocol, port.port, address), ...holdsAll({ fromOutside: 1, guest: 0 }) }
  return { match, port, family, priority: 110 }
}

/** A port of the service at one of its addresses, and at the nodes' addresses of the same family. */
function doorsAt({ internalPolicy, externalPolicy }: Service, port: ServicePort, address: Ip): readonly Door[] {
  const family = familyOf(address)
  const inside = at(family, port.protocol, port.port, address)
  const cluster: Door = { match: inside, port, family, scope: internalPolicy }
  if (port.nodePort === undefined) return [cluster]
  const fromOutside = at(family, port.protocol, port.nodePort, NODE_PORT_ADDRESS[family])
  // Pods are inside the cluster, whichever way they come: for them every endpoint will do.
  const fromPods = { ...at(family, port.protocol, port.nodePort), ...holds('nodeAddress', 1) }
  return [
    cluster,
    { match: fromOutside, port, family, scope: externalPolicy },
    { match: fromPods, port, family, scope: 'Cluster' },
  ]
}

function groupOf(id: number, backends: readonly Backend[], vni: number, selection: Selection | undefined): Group {
  const numbers = bucketIds(backends.map(({ address, port }) => `${address} ${port}`))
  const buckets = backends.map((backend, i): Bucket => ({ id: numbers[i] ?? i, actions: [translateTo(backend, vni)] }))
  const group = { id, type: 'select', buckets } as const
  return selection === undefined ? group : { ...group, selection }
}

type Selection = NonNullable<Group['selection']>

/**
 * The endpoint is a function of the client's address: the same on every node and after every restart. When endpoints
 * come and go, only clients of those that left move, and those that a new one is now the choice of (rendezvous hashing,
 * which Open vSwitch does over bucket ids).
 *
 * UDP chooses this way too. The datapath's own hash leaves UDP ports out, so it would not spread one client's datagrams
 * either, and it takes a packet through its tables once more: fragments that did not all go the same way are never put
 * together again. A choice by port would ask ovs-vswitchd about every DNS query.
 */
const BY_CLIENT: { readonly [F in Family]: Selection } = {
  4: { method: 'hash', fields: ['ipv4_src'] },
  6: { method: 'hash', fields: ['ipv6_src'] },
}

/**
 * The first packet of a connection to a port. The port is matched as connection tracking knows it: later fragments of
 * a packet have none of their own.
 */
function at(family: Family, protocol: Protocol, port: number, address?: Ip): Match {
  return {
    ...tracked('new'),
    ...ipPacket(family, address === undefined ? {} : { to: address }),
    ct_nw_proto: PROTOCOLS[protocol],
    ct_tp_dst: port,
  }
}

/**
 * The connection is marked with the service's tenant. Who comes from outside or from the node itself comes in the
 * service's name: else a service could lead the world to other tenants' pods.
 */
function translateTo({ address, port }: Backend, vni: number): Action {
  return {
    op: 'ct',
    commit: true,
    zone: ZONES.service,
    nat: { direction: 'dst', address: { min: address }, port: { min: port } },
    exec: [{ op: 'set', field: 'ct_mark', value: vni }],
    table: STAGES.turn.table,
  }
}
