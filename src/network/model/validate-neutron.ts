/**
 * What Neutron's networks, nodes' ports and the use of them must be.
 * @module
 */
import { contains, type Mac, parseMac } from './address.ts'
import { type At, below, type Decode, type Decoded, decodeWith, reject, shown } from './decode.ts'
import { address, checked, flag, integer, list, literal, network, optional, record, text } from './decoders.ts'
import { selector } from './labels.ts'
import { ifname, objectName, sandboxId } from './names.ts'
import {
  DEFAULT_POOL,
  type NeutronNetwork,
  type NeutronNetworkStatus,
  type NodePorts,
  type ParentChoice,
  type ParentPort,
  type PooledPort,
  type PoolProblem,
  type PoolSizes,
  type PoolSubnet,
  type PortAddress,
  type PortLease,
  type PortPool,
  type PortUse,
  type PortWish,
  type RestingPort,
} from './neutron.ts'
import type { PoolRoute } from './pool.ts'

/** The most ports of a pool, pools of a node, and of what is listed beside. */
export const MAX_POOL_PORTS = 1000
export const MAX_POOLS = 32
/** Of networks' pools, and of groups that pods ask for. */
export const MAX_POOL_PROBLEMS = 64
const MAX_PORTS_IN_USE = 8192
const MAX_SUBNETS = 64
const MAX_GROUPS = 64
const MAX_ADDRESSES = 32
const MAX_ROUTES = 100
const MAX_NAMESERVERS = 16
/** Of a sentence for people. */
export const MAX_NEUTRON_PROBLEM = 1024
const MAX_VLAN = 4094
const DAY_S = 86_400

const ID = /^[!-~]{1,160}$/
/** An object of Neutron's, or an address of a port; the API makes no promise about their form. */
const id: Decode<string> = (input, at) =>
  typeof input === 'string' && ID.test(input)
    ? input
    : reject(at, `${shown(input)} cannot be an id`, '1 to 160 printable ASCII characters without blanks')

const mac: Decode<Mac> = (input, at) =>
  (typeof input === 'string' ? parseMac(input) : undefined) ??
  reject(at, `${shown(input)} is not a MAC address`, 'give one such as fa:16:3e:00:00:01')

/** Neutron's ids and names alike. */
const reference = text(1, 255)
const groups = list(reference, MAX_GROUPS)
const code = text(1, 64)
const sentence = text(1, MAX_NEUTRON_PROBLEM)
const count = integer(0, Number.MAX_SAFE_INTEGER)
const moment = checked(text(1, 40), (value, at) => {
  if (Number.isNaN(Date.parse(value))) reject(at, `${shown(value)} is no moment`, 'give one as RFC 3339 has it')
})

const status: Decode<NeutronNetworkStatus> = record<NeutronNetworkStatus>({
  ready: flag,
  reason: optional(code),
  problem: optional(sentence),
  networkId: optional(id),
  nodes: count,
  ports: count,
  leased: count,
})

const sizes: Decode<Partial<PoolSizes>> = checked(
  record<Partial<PoolSizes>>({
    min: optional(integer(0, MAX_POOL_PORTS)),
    max: optional(integer(1, MAX_POOL_PORTS)),
    batch: optional(integer(1, MAX_POOL_PORTS)),
  }),
  ({ min, max }, at) => {
    const most = max ?? Math.max(DEFAULT_POOL.max, min ?? 0)
    if (min !== undefined && min > most) reject(below(at, 'min'), `${min} is more than max, ${most}`, 'give less')
  },
)

const parent: Decode<ParentChoice> = record<ParentChoice>({ mac: optional(mac), network: optional(reference) })

const neutronNetwork: Decode<NeutronNetwork> = record<NeutronNetwork>({
  name: objectName,
  network: reference,
  subnets: optional(list(id, MAX_SUBNETS)),
  mode: optional(literal('auto', 'pair', 'fixed', 'trunk')),
  pool: optional(sizes),
  securityGroups: optional(groups),
  nodes: optional(selector),
  parent: optional(parent),
  status: optional(status),
})

const route: Decode<PoolRoute> = record<PoolRoute>({ destination: network, gateway: address })

const subnet: Decode<PoolSubnet> = record<PoolSubnet>({
  id,
  cidr: network,
  gateway: optional(address),
  routes: list(route, MAX_ROUTES),
  nameservers: list(address, MAX_NAMESERVERS),
})

const port: Decode<PooledPort> = record<PooledPort>({
  id,
  mac,
  addresses: list(record<PortAddress>({ address, subnetId: id }), MAX_ADDRESSES),
  vlan: optional(integer(1, MAX_VLAN)),
  groups: optional(groups),
  withdrawn: optional(literal(true)),
})

const pool: Decode<PortPool> = checked(
  record<PortPool>({
    network: objectName,
    networkId: id,
    mode: literal('pair', 'fixed', 'trunk'),
    parent: record<ParentPort>({
      portId: id,
      mac,
      own: optional(list(address, MAX_POOL_PORTS)),
      asked: optional(integer(1, 2 * MAX_POOL_PORTS)),
    }),
    mtu: integer(68, 65_535),
    subnets: list(subnet, MAX_SUBNETS),
    groups,
    ports: list(port, MAX_POOL_PORTS),
  }),
  ({ mode: how, subnets, ports }, at) => {
    onePer(ports, ({ id: one }) => one, below(at, 'ports'))
    const ranges = new Map(subnets.map((one) => [one.id, one.cidr]))
    for (const [index, { vlan, addresses }] of ports.entries()) {
      const place = below(below(at, 'ports'), index)
      if ((vlan === undefined) === (how === 'trunk')) {
        reject(below(place, 'vlan'), `is ${shown(vlan)} in mode ${how}`, 'ports of trunks have one, others none')
      }
      for (const { address: one, subnetId } of addresses) {
        const range = ranges.get(subnetId)
        if (range === undefined) reject(place, `the subnet of ${one} is not among the pool's`, 'add the subnet')
        else if (!contains(range, one)) reject(place, `${one} is not in ${range}`, 'give one that is')
      }
    }
  },
)

const problem: Decode<PoolProblem> = record<PoolProblem>({
  network: objectName,
  groups: optional(groups),
  reason: code,
  problem: sentence,
  retryAfter: optional(integer(0, DAY_S)),
})

const nodePorts: Decode<NodePorts> = checked(
  record<NodePorts>({ node: objectName, pools: list(pool, MAX_POOLS), problems: list(problem, MAX_POOL_PROBLEMS) }),
  ({ pools, problems }, at) => {
    onePer(pools, ({ network: name }) => name, below(at, 'pools'))
    onePer(
      problems,
      ({ network: name, groups: asked }) => JSON.stringify(asked === undefined ? [name] : [name, asked]),
      below(at, 'problems'),
    )
  },
)

const lease: Decode<PortLease> = record<PortLease>({
  id,
  sandbox: sandboxId,
  ifname,
  pod: optional(text(1, 320)),
  since: optional(moment),
})

const wish: Decode<PortWish> = record<PortWish>({
  network: objectName,
  groups: optional(groups),
  n: integer(1, MAX_POOL_PORTS),
})

const portUse: Decode<PortUse> = checked(
  record<PortUse>({
    node: objectName,
    leased: list(lease, MAX_PORTS_IN_USE),
    resting: list(record<RestingPort>({ id, until: moment }), MAX_PORTS_IN_USE),
    given: list(id, MAX_PORTS_IN_USE),
    wants: list(wish, MAX_POOLS * MAX_GROUPS),
  }),
  ({ leased, resting, given }, at) => {
    onePer(leased, (one) => one.id, below(at, 'leased'))
    const held = new Set([...leased, ...resting].map((one) => one.id))
    for (const [index, one] of given.entries()) {
      if (held.has(one)) reject(below(below(at, 'given'), index), `${shown(one)} is in use`, 'give back what is free')
    }
  },
)

/** The network in this input, or what is wrong with it. */
export function decodeNeutronNetwork(input: unknown): Decoded<NeutronNetwork> {
  return decodeWith(neutronNetwork, input)
}

/** The node's ports in this input, or what is wrong with them. */
export function decodeNodePorts(input: unknown): Decoded<NodePorts> {
  return decodeWith(nodePorts, input)
}

/** What a node does with its ports, in this input, or what is wrong with it. */
export function decodePortUse(input: unknown): Decoded<PortUse> {
  return decodeWith(portUse, input)
}

function onePer<T>(items: readonly T[], keyOf: (item: T) => string, at: At): void {
  const seen = new Set<string>()
  for (const [index, item] of items.entries()) {
    const key = keyOf(item)
    if (seen.has(key)) reject(below(at, index), `${shown(key)} is there twice`, 'give it once')
    seen.add(key)
  }
}
