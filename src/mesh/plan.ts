/**
 * From the list of machines and what the kernel knows of the ways to them, to what this machine should have. Pure.
 * @module
 */
import { overheadOf } from '../network/fabric/overhead.ts'
import { type Cidr, type Family, familyOf, type Ip } from '../network/model/address.ts'
import type { MeshConfig, MeshHost, Tunnel, TunnelType } from './config.ts'
import { portName } from './names.ts'

/** The kernel's way to a machine: out of a link, to a neighbour on its segment or to a gateway. */
export interface Place {
  readonly link: string
  /** Of the link, in bytes. */
  readonly mtu: number
  /** Absent: the machine is on the link's segment. */
  readonly gateway?: Ip
}

/** The link that has this machine's address, with its MTU in bytes. */
export type OwnLink = Pick<Place, 'link' | 'mtu'>

/** What the kernel says of each machine: its place, or why there is none. */
export type Places = ReadonlyMap<Ip, Place | string>

/** A port of our bridge. */
export interface PortPlan {
  readonly name: string
  readonly peer: string
  readonly type: 'gre' | 'ip6gre' | 'vxlan' | 'geneve'
  readonly options: Readonly<Record<string, string>>
}

/** Our bridge. No port of it gives to another what it took from a tunnel. */
export interface BridgePlan {
  readonly name: string
  /** Largest packet, in bytes. */
  readonly mtu: number
  readonly ports: readonly PortPlan[]
}

/** A route of the main table. */
export interface RoutePlan {
  readonly to: Cidr
  readonly link: string
  /** Absent: on the link itself. */
  readonly via?: Ip
  /** Largest packet in bytes, where it is not the link's: the kernel tells who sends a larger one. */
  readonly mtu?: number
}

/** By which way packets to a machine's containers leave. */
export type PeerWay = TunnelType | 'direct' | 'none'

/** Another machine. */
export interface PeerPlan {
  readonly host: MeshHost
  readonly way: PeerWay
  /** Where it is met, of the way `direct`. */
  readonly link?: string
  /** Largest packet in bytes; absent where nothing leaves. */
  readonly mtu?: number
  /** What keeps packets from leaving, or from leaving directly. */
  readonly why?: string
}

/** What this machine should have. */
export interface MeshPlan {
  readonly self: MeshHost
  readonly attach: string
  /** Absent: there are no tunnels. */
  readonly bridge?: BridgePlan
  readonly routes: readonly RoutePlan[]
  readonly peers: readonly PeerPlan[]
  /** What tunnels look like to the machine's own filters; absent without. */
  readonly tunnel?: Tunnel
  /** All that containers of the mesh have addresses of. */
  readonly networks: readonly Cidr[]
  /** Tunnel packets in a machine's name are taken from links alone by which one expects them. */
  readonly guard: boolean
  /** The link that has this machine's address. */
  readonly uplink: string
}

/** Bytes that a tunnel adds to a packet: 38 for GRE over IPv4, 42 with a key, 50 for VXLAN and Geneve; 20 more over IPv6. */
export function tunnelCost({ type, key }: Tunnel, family: Family): number {
  return overheadOf(type === 'gre' && key !== undefined ? 'keyed-gre' : type, family)
}

/** The plan of one of the machines, whose address is on its own link. */
export function planMesh(config: MeshConfig, self: MeshHost, places: Places, own: OwnLink): MeshPlan {
  const { ways, attach, guard } = config
  const others = config.hosts.filter((host) => host !== self)
  const peers = others.map((host) => planPeer(config, host, places.get(host.address) ?? 'it was not looked for'))
  const { tunnel } = ways
  const networks = config.networks.length > 0 ? config.networks : config.hosts.flatMap(({ subnets }) => subnets)
  const bridge = tunnel === undefined ? undefined : planBridge(config, self, others, places, own.mtu, tunnel)
  return {
    self,
    attach,
    ...(tunnel === undefined || bridge === undefined ? {} : { tunnel, bridge }),
    routes: planRoutes(config, self, peers, bridge),
    peers,
    networks,
    guard,
    uplink: own.link,
  }
}

function planPeer({ ways }: MeshConfig, host: MeshHost, place: Place | string): PeerPlan {
  const { tunnel } = ways
  const family = familyOf(host.address)
  const why = ways.direct ? obstacle(host, place) : undefined
  if (ways.direct && why === undefined && typeof place !== 'string') {
    return { host, way: 'direct', link: place.link, mtu: place.mtu }
  }
  const told = why === undefined ? {} : { why }
  if (tunnel === undefined) return { host, way: 'none', ...told }
  // Without a way now, packets still have their port: it works as soon as there is one.
  if (typeof place === 'string') return { host, way: tunnel.type, why: `${host.name} (${host.address}): ${place}` }
  return { host, way: tunnel.type, mtu: place.mtu - tunnelCost(tunnel, family), ...told }
}

/** What keeps packets to a machine from leaving without a tunnel. */
function obstacle({ name, address, subnets }: MeshHost, place: Place | string): string | undefined {
  const who = `${name} (${address})`
  if (typeof place === 'string') return `${who}: ${place}`
  if (place.gateway !== undefined) return `${who} is on another segment, behind ${place.gateway}`
  const other = subnets.find((one) => familyOf(one) !== familyOf(address))
  return other === undefined ? undefined : `${who} has no address of the family of ${other}`
}

function planBridge(
  { bridge }: MeshConfig,
  self: MeshHost,
  others: readonly MeshHost[],
  places: Places,
  ownMtu: number,
  tunnel: Tunnel,
): BridgePlan {
  const mtus = others.flatMap(({ address }) => {
    const place = places.get(address)
    return place === undefined || typeof place === 'string' ? [] : [place.mtu]
  })
  return {
    name: bridge,
    mtu: Math.min(ownMtu, ...mtus) - tunnelCost(tunnel, familyOf(self.address)),
    ports: others.map((host) => planPort(tunnel, self, host)),
  }
}

function planPort({ type, key, port }: Tunnel, self: MeshHost, host: MeshHost): PortPlan {
  const isGre6 = type === 'gre' && familyOf(host.address) === 6
  return {
    name: portName(type, host.address),
    peer: host.name,
    type: isGre6 ? 'ip6gre' : type,
    options: {
      remote_ip: host.address,
      local_ip: self.address,
      ...(key === undefined ? {} : { key: String(key) }),
      ...(port === undefined ? {} : { dst_port: String(port) }),
    },
  }
}

/** What goes through tunnels is on the containers' bridge, as a whole where the network is told; machines met directly are apart. */
function planRoutes(
  { networks, attach }: MeshConfig,
  self: MeshHost,
  peers: readonly PeerPlan[],
  bridge: BridgePlan | undefined,
): readonly RoutePlan[] {
  const tunnelled = (to: Cidr): readonly RoutePlan[] =>
    bridge === undefined || self.subnets.includes(to) ? [] : [{ to, link: attach, mtu: bridge.mtu }]
  const led = peers.flatMap(({ host, way, link }): readonly RoutePlan[] => {
    if (way === 'direct' && link !== undefined) return host.subnets.map((to) => ({ to, link, via: host.address }))
    return networks.length > 0 ? [] : host.subnets.flatMap(tunnelled)
  })
  return [...(peers.length === 0 ? [] : networks.flatMap(tunnelled)), ...led]
}
