/**
 * What a machine needs in its kernel to reach the machines of a set of leases. Leases are written by others: what makes no
 * sense, or would take packets from somebody else, is left out with a sentence.
 * @module
 */
import { overheadOf } from '../../network/fabric/overhead.ts'
import {
  type Cidr,
  contains,
  familyOf,
  firstIp,
  type Ip,
  ipValue,
  type Mac,
  prefixLength,
} from '../../network/model/address.ts'
import type { Backend, VxlanBackend } from './backend.ts'
import { type Lease, type LeaseAttributes, leaseKey, vtepMacIn } from './lease.ts'
import { SubnetIndex } from './subnet-index.ts'

/** Which link a packet leaves by. */
export type Way = 'uplink' | 'tunnel4' | 'tunnel6'

/** A route to other machines' pods. */
export interface MeshRoute {
  readonly to: Cidr
  readonly by: Way
  readonly via?: Ip
  /** The gateway is on that link, whatever the link's addresses say. */
  readonly onlink?: boolean
}

/** Whose frames have which MAC address, on the link of a family's tunnel. */
export interface MeshNeighbour {
  readonly by: 'tunnel4' | 'tunnel6'
  readonly address: Ip
  readonly mac: Mac
  /** Where the tunnel's packets for that MAC address go. */
  readonly machine: Ip
}

/** The whole. */
export interface MeshPlan {
  readonly routes: readonly MeshRoute[]
  readonly neighbours: readonly MeshNeighbour[]
  /** For udp: which machine has a subnet. */
  readonly remotes: readonly { readonly subnet: Cidr; readonly machine: Ip }[]
  /** From where the other machines' own packets come, those of their tunnels among them. */
  readonly machines: readonly Ip[]
  /** What was left out and why, a sentence each. */
  readonly refusals: readonly string[]
}

/** What a plan is made from. */
export interface MeshInput {
  readonly backend: Backend
  readonly networks: readonly Cidr[]
  readonly own: Lease
  readonly leases: readonly Lease[]
  /** Whether an address is on the segment of the machine's own link. */
  readonly isOnLink: (address: Ip) => boolean
}

/** MTU of what carries pods' packets. */
export function meshMtu(backend: Backend, uplink: number, hasIpv6: boolean): number {
  switch (backend.type) {
    case 'vxlan':
      // flannel counts 50 over IPv6 as well, which is too few by 20.
      return (backend.mtu ?? uplink) - overheadOf('vxlan', hasIpv6 ? 6 : 4)
    case 'udp':
      return uplink - overheadOf('udp', 4)
    case 'host-gw':
      return uplink
  }
}

/** The plan. */
export function meshPlan(input: MeshInput): MeshPlan {
  const { backend, networks, own } = input
  const refusals: string[] = []
  const peers = sensible(input, refusals)
  const machines = [...new Set(peers.flatMap(({ machine, sources }) => [machine, ...sources]))]
  switch (backend.type) {
    case 'vxlan': {
      const parts = peers.map((peer) => vxlanPart(peer, backend, input, refusals))
      const routes = parts.flatMap((part) => part.routes)
      return { routes, neighbours: unambiguous(parts, refusals), remotes: [], machines, refusals }
    }
    case 'host-gw':
      return {
        routes: peers.flatMap((peer) => gatewayRoute(peer, input, refusals)),
        neighbours: [],
        remotes: [],
        machines,
        refusals,
      }
    case 'udp':
      return { ...udpPart(peers, networks, own), neighbours: [], machines, refusals }
  }
}

/** One family of a peer's lease. */
interface Peer {
  readonly subnet: Cidr
  readonly machine: Ip
  readonly sources: readonly Ip[]
  readonly attributes: LeaseAttributes
}

function sensible({ backend, networks, own, leases }: MeshInput, refusals: string[]): readonly Peer[] {
  const ownSubnets = [own.subnets.ipv4, own.subnets.ipv6].filter((subnet) => subnet !== undefined)
  const parts = leases.flatMap(({ subnets, attributes, since = Number.MAX_SAFE_INTEGER, sources = [] }) => {
    const key = leaseKey(subnets)
    const { publicIp, publicIpv6 } = attributes
    const common = { key, since, attributes, sources: sources.filter((one) => isOthers(one, own, networks)) }
    return [
      ...(subnets.ipv4 === undefined ? [] : [{ ...common, subnet: subnets.ipv4, machine: publicIp }]),
      ...(subnets.ipv6 === undefined ? [] : [{ ...common, subnet: subnets.ipv6, machine: publicIpv6 }]),
    ]
  })
  // Who was there first stays. Of equals, as a kernel routes, the narrower one counts, and then the first by key and machine.
  const sorted = parts.toSorted(
    (a, b) =>
      familyOf(a.subnet) - familyOf(b.subnet) ||
      a.since - b.since ||
      prefixLength(b.subnet) - prefixLength(a.subnet) ||
      compared(a.key, b.key) ||
      compared(a.machine ?? '', b.machine ?? ''),
  )
  const taken = new SubnetIndex([...ownSubnets, ...sorted.map(({ subnet }) => subnet)])
  for (const subnet of ownSubnets) taken.add(subnet)
  return sorted.flatMap(({ subnet, machine, sources, attributes }): Peer[] => {
    const fault =
      subnetFault(subnet, networks, taken) ??
      backendFault(attributes.backendType, backend) ??
      machineFault(machine, subnet, own, networks)
    if (fault !== undefined || machine === undefined) {
      refusals.push(`the lease of ${subnet} is left out: ${fault}`)
      return []
    }
    taken.add(subnet)
    return [{ subnet, machine, sources, attributes }]
  })
}

function compared(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function subnetFault(subnet: Cidr, networks: readonly Cidr[], taken: SubnetIndex): string | undefined {
  const network = networks.find((one) => familyOf(one) === familyOf(subnet))
  if (network === undefined) return 'the network has no such family'
  if (!contains(network, firstIp(subnet)) || prefixLength(subnet) < prefixLength(network)) {
    return `it is not in the network ${network}`
  }
  const other = taken.inTheWayOf(subnet)
  return other === undefined ? undefined : `it overlaps ${other}, which is somebody else's`
}

function backendFault(type: string, backend: Backend): string | undefined {
  if (type === backend.type) return undefined
  return `its machine speaks ${type === '' ? 'nothing' : type.slice(0, 40)}, and this one ${backend.type}`
}

function machineFault(
  machine: Ip | undefined,
  subnet: Cidr,
  { attributes }: Lease,
  networks: readonly Cidr[],
): string | undefined {
  if (machine === undefined) return `nothing says how its machine is reached over IPv${familyOf(subnet)}`
  if (!isMachine(machine)) return `${machine} is no machine's address`
  if (networks.some((network) => contains(network, machine))) {
    return `its machine's address ${machine} is one of the network's own`
  }
  const isOwn = machine === attributes.publicIp || machine === attributes.publicIpv6
  return isOwn ? `${machine} is this machine's own address` : undefined
}

/** Whether an address may be another machine's. */
function isOthers(address: Ip, { attributes }: Lease, networks: readonly Cidr[]): boolean {
  const isOwn = address === attributes.publicIp || address === attributes.publicIpv6
  return isMachine(address) && !isOwn && !networks.some((network) => contains(network, address))
}

/** Neither nobody's, nor the machine's own, nor a group's. */
function isMachine(address: Ip): boolean {
  const value = ipValue(address)
  if (familyOf(address) === 6) return value > 1n && value >> 120n !== 0xffn
  const first = value >> 24n
  return first !== 0n && first !== 127n && first < 224n
}

interface VxlanPart {
  readonly routes: readonly MeshRoute[]
  readonly neighbour?: MeshNeighbour
}

function vxlanPart(
  { subnet, machine, attributes }: Peer,
  { directRouting }: VxlanBackend,
  { isOnLink, own }: MeshInput,
  refusals: string[],
): VxlanPart {
  if (directRouting && isOnLink(machine)) return { routes: [{ to: subnet, by: 'uplink', via: machine }] }
  const family = familyOf(subnet)
  const by = family === 4 ? 'tunnel4' : 'tunnel6'
  const macOf = ({ backendData, backendV6Data }: LeaseAttributes): Mac | undefined =>
    vtepMacIn(family === 4 ? backendData : backendV6Data)
  const mac = macOf(attributes)
  if (mac === undefined || mac === macOf(own.attributes)) {
    const why =
      mac === undefined
        ? "it names no MAC address of its machine's VXLAN device"
        : `its machine ${machine} has the MAC address ${mac}, which is this machine's own`
    refusals.push(`the lease of ${subnet} is left out: ${why}`)
    return { routes: [] }
  }
  const address = firstIp(subnet)
  return { routes: [{ to: subnet, by, via: address, onlink: true }], neighbour: { by, address, mac, machine } }
}

/** One MAC address is one machine's: with two of them, the kernel would lead the packets of both to one. */
function unambiguous(parts: readonly VxlanPart[], refusals: string[]): readonly MeshNeighbour[] {
  const machines = new Map<string, Ip>()
  return parts.flatMap(({ neighbour }) => {
    if (neighbour === undefined) return []
    const { by, mac, machine, address } = neighbour
    const key = `${by} ${mac}`
    const other = machines.get(key)
    machines.set(key, other ?? machine)
    if (other === undefined || other === machine) return [neighbour]
    refusals.push(`${machine} and ${other} tell of the same MAC address ${mac}: what is for ${address} goes nowhere`)
    return []
  })
}

function gatewayRoute({ subnet, machine }: Peer, { isOnLink }: MeshInput, refusals: string[]): readonly MeshRoute[] {
  if (isOnLink(machine)) return [{ to: subnet, by: 'uplink', via: machine }]
  refusals.push(
    `${subnet} is not reached: its machine ${machine} is on another segment, and host-gw reaches no further (vxlan does)`,
  )
  return []
}

/** One route for the whole network; who has which part of it is the proxy's to know. */
function udpPart(peers: readonly Peer[], networks: readonly Cidr[], own: Lease): Pick<MeshPlan, 'routes' | 'remotes'> {
  const routes = networks
    .filter((network) => familyOf(network) === 4 && own.subnets.ipv4 !== undefined)
    .map((to): MeshRoute => ({ to, by: 'tunnel4' }))
  return { routes, remotes: peers.map(({ subnet, machine }) => ({ subnet, machine })) }
}
