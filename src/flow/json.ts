/**
 * JSON that carries bigints, as `{"$bigint":"<decimal>"}`: cookies, counters and wide fields survive the way between
 * an agent and who asks it.
 * @module
 */

/** Text that is not JSON, or a bigint in it that is none. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
  readonly code = 'JSON_INVALID'
}

/** A value as JSON text. `indent` as in `JSON.stringify`. */
export function encodeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, replaceBigint, indent)
}

/** The value of a JSON text. Throws {@link JsonError}. */
export function decodeJson(text: string): unknown {
  try {
    return JSON.parse(text, reviveBigint)
  } catch (cause) {
    if (cause instanceof JsonError) throw cause
    throw new JsonError(`not JSON: ${cause instanceof Error ? cause.message.slice(0, 120) : 'unreadable'}`, { cause })
  }
}

/** 128 bits have 39 digits; whatever is longer is no number of ours. */
const DECIMAL = /^-?\d{1,40}$/

function replaceBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { $bigint: value.toString() } : value
}

function reviveBigint(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, '$bigint')) return value
  const { $bigint: digits, ...rest } = value as { $bigint: unknown }
  if (typeof digits === 'string' && DECIMAL.test(digits) && Object.keys(rest).length === 0) return BigInt(digits)
  throw new JsonError('a $bigint is not up to 40 decimal digits')
}
