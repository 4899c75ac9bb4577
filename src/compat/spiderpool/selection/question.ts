/**
 * What is asked when an interface needs addresses, and what is answered.
 * @module
 */
import type { Family } from '../../../network/model/address.ts'
import type { Namespace, Pod } from '../../../network/model/pod.ts'
import type { Labels } from '../../../network/model/policy.ts'
import type { AddressPool } from '../../../network/model/pool.ts'
import type { NamesByFamily } from './annotations.ts'

/** What holds for the whole cluster. */
export interface SelectionSettings {
  /** Where definitions are that are named without a namespace. */
  readonly installNamespace: string
  /** The definition of pods' first interfaces, `<namespace>/<name>` or `<name>`; absent: none is named. */
  readonly clusterNetwork?: string
  /** Families that addresses are given out of. */
  readonly families: ReadonlySet<Family>
  /** Whether pools are made for applications from SpiderSubnets, and for which. */
  readonly hasSubnets: boolean
}

/** The pools that there are. */
export interface KnownPools {
  get(name: string): AddressPool | undefined
  values(): Iterable<AddressPool>
  /** Why a pool gives nothing out, whoever asks. */
  problemOf(name: string): string | undefined
}

/** An interface that needs addresses. */
export interface PoolQuestion {
  readonly ifname: string
  /** Which of the pod's interfaces it is: 0 for its first. */
  readonly ordinal: number
  readonly pod: Pod
  /** As far as it is known. */
  readonly namespace: Pick<Namespace, 'name' | 'labels' | 'defaultPools'>
  readonly node: { readonly name: string; readonly labels?: Labels }
  /** `<namespace>/<name>` of the network, where whoever calls knows it; else annotations tell. */
  readonly definition?: string
  /** What the network's configuration names. */
  readonly defaults: NamesByFamily
  readonly hasCleanGateway: boolean
}

/** What named the pools. */
export type PoolSource = 'subnets' | 'subnet' | 'ippools' | 'ippool' | 'namespace' | 'configuration' | 'default pools'

/** A pool that was considered and is not to be taken from. */
export interface FilteredPool {
  readonly pool: string
  /** Goes on a sentence that begins with the pool's name. */
  readonly reason: string
}

/** The choice for one family. */
export interface FamilyChoice {
  readonly family: Family
  /** What was asked for, as it was written; pools by default by their names. */
  readonly named: readonly string[]
  /** In the order in which they are to be tried. */
  readonly candidates: readonly AddressPool[]
  readonly filtered: readonly FilteredPool[]
}

/** Which pools an interface's addresses come from, and why. */
export interface PoolSelection {
  readonly source: PoolSource
  readonly hasCleanGateway: boolean
  /** Families that are to have an address, each in any case; none where nothing names a pool. */
  readonly choices: readonly FamilyChoice[]
}
