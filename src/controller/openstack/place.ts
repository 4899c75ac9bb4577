/**
 * Everything that has to be known before a node can have ports of a network: the network, its subnets, the groups, the VM's port, the way
 * through it.
 * @module
 */
import { type Cidr, type Family, type Ip, type Mac, parseCidr, parseIp, parseMac } from '../../network/model/address.ts'
import {
  type AddressMode,
  type NeutronNetwork,
  type PoolSubnet,
  type PortPool,
  poolSizesOf,
} from '../../network/model/neutron.ts'
import type { Node } from '../../network/model/node.ts'
import type { Port, Subnet } from '../../openstack/neutron/model.ts'
import { chooseMode } from './choose-mode.ts'
import { type Cloud, REVISIONS } from './cloud.ts'
import { findParent } from './parent.ts'
import { PortsError } from './problem.ts'

/** Where a pool is. */
export interface Place {
  /** A pool without a port, as it is published. */
  readonly pool: PortPool
  /** Subnets that addresses may be asked of, by family; one of each is a port's. */
  readonly subnets: Readonly<Record<Family, readonly string[]>>
  /** The administrator named them: others of the network are not to be used. */
  readonly isNarrowed: boolean
}

/** Finds out where a node's pool is. `before` is the pool that there is: what was chosen once stays. */
export async function findPlace(
  cloud: Cloud,
  node: Node,
  wish: NeutronNetwork,
  before: PortPool | undefined,
): Promise<Place> {
  const network = await cloud.network(wish.network)
  const subnets = usableSubnets(await cloud.subnets(network.id), wish)
  const groups = await cloud.groups(wish.securityGroups ?? ['default'])
  const parentNetworkId = wish.parent?.network === undefined ? undefined : (await cloud.network(wish.parent.network)).id
  const { neutron } = cloud
  const parent = await findParent({
    neutron,
    node,
    wish,
    network,
    ...(parentNetworkId === undefined ? {} : { parentNetworkId }),
  })
  const mode = await modeOf(cloud, parent, wish, network.id, before)
  const usable =
    mode === 'fixed'
      ? subnets.filter(({ ipv6AddressMode }) => ipv6AddressMode === undefined || ipv6AddressMode === 'dhcpv6-stateful')
      : subnets
  if (usable.length === 0) {
    const remedy =
      'make a subnet in it, or correct spec.subnets of the NeutronNetwork (openstack subnet list --network ID)'
    throw new PortsError(
      'PORTS_NO_SUBNET',
      `network ${network.id} has no subnet that pods can get addresses of`,
      remedy,
    )
  }
  const known = new Map(before?.subnets.map((one) => [one.id, one]))
  for (const one of subnets) known.set(one.id, poolSubnet(one))
  return {
    pool: {
      network: wish.name,
      networkId: network.id,
      mode,
      parent: parentOf(parent, mode, before),
      mtu: network.mtu ?? 1500,
      subnets: [...known.values()],
      groups: mode === 'fixed' ? [...parent.securityGroups].sort() : groups,
      ports: [],
    },
    subnets: {
      4: usable.filter(({ family }) => family === 4).map(({ id }) => id),
      6: usable.filter(({ family }) => family === 6).map(({ id }) => id),
    },
    isNarrowed: wish.subnets !== undefined,
  }
}

/** The same way on as before, wherever that is one that the wish allows. */
async function modeOf(
  cloud: Cloud,
  parent: Port,
  wish: NeutronNetwork,
  networkId: string,
  before: PortPool | undefined,
): Promise<AddressMode> {
  const { mode = 'auto' } = wish
  if (mode === 'auto' && before?.parent.portId === parent.id && before.networkId === networkId) return before.mode
  return await chooseMode({
    ports: cloud.neutron.ports,
    parent,
    mode,
    networkId,
    max: poolSizesOf(wish).max,
    knowsRevisions: await cloud.has(REVISIONS),
  })
}

/** What is written down of its own addresses stays, or all that it has is its own. */
function parentOf({ id, mac, fixedIps }: Port, mode: AddressMode, before: PortPool | undefined): PortPool['parent'] {
  const base = { portId: id, mac: macOf(mac) }
  if (mode !== 'fixed') return base
  if (before?.mode === 'fixed' && before.parent.portId === id) return { ...before.parent, ...base }
  return { ...base, own: fixedIps.map(({ address }) => ipOf(address)) }
}

function usableSubnets(all: readonly Subnet[], { subnets }: NeutronNetwork): readonly Subnet[] {
  return subnets === undefined ? all : all.filter(({ id }) => subnets.includes(id))
}

function poolSubnet({ id, cidr, gateway, hostRoutes, nameservers }: Subnet): PoolSubnet {
  return {
    id,
    cidr: cidrOf(cidr),
    ...(gateway === undefined ? {} : { gateway: ipOf(gateway) }),
    routes: hostRoutes.flatMap(({ destination, nexthop }) => {
      const to = parseCidr(destination)
      return to === undefined ? [] : [{ destination: to, gateway: ipOf(nexthop) }]
    }),
    nameservers: nameservers.map(ipOf),
  }
}

/** Neutron's, whose decoder has looked at them. Throws for what cannot be. */
export function ipOf(text: string): Ip {
  return checked(parseIp(text), text)
}

/** As {@link ipOf}. */
export function macOf(text: string): Mac {
  return checked(parseMac(text), text)
}

function cidrOf(text: string): Cidr {
  return checked(parseCidr(text), text)
}

function checked<T>(value: T | undefined, text: string): T {
  if (value === undefined)
    throw new Error(`Neutron has ${JSON.stringify(text.slice(0, 80))} where an address has to be`)
  return value
}
