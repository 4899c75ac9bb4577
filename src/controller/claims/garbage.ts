/**
 * Gives back addresses that are nobody's any more. What is decided from what is known here is decided once more from what
 * the API server says at that moment, and the claim goes only if it is still as it was.
 * @module
 */
import { type GarbageBecause, judgeClaim, type Verdict } from '../../ipam/claim-verdict.ts'
import type { PodLife, PodSetLife } from '../../network/model/pod-life.ts'
import { type ClaimIndex, type IndexedClaim, podKey, setKey } from './claim-index.ts'

/** What a collector looks at and does. */
export interface CollectorParts {
  readonly claims: ClaimIndex
  /** What was heard of a pod or a StatefulSet, by `<namespace>/<name>`. */
  readonly known: { pod(key: string): PodLife | undefined; set(key: string): PodSetLife | undefined }
  /** What the API server says now. */
  readonly live: {
    pod(namespace: string, name: string): Promise<PodLife | undefined>
    set(namespace: string, name: string): Promise<PodSetLife | undefined>
  }
  /** Deletes a claim if it is still as it was known. False: it is not. */
  release(claim: IndexedClaim): Promise<boolean>
  /** Hears of every claim that went. */
  onReleased?(claim: IndexedClaim, because: GarbageBecause): void
  /** Milliseconds since 1970. */
  now(): number
}

/** Looks after claims. */
export class Collector {
  readonly #parts: CollectorParts

  constructor(parts: CollectorParts) {
    this.#parts = parts
  }

  /** Looks at one claim, and gives its address back if it is nobody's. A number: look again after so many milliseconds. */
  async lookAt(name: string): Promise<number | undefined> {
    const { claims, known, live, release, onReleased } = this.#parts
    const claim = claims.get(name)
    if (claim === undefined) return undefined
    const { namespace, pod, owner } = claim.value
    const set = setKey(claim.value)
    const heard = this.#judge(claim, known.pod(podKey(claim.value)), set === undefined ? undefined : known.set(set))
    if (heard.is === 'kept') return heard.recheck
    const [livePod, liveSet] = await Promise.all([
      live.pod(namespace, pod),
      set === undefined ? undefined : live.set(namespace, owner?.name ?? ''),
    ])
    const seen = this.#judge(claim, livePod, liveSet)
    if (seen.is === 'kept') return seen.recheck ?? LOOK_AGAIN_MS
    if (await release(claim)) onReleased?.(claim, seen.because)
    return undefined
  }

  #judge(claim: IndexedClaim, pod: PodLife | undefined, set: PodSetLife | undefined): Verdict {
    const { claims, now } = this.#parts
    return judgeClaim(claim, { pod, set, all: claims.ofPod(podKey(claim.value)), now: now() })
  }
}

/** What was heard and what is differ: whoever tells of pods is late. */
const LOOK_AGAIN_MS = 30_000
