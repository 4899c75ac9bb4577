/**
 * Claims as a controller knows them: by pod, by pool and by StatefulSet, so that an event costs the same however many
 * there are.
 * @module
 */
import type { ClaimObject } from '../../compat/weft/claim-object.ts'
import { isSticky, type KnownClaim } from '../../ipam/claim-verdict.ts'
import type { Picked } from '../../kube/reflector.ts'
import type { AddressClaim } from '../../network/model/pool.ts'
import type { MapChange } from '../../registry/reflect.ts'
import { Groups } from '../groups.ts'

/** A claim with what a call about it needs. */
export interface IndexedClaim extends KnownClaim {
  readonly name: string
  readonly uid: string
  readonly resourceVersion: string
}

/** The name of a pod in the index. */
export function podKey({ namespace, pod }: Pick<AddressClaim, 'namespace' | 'pod'>): string {
  return `${namespace}/${pod}`
}

/** Claims by what they speak of. */
export class ClaimIndex {
  readonly #claims = new Map<string, IndexedClaim>()
  readonly #byPod = new Groups()
  readonly #byPool = new Groups()
  readonly #bySet = new Groups()

  /** All of them. */
  get all(): ReadonlyMap<string, IndexedClaim> {
    return this.#claims
  }

  get(name: string): IndexedClaim | undefined {
    return this.#claims.get(name)
  }

  /** Those of the pods that have, or had, a name: `<namespace>/<name>`. */
  ofPod(key: string): readonly IndexedClaim[] {
    return this.#these(this.#byPod.get(key))
  }

  ofPool(pool: string): readonly IndexedClaim[] {
    return this.#these(this.#byPool.get(pool))
  }

  /** How many a pool has. */
  countOf(pool: string): number {
    return this.#byPool.get(pool).size
  }

  /** Those that wait for a StatefulSet's pods: `<namespace>/<name>`. */
  ofSet(key: string): readonly IndexedClaim[] {
    return this.#these(this.#bySet.get(key))
  }

  /** Takes in a change. Answers with what was known and what is. */
  apply({ type, object }: MapChange<Picked<ClaimObject>>, now: number) {
    const { name } = object
    const before = this.#claims.get(name)
    const { claim, uid, resourceVersion } = object.value
    if (before !== undefined) this.#forget(before)
    if (type === 'delete' || claim.is === 'none') return { before, after: undefined }
    const { value } = claim
    const since = before?.uid === uid ? before.since : now
    const after: IndexedClaim = {
      name,
      uid,
      resourceVersion,
      value,
      revision: Number(resourceVersion),
      since,
      unchangedSince: now,
    }
    this.#claims.set(name, after)
    this.#byPod.add(podKey(value), name)
    this.#byPool.add(value.pool, name)
    for (const key of setKeys(value)) this.#bySet.add(key, name)
    return { before, after }
  }

  #forget({ name, value }: IndexedClaim): void {
    this.#claims.delete(name)
    this.#byPod.delete(podKey(value), name)
    this.#byPool.delete(value.pool, name)
    for (const key of setKeys(value)) this.#bySet.delete(key, name)
  }

  #these(names: ReadonlySet<string>): readonly IndexedClaim[] {
    return [...names].flatMap((name) => this.#claims.get(name) ?? [])
  }
}

/** The StatefulSet that a claim waits for. */
export function setKey(claim: AddressClaim): string | undefined {
  return isSticky(claim) && claim.owner !== undefined ? `${claim.namespace}/${claim.owner.name}` : undefined
}

function setKeys(claim: AddressClaim): readonly string[] {
  const key = setKey(claim)
  return key === undefined ? [] : [key]
}
