/**
 * What an agent tells about its node: facts, not conclusions. `weft status`, `drops`, `trace` and `audit` draw those.
 * Served on the agent's own socket as JSON; bigints travel as `{"$bigint":"<decimal>"}`.
 * @module
 */
import type { Flow, Group } from '../../flow/flow.ts'
import type { WayName } from '../../network/fabric/way.ts'
import type { Fragment } from '../../network/fragments/fragment.ts'
import type { Cidr, Family, Ip, Mac } from '../../network/model/address.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import type { Policy } from '../../network/model/policy.ts'
import type { EndpointSlice, Service } from '../../network/model/service.ts'
import type { Lease, UnreadableLease } from '../attach/lease.ts'
import type { LimitFact } from '../qos/limiter.ts'

/** `GET /status`. */
export interface AgentStatus {
  readonly node: string
  readonly version: string
  readonly pid: number
  readonly ready: boolean
  /** What is missing while not ready, for people. */
  readonly waitingFor: readonly string[]
  readonly datapath: 'system' | 'netdev'
  readonly ovsVersion: string
  readonly mtu: number | undefined
  readonly uplinkMtu: number | undefined
  readonly addresses: readonly Ip[]
  readonly ranges: readonly RangeFact[]
  readonly peers: readonly {
    readonly node: string
    readonly address: Ip | undefined
    readonly ranges: readonly Cidr[]
    /** Absent: its agent is older. */
    readonly ways?: readonly WayFact[]
    /** Absent: no tunnel leads there, or its agent is older. */
    readonly tunnel?: TunnelFact
  }[]
  readonly endpoints: number
  /** Services that this node translates. */
  readonly services: number
  readonly flows: number
  /** Seconds since the epoch. */
  readonly startedAt: number
  /** How often OVS had to be synchronised as a whole since the start. */
  readonly fullSyncs: number
  /** Errors that the agent is retrying, newest last. */
  readonly problems: readonly string[]
  /** Absent: the cluster's fabric wants no BGP, and none is spoken. */
  readonly bgp?: BgpFacts
}

/** What a node's BGP daemon does. */
export interface BgpFacts {
  readonly isRunning: boolean
  /** What is wrong with it, or with what is asked of it, for people. */
  readonly problem?: string
  readonly sessions: readonly BgpSessionFact[]
}

/** A BGP session, as BIRD had it a moment ago. */
export interface BgpSessionFact {
  readonly name: string
  /** `node`: with another node of the cluster. */
  readonly kind: 'node' | 'external'
  readonly family: Family
  /** The other node. */
  readonly node?: string
  /** The BGPPeer that asked for it. Absent: the mesh. */
  readonly peer?: string
  readonly address: Ip
  readonly asNumber: number
  readonly localAs: number
  /** As BIRD calls it: `Established`, `Active`, … */
  readonly state: string
  readonly isUp: boolean
  /** Since when it is up or is not, in seconds since the epoch; no earlier than the agent's start where it is not. */
  readonly since: number
  /** Why it ended last, as BIRD says it. */
  readonly error?: string
  /** How many came by it, and how many went. */
  readonly routes?: { readonly imported: number; readonly exported: number }
  /** Whether the other end answers to BFD. Absent: it is not asked. */
  readonly bfd?: 'up' | 'down'
}

/** Whether the tunnel to a machine carries, as the agent finds out by asking. */
export interface TunnelFact {
  /** `asked`: first asked a moment ago. `never`: it has not answered since the agent, or the machine, is there. */
  readonly state: 'asked' | 'up' | 'down' | 'never'
  /** Seconds since the epoch. */
  readonly since: number
  /** There and back, of the last answer. */
  readonly roundTripMs?: number
  /** Whether packets as large as pods may send them pass. Absent: not known. */
  readonly full?: { readonly bytes: number; readonly passes: boolean; readonly since: number }
  /** What is wrong with it, for people. */
  readonly problem?: string
}

/** By which way packets of pods go to the pods of another machine. */
export interface WayFact extends RouteFact {
  readonly family: Family
  /** Where its ranges have different ways: each with its own. Of the whole machine the worst is told then. */
  readonly ranges?: readonly (RouteFact & { readonly range: Cidr })[]
  /** Seconds since the epoch; of what it was when the agent started: then. */
  readonly since: number
  /** What it was before. Absent: nothing else since the agent started. */
  readonly before?: WayName
}

/** A way, and where it leads first. */
export interface RouteFact {
  readonly way: WayName
  /** What keeps packets from a way without a tunnel, for people. Absent: nothing, or none is wanted. */
  readonly why?: string
  /** The next machine and the link to it, of a way without a tunnel. */
  readonly via?: Ip
  readonly link?: string
  /** Further ones of the same weight: packets are spread over all. */
  readonly others?: readonly { readonly via: Ip; readonly link: string }[]
}

/** `GET /health`. */
export interface AgentHealth {
  /** Pods can be attached and reach others: the switch holds the plan, and answers. */
  readonly ready: boolean
  /** What is missing, for people. */
  readonly waitingFor: readonly string[]
}

/** How full a range is. Numbers as decimal text: an IPv6 range has 2^64 addresses. */
export interface RangeFact {
  readonly range: Cidr
  readonly gateway: Ip
  readonly used: string
  readonly capacity: string
  /** It is about to be taken back: pods get no more addresses of it. */
  readonly closing?: true
}

/** A flow as the switch has it, with its counters. */
export interface InstalledFlow {
  readonly flow: Flow
  readonly packets: bigint
  readonly bytes: bigint
  /** Why `flow` is only part of the truth: somebody else installed it, in words that Weft does not use. */
  readonly opaque?: string
}

/** A flow that drops. */
export interface DropFlow extends InstalledFlow {
  /** Absent: the overlay's. */
  readonly bridge?: string
}

/** A service with its endpoints, as the agent knows them. */
export interface ServiceFact {
  readonly service: Service
  readonly slices: readonly EndpointSlice[]
}

/** A port of our bridge as OVSDB has it. */
export interface PortFact {
  readonly name: string
  readonly type: string
  readonly ofport: number | undefined
  readonly requested: number | undefined
  readonly error: string | undefined
}

/** A link on the node that carries our mark (link group). */
export interface LinkFact {
  readonly name: string
  readonly index: number
  readonly up: boolean
  readonly mtu: number
  readonly mac: Mac
  readonly doomed: boolean
  readonly alias: string | undefined
}

/** `GET /facts`: everything at once, of one moment. */
export interface NodeFacts {
  readonly status: AgentStatus
  readonly cluster: Cluster
  readonly self: NodeNetwork
  readonly routerMac: Mac
  /** VNI of every namespace the agent knows. */
  readonly tenants: readonly (readonly [namespace: string, vni: number])[]
  /** DNS names that policies speak of, with what they stand for; those that nobody could resolve are not here. */
  readonly names: readonly (readonly [name: string, addresses: readonly Ip[]])[]
  /** Policies that are in force as they last could be read, as what they say now cannot be. Absent: its agent is older. */
  readonly keptPolicies?: readonly Policy[]
  readonly fragments: readonly Fragment[]
  readonly installed: readonly InstalledFlow[]
  /** Groups as the switch has them. */
  readonly groups: readonly Group[]
  readonly services: readonly ServiceFact[]
  readonly leases: readonly Lease[]
  readonly unreadable: readonly UnreadableLease[]
  readonly ports: readonly PortFact[]
  readonly links: readonly LinkFact[]
  /** Addresses that rest before reuse. */
  readonly resting: readonly Ip[]
  /** Endpoints that are limited or should be. */
  readonly limits: readonly LimitFact[]
  /** Bridges of ours on the physical network, by name. */
  readonly wires: readonly WireFact[]
  /** Pods' interfaces on the physical network, whosever the bridge is. */
  readonly underlay: readonly UnderlayFact[]
}

/** A bridge of ours on the physical network: its part of the plan, and what it has. */
export interface WireFact {
  readonly bridge: string
  readonly fragments: readonly Fragment[]
  readonly installed: readonly InstalledFlow[]
  /** Ports that are named as pods' are, and are recorded as nobody's. */
  readonly strays: readonly string[]
}

/** A pod's interface on a bridge of the physical network. */
export interface UnderlayFact {
  /** `<container>/<interface>`. */
  readonly id: string
  readonly namespace: string
  readonly pod: string
  readonly ifname: string
  /** Name of its port. */
  readonly link: string
  readonly bridge: string
  /** For people: `100`, `trunk 1-9`. */
  readonly vlan: string
  readonly mac: Mac | undefined
  readonly addresses: readonly Ip[]
  /** `others`: the bridge is none of ours. `missing`: it is, and its flows do not know the pod. */
  readonly guard: 'guarded' | 'missing' | 'others'
  /** Why it does not work, as Open vSwitch says it. */
  readonly problem: string | undefined
}
