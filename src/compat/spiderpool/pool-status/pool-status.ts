/**
 * What a SpiderIPPool's status says: counts, and who has which address as long as that is little enough to be one text.
 * @module
 */
import type { AddressClaim } from '../../../network/model/pool.ts'
import { CLAIMED } from './foreign.ts'

/** A SpiderIPPool's `status`. */
export interface PoolStatus {
  readonly totalIPCount: number
  readonly allocatedIPCount: number
  /** JSON: `{"172.18.30.131":{"pod":"default/demo-1","podUid":"…","claimed":true}}`. Null: there are too many. */
  readonly allocatedIPs: string | null
}

/** Spiderpool's own limit on addresses in use; here only their listing ends. */
export const MOST_LISTED = 5_000
/** An object may have 1.5 MiB, and every change of one address sends the whole text to everybody who watches pools. */
export const MOST_LISTED_BYTES = 512 * 1024

type Allocated = Pick<AddressClaim, 'address' | 'namespace' | 'pod' | 'podUid'>

/** The status of a pool with `total` addresses and these claims, whichever their order. */
export function poolStatus(total: bigint, claims: readonly Allocated[]): PoolStatus {
  return {
    totalIPCount: countOf(total),
    allocatedIPCount: claims.length,
    allocatedIPs: listingOf(claims),
  }
}

/** A count as the API keeps it: numbers there are exact up to 2^53. */
export function countOf(count: bigint): number {
  return count > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(count)
}

/** Whether a text is too long for an object that many watch. */
export function isTooLong(text: string): boolean {
  return text.length > MOST_LISTED_BYTES || new TextEncoder().encode(text).length > MOST_LISTED_BYTES
}

function listingOf(claims: readonly Allocated[]): string | null {
  if (claims.length > MOST_LISTED) return null
  const sorted = claims.toSorted((a, b) => (a.address < b.address ? -1 : 1))
  const records = sorted.map(({ address, namespace, pod, podUid }) => [
    address,
    { pod: `${namespace}/${pod}`, podUid, [CLAIMED]: true },
  ])
  const text = JSON.stringify(Object.fromEntries(records))
  return isTooLong(text) ? null : text
}
