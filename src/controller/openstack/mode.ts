/**
 * What the ways through a VM's port have in common. Each takes a pool as it is written down and gives it as it is then; whatever fails on
 * the way is found out by the next look.
 * @module
 */
import type { PortPool } from '../../network/model/neutron.ts'
import type { Cloud } from './cloud.ts'
import type { PoolOwner } from './ours.ts'
import type { Place } from './place.ts'

/** What a pool is worked on with. */
export interface PoolWork {
  readonly cloud: Cloud
  readonly owner: PoolOwner
  readonly place: Place
  /** Ids that the node's agent speaks of: pods have them, or had them a moment ago. */
  readonly held: ReadonlySet<string>
  /** Ids that the agent agreed to lose. */
  readonly given: ReadonlySet<string>
  /** Security groups that pods of the node ask for by these names, and what Neutron calls them. */
  readonly asked: readonly AskedGroups[]
  /** Writes down what is known so far: what comes next has to be found again after a crash. */
  readonly publish: (pool: PortPool) => Promise<void>
  readonly signal: AbortSignal
  /** Tells people what nobody asked for. */
  readonly tell: (message: string) => void
}

/** Security groups as somebody asks for them, sorted, and their ids, sorted. */
export interface AskedGroups {
  readonly names: readonly string[]
  readonly ids: readonly string[]
}

/** What was done, and what kept it from being all: the rest stands. */
export interface PoolStep {
  readonly pool: PortPool
  readonly problem?: unknown
  /** The VM's port, or its trunk, is gone: nothing can be made through it, and what there was can only go. */
  readonly isCut?: boolean
}

/** One way through a VM's port. */
export interface AddressWay {
  /** Finds out what is there, and brings it in order. */
  look(work: PoolWork, pool: PortPool): Promise<PoolStep>
  /** Makes so many ports more, or as many as there can be. */
  grow(work: PoolWork, pool: PortPool, n: number, groups?: AskedGroups): Promise<PoolStep>
  /** Takes ports away that nobody has any more. */
  release(work: PoolWork, pool: PortPool, ids: ReadonlySet<string>): Promise<PortPool>
}
