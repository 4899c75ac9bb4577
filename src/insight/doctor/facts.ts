/**
 * What the doctor knows of a host: read once, judged by pure checks. Everything may have been unreadable.
 * @module
 */
import type { Link, Route } from '../../linux/index.ts'
import type { Chain } from '../../network/firewall/ruleset.ts'
import type { Cidr, Ip } from '../../network/model/address.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import type { IniSection } from './ini.ts'

/** A fact, or why it could not be had, in words. */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

/** What is on the host. */
export interface HostFacts {
  readonly processes: Read<readonly ProcessFact[]>
  readonly links: Read<readonly Link[]>
  /** `ip/length` by the index of the link that has it. */
  readonly addresses: Read<readonly { readonly link: number; readonly address: string }[]>
  /** Of the main table, without broadcast and local ones. */
  readonly routes: Read<readonly Route[]>
  readonly sysctls: { readonly [K in SysctlName]: Read<string> }
  /** Of systemd-networkd, later sections win. */
  readonly networkd: Read<readonly IniSection[]>
  readonly networkManager: Read<readonly IniSection[]>
  /** Of systemd-udevd, in the order in which they are asked. */
  readonly linkFiles: Read<readonly LinkFile[]>
  readonly modules: Read<{ readonly loaded: ReadonlySet<string>; readonly known: ReadonlySet<string> }>
  readonly ovsdb: Read<OvsdbFacts>
  /** The answer of ovs-vswitchd to `version`. */
  readonly vswitchd: Read<string>
  readonly udp: Read<readonly PortSocket[]>
  /** Those that listen. */
  readonly tcp: Read<readonly PortSocket[]>
  /** The version of BIRD. */
  readonly bird: Read<string>
  /** Where `birdc` is. */
  readonly birdc: Read<string>
  readonly cniConfigs: Read<readonly CniConfig[]>
  readonly plugin: Read<PluginFile>
  /** The plugin that publishes pods' host ports: the folder where it would be, and whether it is there to be run. */
  readonly portmap: Read<{ readonly folder: string; readonly isThere: boolean }>
  /** Chains of filters that others have. */
  readonly filters: Read<readonly Chain[]>
  readonly legacyFilters: Read<readonly Chain[]>
}

/** Sysctls that the checks look at, by their dotted names. */
export const SYSCTLS = {
  ipForward: 'net.ipv4.ip_forward',
  forwarding6: 'net.ipv6.conf.all.forwarding',
  rpFilterAll: 'net.ipv4.conf.all.rp_filter',
  rpFilterGateway: 'net.ipv4.conf.weft0.rp_filter',
  ipv6Off: 'net.ipv6.conf.all.disable_ipv6',
  ipv6OffDefault: 'net.ipv6.conf.default.disable_ipv6',
  neighbours4: 'net.ipv4.neigh.default.gc_thresh3',
  neighbours6: 'net.ipv6.neigh.default.gc_thresh3',
  connectionsMax: 'net.netfilter.nf_conntrack_max',
  connections: 'net.netfilter.nf_conntrack_count',
} as const
export type SysctlName = keyof typeof SYSCTLS

export interface ProcessFact {
  readonly pid: number
  /** As the kernel has it: 15 characters at most. */
  readonly name: string
}

export interface LinkFile {
  readonly path: string
  readonly sections: readonly IniSection[]
}

export interface OvsdbFacts {
  readonly version: string
  readonly datapathTypes: readonly string[]
  readonly bridges: readonly { readonly name: string; readonly isOurs: boolean }[]
}

/** A socket bound to a port; `owner` is undefined for the kernel's own. */
export interface PortSocket {
  readonly port: number
  readonly owner: ProcessFact | 'unknown' | undefined
}

/** A file in the folder that container runtimes read; `types` are its plugins, in order. */
export interface CniConfig {
  readonly name: string
  readonly types: readonly string[] | undefined
  /** Whether one of them is told of pods' host ports. */
  readonly publishes: boolean
}

export interface PluginFile {
  readonly path: string
  readonly uid: number
  /** Permission bits. */
  readonly mode: number
}

/** What the host is meant to be part of. */
export interface Expected {
  readonly datapath: 'system' | 'netdev'
  /** Undefined where neither an agent nor a registry told. */
  readonly cluster: Cluster | undefined
  /** Tunnel port of UDP; undefined with GRE. */
  readonly tunnelPort: number | undefined
  /** This node's own addresses in the physical network. */
  readonly addresses: readonly Ip[]
  readonly ranges: readonly Cidr[]
  readonly peers: number
  readonly agent: AgentFact
  /** What the agent says of its BIRD; undefined where it needs none, or does not say. */
  readonly bgp: BgpFact | undefined
}

/** A node's BIRD: how many sessions it has, and how many of them are down. */
export interface BgpFact {
  readonly isRunning: boolean
  /** What of its configuration is not as it was asked for. */
  readonly problem?: string
  readonly sessions: number
  readonly down: number
}

/** Whether an agent runs here, and what it says. */
export type AgentFact =
  | { readonly state: 'none'; readonly reason: string }
  | { readonly state: 'runs'; readonly ready: boolean; readonly problems: readonly string[] }
