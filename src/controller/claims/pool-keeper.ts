/**
 * Keeps what a SpiderIPPool says of itself: how many addresses it has, who has them, and the labels and the finalizer that
 * Spiderpool's webhook would have given it.
 * @module
 */
import { createHash } from 'node:crypto'
import { weftBindings } from '../../compat/bindings.ts'
import { at } from '../../compat/fields.ts'
import { dress, POOL_CIDR_LABEL } from '../../compat/spiderpool/pool-status/dress.ts'
import { type ForeignAllocation, foreignAllocations } from '../../compat/spiderpool/pool-status/foreign.ts'
import { type PoolStatus, poolStatus } from '../../compat/spiderpool/pool-status/pool-status.ts'
import { SPIDER_IP_POOLS } from '../../compat/spiderpool/resources.ts'
import { sizeOf, without } from '../../ipam/range-set.ts'
import type { KubeApi } from '../../kube/api.ts'
import type { KubeObject, ObjectMeta } from '../../kube/object.ts'
import type { AddressPool } from '../../network/model/pool.ts'
import { decodeAddressPool } from '../../network/model/validate-pool.ts'
import type { Adopter } from './adoption.ts'
import type { ClaimIndex } from './claim-index.ts'
import { metadataKept, unlessOvertaken } from './objects.ts'
import { Pace } from './pace.ts'

/** What is kept of a pool's object. */
export interface PoolEntry {
  readonly metadata: ObjectMeta
  /** As far as it can be read. */
  readonly pool?: AddressPool
  /** What Spiderpool itself gave out of it and no claim is known of, until that is settled. */
  readonly foreign: readonly ForeignAllocation[]
  /** As it is written, for what is inherited. */
  readonly spec: unknown
  /** What its status says, briefly. */
  readonly digest: string
}

/** What pools are kept with. */
export interface PoolParts {
  readonly api: KubeApi
  readonly claims: ClaimIndex
  readonly adopter: Pick<Adopter, 'adopt'>
  pool(name: string): PoolEntry | undefined
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number
}

/** What is kept of a pool's object. */
export function poolEntry(object: KubeObject): PoolEntry {
  const decoded = decodeAddressPool(weftBindings.AddressPool.decode(object))
  const { ips: _, excludeIPs: __, ...spec } = Object(at(object, 'spec'))
  return {
    metadata: metadataKept(object.metadata),
    ...(decoded.ok ? { pool: decoded.value } : {}),
    foreign: foreignAllocations(at(object, 'status', 'allocatedIPs')),
    spec,
    digest: digestOf({
      totalIPCount: at(object, 'status', 'totalIPCount'),
      allocatedIPCount: at(object, 'status', 'allocatedIPCount'),
      allocatedIPs: at(object, 'status', 'allocatedIPs') ?? null,
    }),
  }
}

/** Claims that were just made are told of within this time, mostly. */
const HEARD_MS = 1_000
/** Somebody has to correct something first; its change is told of, too. */
const UNSETTLED_MS = 30_000

/** Keeps pools. */
export class PoolKeeper {
  readonly #parts: PoolParts
  readonly #pace: Pace

  constructor(parts: PoolParts) {
    this.#parts = parts
    this.#pace = new Pace(parts.now)
  }

  /** Brings a pool in line. A number: again after so many milliseconds. */
  async lookAfter(name: string): Promise<number | undefined> {
    const { pool, claims } = this.#parts
    const entry = pool(name)
    if (entry === undefined) {
      this.#pace.forget(name)
      return undefined
    }
    const pause = await this.#settle(entry)
    const missing = dress(entry, POOL_CIDR_LABEL, pause !== undefined || claims.countOf(name) > 0)
    if (missing !== undefined) await this.#dress(name, entry, missing)
    // What Spiderpool wrote is the only record of what it gave out, for as long as there are no claims.
    return pause ?? (await this.#tell(name, entry))
  }

  /** A number: not everything that Spiderpool gave out is known to be claimed, or to be nobody's; again after so many milliseconds. */
  async #settle({ foreign, pool }: PoolEntry): Promise<number | undefined> {
    if (foreign.length === 0) return undefined
    if (pool === undefined || pool.problem !== undefined) return UNSETTLED_MS
    const end = await this.#parts.adopter.adopt(pool, foreign)
    return end === 'done' ? undefined : end === 'made' ? HEARD_MS : UNSETTLED_MS
  }

  async #dress(name: string, { metadata }: PoolEntry, patch: Readonly<Record<string, unknown>>): Promise<void> {
    const { resourceVersion } = metadata
    const whole = { ...patch, metadata: { ...(patch['metadata'] as object), resourceVersion } }
    await this.#parts.api.patch(SPIDER_IP_POOLS, { name }, 'merge', whole).catch(unlessOvertaken)
  }

  /** A thousand pods at once are a few writes, and what somebody undoes is not written again at once. */
  async #tell(name: string, { metadata, pool, digest }: PoolEntry): Promise<number | undefined> {
    const { api, claims } = this.#parts
    const count = claims.countOf(name)
    const pause = this.#pace.pause(name, count)
    if (pause > 0) return pause
    const total = pool === undefined ? 0n : sizeOf(without(pool.ranges, pool.excluded))
    const status = poolStatus(
      total,
      claims.ofPool(name).map(({ value }) => value),
    )
    const wanted = digestOf(status)
    if (wanted === digest) return undefined
    const words = `${metadata.uid} ${wanted}`
    const insisting = this.#pace.insistence(name, words)
    if (insisting > 0) return insisting
    // Of what Spiderpool wrote meanwhile nothing is heard yet, and it must not be lost.
    const patch = { metadata: { uid: metadata.uid, resourceVersion: metadata.resourceVersion }, status }
    const written = await api.patch(SPIDER_IP_POOLS, { name }, 'merge', patch, 'status').catch(unlessOvertaken)
    if (written !== undefined) this.#pace.wrote(name, words)
    return undefined
  }
}

/** Listings may be long, and there may be many pools: of what was written a hash is remembered. */
function digestOf({
  totalIPCount,
  allocatedIPCount,
  allocatedIPs,
}: { readonly [K in keyof PoolStatus]: unknown }): string {
  const counts = JSON.stringify([totalIPCount, allocatedIPCount])
  if (typeof allocatedIPs !== 'string') return `${counts} ${JSON.stringify(allocatedIPs)}`
  return `${counts} ${createHash('sha256').update(allocatedIPs).digest('base64')}`
}
