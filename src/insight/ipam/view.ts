/**
 * What an API server knows of addresses: claims, the pods behind them, pools, and what is derived of both.
 * @module
 */
import type { KnownClaim } from '../../ipam/claim-verdict.ts'
import type { PodLife, PodSetLife } from '../../network/model/pod-life.ts'
import type { AddressPool, ReservedAddresses } from '../../network/model/pool.ts'

/** A claim with what a call about it needs. */
export interface ListedClaim extends KnownClaim {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
}

/** A pool with what its status says. */
export interface ListedPool {
  readonly pool: AddressPool
  readonly told: { readonly total?: number; readonly allocated?: number }
  /** Why it gives nothing out, by itself or because of an older one. */
  readonly problem?: string
}

/** A SpiderEndpoint: `<interface> <address>` of all that it tells. */
export interface ListedEndpoint {
  readonly addresses: readonly string[]
}

/** What is known now. */
export interface IpamView {
  /** When it was asked for: milliseconds since 1970. */
  readonly now: number
  readonly claims: readonly ListedClaim[]
  /** Claims that are none, and why. */
  readonly unreadable: readonly { readonly name: string; readonly why: string }[]
  /** By `<namespace>/<name>`, as sets and endpoints are. */
  readonly pods: ReadonlyMap<string, PodLife>
  readonly sets: ReadonlyMap<string, PodSetLife>
  readonly endpoints: ReadonlyMap<string, ListedEndpoint>
  readonly pools: ReadonlyMap<string, ListedPool>
  readonly reserved: readonly ReservedAddresses[]
}
