/**
 * Routes, rules and neighbours of a network namespace, as a plan says them: links are told by their names.
 * @module
 */
import type { Cidr, Family, Ip, Mac } from './address.ts'

/** A route. Without a gateway the destination is on the link. */
export interface WayRoute {
  readonly table: number
  readonly destination: Cidr
  readonly link: string
  readonly gateway?: Ip
  /** Of packets that have no source yet. */
  readonly source?: Ip
  /** The gateway is on the link, whatever routes say. */
  readonly onlink?: true
}

/** A rule: whom it is about, and where to look, or what to do at once. Lower priorities are asked first. */
export interface WayRule {
  readonly family: Family
  readonly priority: number
  /** Absent: packets that match go nowhere, without a word. */
  readonly table?: number
  readonly from?: Cidr
  readonly to?: Cidr
  readonly mark?: number
  /** Bits of the mark that count. Absent: all. */
  readonly mask?: number
  readonly inputLink?: string
  /** Routes of this prefix length and shorter do not count. */
  readonly suppressPrefixLength?: number
}

/** Who has an address, for good. */
export interface WayNeighbour {
  readonly link: string
  readonly address: Ip
  readonly mac: Mac
}

/** What a namespace is to have of them. */
export interface Ways {
  readonly routes: readonly WayRoute[]
  readonly rules: readonly WayRule[]
  readonly neighbours: readonly WayNeighbour[]
}

/** A sysctl's path in segments, and its value. */
export type SysctlWish = readonly [key: readonly string[], value: string]
