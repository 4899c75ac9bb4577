/**
 * JSON merge patches.
 * @module
 */
import { type Fields, isFields, own } from './json.ts'

/** RFC 7386, section 2: null removes, objects are joined, everything else replaces. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const merged = new Map<string, unknown>(isFields(target) ? Object.entries(target) : [])
  const before: Fields = isFields(target) ? target : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, mergePatch(own(before, key), value))
  }
  return Object.fromEntries(merged)
}
