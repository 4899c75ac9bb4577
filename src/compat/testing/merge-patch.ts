/**
 * Merge patches as an API server applies them (RFC 7386).
 * @module
 */

/** The target with the patch in it. */
export function mergePatched(target: unknown, patch: unknown): Record<string, unknown> {
  return merged(target, patch) as Record<string, unknown>
}

function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = merged(result[key], value)
  }
  return result
}

function isObject(input: unknown): input is Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}
