/**
 * What a coordination is planned from, and what it comes to.
 * @module
 */
import type { NftTable } from '../../../linux/index.ts'
import { type Cidr, type Family, familyOf, hostCidr, type Ip, type Mac } from '../../../network/model/address.ts'
import type { SysctlWish, WayNeighbour, WayRoute, WayRule } from '../../../network/model/ways.ts'
import type { HostFacts, PodFacts, RouteFact } from './facts.ts'
import { SOURCE_PRIORITY } from './numbers.ts'
import type { CoordinatorSettings } from './settings.ts'

/** One interface to coordinate. */
export interface CoordinationInput {
  readonly settings: CoordinatorSettings
  readonly ifname: string
  /** 0 for the pod's first interface. */
  readonly ordinal: number
  readonly pod: PodFacts
  readonly host: HostFacts
  /** The pair to the node, where there is one or is to be one. */
  readonly pair: { readonly host: string; readonly macs: { readonly pod: Mac; readonly host: Mac } }
}

export type PlannedRoute = WayRoute
export type PlannedRule = WayRule & { readonly table: number }
export type PlannedNeighbour = WayNeighbour

/** What is wanted. */
export interface CoordinationPlan {
  readonly mode: 'underlay' | 'overlay' | 'disabled'
  /** The pair to the node has to be made. */
  readonly makesPair: boolean
  readonly pod: {
    /** Of the interface; absent: it stays. */
    readonly mac?: Mac
    readonly txQueueLength?: number
    readonly sysctls: readonly SysctlWish[]
    readonly routes: readonly PlannedRoute[]
    /** Default routes that have moved into a table. */
    readonly removed: readonly RouteFact[]
    readonly rules: readonly PlannedRule[]
    readonly neighbours: readonly PlannedNeighbour[]
    readonly marks?: NftTable
  }
  readonly host: {
    readonly routes: readonly PlannedRoute[]
    readonly rules: readonly PlannedRule[]
    readonly neighbours: readonly PlannedNeighbour[]
  }
}

/** An input whose mode is decided. */
export interface Place extends CoordinationInput {
  readonly mode: 'underlay' | 'overlay'
  /** The interface's addresses and their families. */
  readonly own: readonly Ip[]
  readonly families: readonly Family[]
  readonly table: number
}

/** The default route of a family. */
export const DEFAULT_ROUTE = { 4: '0.0.0.0/0' as Cidr, 6: '::/0' as Cidr } as const satisfies { [F in Family]: Cidr }

/** The addresses of a pod's interface. */
export function addressesOf(pod: PodFacts, link: string): readonly Ip[] {
  return pod.addresses.filter((one) => one.link === link).map(({ address }) => address)
}

/** Rules by source are asked after those by mark: what came by way of the node goes back there. */
export function sourceRules(addresses: readonly Ip[], table: number): readonly PlannedRule[] {
  return addresses.map((address) => ({
    family: familyOf(address),
    priority: SOURCE_PRIORITY,
    from: hostCidr(address),
    table,
  }))
}
