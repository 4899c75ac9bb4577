/**
 * Looking at something that may not be there.
 * @module
 */
import type { Read } from '../facts.ts'

/** What a look gives, or the reason why it gives nothing. */
export function reading<T>(look: () => T): Read<T> {
  try {
    return { ok: true, value: look() }
  } catch (error) {
    return { ok: false, reason: reasonOf(error) }
  }
}

/** The same of a look that takes its time. */
export async function readingLater<T>(look: () => Promise<T>): Promise<Read<T>> {
  try {
    return { ok: true, value: await look() }
  } catch (error) {
    return { ok: false, reason: reasonOf(error) }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // The runtime's own words begin with the name of the error, and name the call.
  const missing = 'code' in error && error.code === 'ENOENT' && 'path' in error
  return missing ? `there is no ${String(error.path)}` : error.message
}
