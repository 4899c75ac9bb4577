/**
 * What is known of a node's links and switch, and the changes that a bridge is made of. All of it is data: a plan is
 * written to a file before its first change, so that another process can take it back.
 * @module
 */
import { WIRE_OWNER } from '../network/host.ts'

/** An address of a link; lifetimes in seconds, absent for ever. */
export interface HeldAddress {
  readonly family: 4 | 6
  /** `ip/length` */
  readonly address: string
  readonly peer?: string
  readonly broadcast?: string
  readonly label?: string
  readonly scope: 'global' | 'site' | 'link' | 'host' | 'nowhere'
  readonly metric?: number
  readonly noprefixroute: boolean
  readonly validLifetime?: number
  readonly preferredLifetime?: number
}

/** A route out of a link. `body` is what the kernel told, in base64: it holds every attribute. */
export interface HeldRoute {
  readonly family: 4 | 6
  readonly destination: string
  /** Addresses of next hops on the link. */
  readonly gateways: readonly string[]
  readonly source?: string
  readonly table: number
  readonly metric: number
  /** Who made it: 2 the kernel, 9 router advertisements, 16 DHCP, … */
  readonly protocol: number
  readonly onlink: boolean
  readonly body: string
}

/** A policy rule that names a link. */
export interface HeldRule {
  readonly family: 4 | 6
  readonly priority: number
  readonly table: number
  readonly body: string
}

/** A neighbour on a link: kept ones are permanent or answered for, the others are what was learned. */
export interface HeldNeighbour {
  readonly address: string
  readonly mac?: string
  readonly proxy: boolean
  readonly permanent: boolean
}

/** A link with all that goes with it when it becomes a port. */
export interface LinkFacts {
  readonly name: string
  readonly index: number
  readonly mac: string
  readonly mtu: number
  readonly up: boolean
  /** How it makes its IPv6 link-local address. */
  readonly addrGenMode: 'eui64' | 'none' | 'stable-privacy' | 'random'
  readonly addresses: readonly HeldAddress[]
  readonly routes: readonly HeldRoute[]
  readonly rules: readonly HeldRule[]
  readonly neighbours: readonly HeldNeighbour[]
  /** Values by `ipv4/rp_filter`, `ipv6/accept_ra`, …; absent: this kernel has no such key. */
  readonly sysctls: Readonly<Record<string, string>>
}

/** What decides whether a link may be an uplink. */
export interface UplinkFacts extends LinkFacts {
  /** ARPHRD_ number: 1 is Ethernet. */
  readonly hardware: number
  readonly loopback: boolean
  readonly wireless: boolean
  /** The link that it belongs to already, and that one's kind: bond, bridge, vrf, … */
  readonly master?: { readonly name: string; readonly kind: string }
  /** Links made on top of it. */
  readonly riders: readonly { readonly name: string; readonly kind: string }[]
  /** Destinations whose routes go by a nexthop object. */
  readonly nexthopRoutes: readonly string[]
}

/** A bridge of the switch. */
export interface SwitchBridge {
  readonly name: string
  readonly datapathType: string
  readonly externalIds: Readonly<Record<string, string>>
  readonly ports: readonly SwitchPort[]
}

export interface SwitchPort {
  readonly name: string
  readonly interfaces: readonly { readonly name: string; readonly type: string; readonly error?: string }[]
  readonly tag?: number
  readonly trunks: readonly number[]
  readonly externalIds: Readonly<Record<string, string>>
}

/** Names and servers that a link asks. */
export interface DnsFacts {
  /** Where it was found: of the link (systemd-resolved), or of the machine (`/etc/resolv.conf`). */
  readonly from: 'resolved' | 'resolv.conf'
  readonly servers: readonly string[]
  readonly domains: readonly string[]
}

/** Who configures a link when the machine starts. */
export type Manager = 'netplan' | 'networkmanager' | 'networkd' | 'none'

/** Changes; each one makes sure that something is so, and does nothing where it is. Links go by name. */
export type Change =
  | { readonly do: 'bridge'; readonly bridge: BridgeRow }
  /** Only where the token is the bridge's. */
  | { readonly do: 'no-bridge'; readonly name: string; readonly token: string }
  | {
      readonly do: 'ids'
      readonly table: 'Bridge' | 'Port' | 'Interface'
      readonly name: string
      readonly ids: Readonly<Record<string, string>>
    }
  | { readonly do: 'port'; readonly bridge: string; readonly name: string; readonly trunks: readonly number[] }
  | { readonly do: 'no-port'; readonly bridge: string; readonly name: string }
  | {
      readonly do: 'link'
      readonly link: string
      readonly up?: boolean
      readonly addrGenMode?: LinkFacts['addrGenMode']
    }
  | { readonly do: 'new-link'; readonly made: NewLink }
  /** Only where it is one that was made here. */
  | { readonly do: 'no-link'; readonly link: string }
  /** A link of a Linux bridge. */
  | { readonly do: 'member' | 'no-member'; readonly link: string; readonly master: string }
  | { readonly do: 'sysctl'; readonly link: string; readonly key: string; readonly value: string }
  /** `quiet`: without the route to its prefix, which would draw traffic (IPv6). */
  | { readonly do: 'address'; readonly link: string; readonly address: HeldAddress; readonly quiet?: boolean }
  | { readonly do: 'no-address'; readonly link: string; readonly address: string; readonly peer?: string }
  /** The route of link `was` (an index) on another link. */
  | ({ readonly do: 'route' | 'no-route'; readonly was: number } & Copied)
  | ({ readonly do: 'rule' | 'no-rule'; readonly was: string } & Copied)
  | { readonly do: 'neighbour'; readonly link: string; readonly neighbour: HeldNeighbour }
  | { readonly do: 'no-neighbour'; readonly link: string; readonly address: string; readonly proxy: boolean }
  | ({ readonly do: 'file' } & PlannedFile)
  | ({ readonly do: 'no-file' } & PlannedFile)
  /** A tool of the system; `mayFail` where nothing depends on it. */
  | { readonly do: 'run'; readonly argv: readonly string[]; readonly mayFail: boolean }

/** A link that is made for a bridge: a Linux bridge, or a pair with both ends on this node. They have {@link MADE_GROUP}. */
export type NewLink = { readonly name: string; readonly mtu: number } & (
  | { readonly kind: 'bridge'; readonly mac: string }
  /** `offloads: false` behind a datapath in user space, which takes no checksums that are left to hardware. */
  | { readonly kind: 'veth'; readonly peer: string; readonly offloads: boolean }
)

/** The link group of links that were made for a bridge: given at birth, so that none is ever without it. */
export const MADE_GROUP = 0x5742

/** What is put or taken as the kernel told it; `text` is for people. */
interface Copied {
  readonly link: string
  readonly body: string
  readonly text: string
}

/** A bridge of ours as a row of the switch. */
export interface BridgeRow {
  readonly name: string
  readonly datapathType: 'system' | 'netdev'
  readonly mac: string
  readonly mtu: number
  readonly externalIds: Readonly<Record<string, string>>
}

/** A file of ours. What stood in its place before is kept beside it, and comes back with `no-file`. */
export interface PlannedFile {
  readonly path: string
  readonly content: string
  /** Octal permission bits as a number. */
  readonly mode: number
  /** Where the former file is kept; absent: there was none. */
  readonly backup?: string
}

/** Some changes with one purpose, and what takes them back, in the order in which it is done. */
export interface Step {
  readonly title: string
  readonly changes: readonly Change[]
  readonly undo: readonly Change[]
}

/** A gateway that has to answer afterwards. */
export interface Gateway {
  readonly address: string
  readonly family: 4 | 6
}

/** All that will happen. */
export interface Plan {
  readonly bridge: string
  readonly uplink: string
  /** The link that has the node's addresses afterwards. */
  readonly target: string
  /** Guarded: taken back when a gateway stays silent or the process dies. */
  readonly steps: readonly Step[]
  readonly gateways: readonly Gateway[]
  /** When the gateways have answered; the last that is guarded. */
  readonly settle: readonly Step[]
  /** What nothing depends on any more. */
  readonly afterwards: readonly Step[]
  /** Sentences for people: what will be different. */
  readonly notes: readonly string[]
}

/** Marks of a bridge of ours in external_ids. */
export const OWNER = WIRE_OWNER.value
export const IDS = {
  owner: WIRE_OWNER.key,
  uplink: 'weft-uplink',
  token: 'weft-token',
  /** `moving` until the gateways have answered, then `moved`. */
  state: 'weft-state',
  /** What was taken from the uplink, as JSON. */
  moved: 'weft-moved',
  persist: 'weft-persist',
  /** A daemon that was told to leave the uplink alone. */
  released: 'weft-released-by',
} as const

/** Whether a bridge was made by `weft bridge create`. */
export function isOurs(bridge: Pick<SwitchBridge, 'externalIds'>): boolean {
  return bridge.externalIds[IDS.owner] === OWNER
}
