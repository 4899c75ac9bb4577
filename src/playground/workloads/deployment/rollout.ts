/**
 * How many pods each ReplicaSet of a Deployment should have next.
 *
 * Bounds hold at any interleaving with the ReplicaSets' own controller: what counts against the surge is the larger of
 * what a set wants and what it has; what counts as available is only what a set keeps when it removes the unavailable
 * ones first; and nothing is scaled while a set has not carried out what it was told last.
 * @module
 */
import { byAge, type OwnedSet } from './sets.ts'
import type { Deployment } from './spec.ts'

/** A set and its next size. `name` is absent for the set that is to be made. */
export interface Sizing {
  readonly name?: string
  readonly replicas: number
}

/** The next sizes, of sets that change; empty when there is nothing to do now. */
export function nextSizes(
  deployment: Deployment,
  current: OwnedSet | undefined,
  old: readonly OwnedSet[],
): readonly Sizing[] {
  const all = current === undefined ? old : [...old, current]
  if (!all.every(({ settled }) => settled)) return []
  if (deployment.paused) return pausedSizes(deployment, all)
  if (deployment.recreate) return recreateSizes(deployment, current, old)
  const grown = grow(deployment, current, old)
  return grown.length > 0 ? grown : shrink(deployment, current, old)
}

/** A paused one follows its number of replicas, and leaves the shares of its templates as they are. */
function pausedSizes({ replicas, surge }: Deployment, sets: readonly OwnedSet[]): readonly Sizing[] {
  const inUse = sets.filter((set) => set.replicas > 0)
  const [only] = inUse
  if (only === undefined) return changed([...sets].sort(byAge).slice(-1), () => replicas)
  if (inUse.length === 1) return changed([only], () => replicas)
  const total = sum(inUse.map((set) => set.replicas))
  if (total >= replicas && total <= replicas + surge) return []
  const shares = proportional(
    inUse.map((set) => set.replicas),
    replicas,
  )
  return changed(inUse, (_, index) => shares[index] ?? 0)
}

function recreateSizes(
  { replicas }: Deployment,
  current: OwnedSet | undefined,
  old: readonly OwnedSet[],
): readonly Sizing[] {
  const emptied = changed(old, () => 0)
  if (emptied.length > 0) return emptied
  if (old.some(({ present }) => present > 0)) return []
  return current === undefined ? [{ replicas }] : changed([current], () => replicas)
}

/** The present template's set grows as far as the surge allows. */
function grow(
  { replicas, surge }: Deployment,
  current: OwnedSet | undefined,
  old: readonly OwnedSet[],
): readonly Sizing[] {
  const total = sum(
    [...old, ...(current === undefined ? [] : [current])].map((set) => Math.max(set.replicas, set.active)),
  )
  const room = Math.max(0, replicas + surge - total)
  if (current === undefined) return [{ replicas: Math.min(replicas, room) }]
  if (current.replicas >= replicas) return changed([current], () => replicas)
  return changed([current], (set) => Math.min(replicas, set.replicas + room))
}

/** Earlier sets give up what does not serve, then what is not needed to stay available. */
function shrink(
  { replicas, unavailable }: Deployment,
  current: OwnedSet | undefined,
  old: readonly OwnedSet[],
): readonly Sizing[] {
  const needed = replicas - unavailable
  const starting = current === undefined ? 0 : current.replicas - current.available
  const total = sum(old.map((set) => set.replicas)) + (current?.replicas ?? 0)
  let spare = Math.max(0, total - needed - starting)
  let spareAvailable = Math.max(0, sum(old.map((set) => set.available)) + (current?.available ?? 0) - needed)
  const sizes = new Map<string, number>()
  const oldest = [...old].sort(byAge)
  for (const set of oldest) {
    const useless = Math.min(spare, set.replicas - set.available)
    spare -= useless
    sizes.set(set.name, set.replicas - useless)
  }
  for (const set of oldest) {
    const left = sizes.get(set.name) ?? 0
    // Only what still serves is left to give once the useless ones are gone.
    const given = left > set.available ? 0 : Math.min(spare, spareAvailable, left)
    spare -= given
    spareAvailable -= given
    sizes.set(set.name, left - given)
  }
  return changed(oldest, (set) => sizes.get(set.name) ?? set.replicas)
}

function changed(sets: readonly OwnedSet[], size: (set: OwnedSet, index: number) => number): readonly Sizing[] {
  return sets.flatMap((set, index) => {
    const replicas = size(set, index)
    return replicas === set.replicas ? [] : [{ name: set.name, replicas }]
  })
}

/** Splits a total in the proportion of the parts: whole numbers, the largest remainders rounded up. */
function proportional(parts: readonly number[], total: number): readonly number[] {
  const whole = sum(parts)
  const exact = parts.map((part) => (part * total) / whole)
  const floors = exact.map(Math.floor)
  const missing = total - sum(floors)
  const order = exact.map((value, index) => ({ index, rest: value - Math.floor(value) }))
  order.sort((a, b) => b.rest - a.rest || a.index - b.index)
  const lucky = new Set(order.slice(0, missing).map(({ index }) => index))
  return floors.map((value, index) => value + (lucky.has(index) ? 1 : 0))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
