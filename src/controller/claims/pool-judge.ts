/**
 * Tells authors of SpiderIPPools what is wrong with them. Who gives addresses out finds the same by itself: nothing here is
 * needed for that.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { SPIDER_IP_POOLS } from '../../compat/spiderpool/resources.ts'
import { apiVersionOf } from '../../kube/object.ts'
import { WorkQueue } from '../../kube/queue.ts'
import type { Picked } from '../../kube/reflector.ts'
import type { MapChange } from '../../registry/reflect.ts'
import type { Complaints } from '../complaints.ts'
import type { ClaimIndex } from './claim-index.ts'
import { Pace } from './pace.ts'
import type { PoolEntry } from './pool-keeper.ts'
import { refusedPools, strandedText } from './pool-words.ts'
import type { Told } from './told.ts'

/** What pools are judged with. */
export interface PoolJudgeParts {
  readonly signal: AbortSignal
  readonly complaints: Complaints
  readonly told: Told
  readonly claims: Pick<ClaimIndex, 'ofPool'>
  readonly pools: () => ReadonlyMap<string, Picked<PoolEntry>>
}

/** All pools are judged together: what is wrong with one may be in another. No pool has this name. */
const ALL = ''

const REFUSED = 'RefusedPool'
const STRANDED = 'AddressesInUseRemoved'

/** Judges pools. */
export class PoolJudge {
  readonly #parts: PoolJudgeParts
  readonly #queue: WorkQueue
  readonly #pace = new Pace()
  #isReady = false

  constructor(parts: PoolJudgeParts) {
    this.#parts = parts
    this.#queue = new WorkQueue({
      signal: parts.signal,
      concurrency: 1,
      work: (name) => Promise.resolve(name === ALL ? this.#judge() : this.#lookAtHolders(name)),
      onError: (name, error) => parts.complaints.say(`cannot judge the SpiderIPPool ${name}`, error),
    })
  }

  get done(): Promise<void> {
    return this.#queue.done
  }

  /** Every pool and claim is known. */
  start(): void {
    this.#isReady = true
    this.#queue.add(ALL)
    for (const name of this.#parts.pools().keys()) this.#queue.add(name)
  }

  /** Most changes are of what the controller itself says of a pool. */
  poolChanged({ type, object, before }: MapChange<Picked<PoolEntry>>): void {
    if (!this.#isReady || (type === 'put' && isDeepStrictEqual(object.value.pool, before?.value.pool))) return
    this.#queue.add(ALL)
    this.#queue.add(object.name)
  }

  /** A number: once more after so many milliseconds. Many new pools are judged together. */
  #judge(): number | undefined {
    const entries = [...this.#parts.pools().values()]
    const pause = this.#pace.pause(ALL, entries.length)
    if (pause > 0) return pause
    this.#pace.wrote(ALL, '')
    const refused = refusedPools(entries.flatMap(({ value: { pool } }) => pool ?? []))
    for (const { name, value } of entries) this.#say(value, REFUSED, refused.get(name) ?? '')
    return undefined
  }

  #lookAtHolders(name: string): undefined {
    const entry = this.#parts.pools().get(name)?.value
    if (entry?.pool === undefined || entry.pool.problem !== undefined) return undefined
    const holders = this.#parts.claims.ofPool(name).map(({ value }) => value)
    this.#say(entry, STRANDED, strandedText(entry.pool, holders))
    return undefined
  }

  #say({ metadata }: PoolEntry, reason: string, text: string): void {
    this.#parts.told.say(
      { apiVersion: apiVersionOf(SPIDER_IP_POOLS), kind: SPIDER_IP_POOLS.kind, metadata },
      reason,
      text,
    )
  }
}
