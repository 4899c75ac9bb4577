/**
 * Cookies: every flow says that it is ours, of which pipeline, whether it drops and why, and which object caused it.
 *
 * `| 0x57 | pipeline version | drop code, 0 if none | hash of the fragment's key |`, of 8, 8, 8 and 40 bits.
 * @module
 */
import { PIPELINE_VERSION } from './stages.ts'

const MAGIC = 0x57n
const HASH_BITS = 40n
const HASH_MASK = (1n << HASH_BITS) - 1n

/** What a cookie says. */
export interface CookieParts {
  readonly version: number
  readonly dropCode: number
  /** See {@link hashKey}. */
  readonly hash: bigint
}

/** The cookie of a flow that the fragment `key` caused. */
export function cookieOf(key: string, dropCode = 0): bigint {
  return (((MAGIC << 8n) | BigInt(PIPELINE_VERSION)) << 48n) | (BigInt(dropCode) << HASH_BITS) | hashKey(key)
}

/** What a cookie says, or undefined when it is none of ours. */
export function parseCookie(cookie: bigint): CookieParts | undefined {
  if (cookie >> 56n !== MAGIC) return undefined
  return {
    version: Number((cookie >> 48n) & 0xffn),
    dropCode: Number((cookie >> HASH_BITS) & 0xffn),
    hash: cookie & HASH_MASK,
  }
}

/** A 40-bit hash of a fragment's key. It names the object for people; nothing depends on its being unique. */
export function hashKey(key: string): bigint {
  let high = 0x811c9dc5
  let low = 0x9747b28c
  for (let i = 0; i < key.length; i += 1) {
    const unit = key.charCodeAt(i)
    high = Math.imul(high ^ unit, 0x01000193)
    low = Math.imul(low ^ unit, 0x85ebca6b) ^ (low >>> 13)
  }
  return (BigInt((high ^ (low >>> 16)) & 0xff) << 32n) | BigInt(low >>> 0)
}
