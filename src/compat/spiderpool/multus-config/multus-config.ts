/**
 * What a SpiderMultusConfig asks for, with every default in its place.
 * @module
 */
import type { Cidr, Ip } from '../../../network/model/address.ts'

/** A JSON object as others wrote it. */
export type JsonObject = Readonly<Record<string, unknown>>

/** One entry of a trunk: one VLAN, or those from the first to the last. */
export type TrunkItem = { readonly id: number } | { readonly minID: number; readonly maxID: number }

/** The step that makes the pod's interface. */
export type InterfaceStep =
  /** `vlan` 0: none; else a sub-interface of the master's is made on the node first. */
  | { readonly type: 'macvlan' | 'ipvlan'; readonly master: string; readonly vlan: number; readonly mtu: number }
  | { readonly type: 'vlan'; readonly master: string; readonly vlan: number; readonly mtu: number }
  /** `vlan` counts where there is no trunk; 0 is the untagged one. */
  | { readonly type: 'ovs'; readonly bridge: string; readonly vlan: number; readonly trunk: readonly TrunkItem[] }

/** Pools that addresses come from where the pod and its namespace name none. */
export interface DefaultPools {
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
}

/** The coordinator's step. What is absent is said by the SpiderCoordinator. */
export interface CoordinatorStep {
  readonly mode: string
  readonly hijackCIDR: readonly Cidr[]
  readonly policyRoutes: readonly { readonly dst: Cidr; readonly gw: Ip }[]
  readonly podMACPrefix?: string
  readonly podDefaultRouteNic?: string
  readonly vethLinkAddress?: Ip
  readonly vethMTU?: number
  readonly tunePodRoutes: boolean
  readonly txQueueLen: number
  readonly podRPFilter?: number
}

/** The configuration that a definition holds. */
export type MultusConfig =
  /** As it is written; empty: a file of the node has it. */
  | { readonly is: 'custom'; readonly config: string }
  | {
      readonly is: 'list'
      readonly cniVersion: string
      /** The CNI network's name. */
      readonly name: string
      readonly interface: InterfaceStep
      /** Absent: the interface gets no addresses. */
      readonly pools?: DefaultPools
      /** Steps behind the interface's. */
      readonly chain: readonly JsonObject[]
      readonly coordinator?: CoordinatorStep
    }
