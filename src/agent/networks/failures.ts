/**
 * What it means that undoing a network failed.
 * @module
 */
import { toCniError } from '../../cni/index.ts'

/** Whether it failed because somebody is away who will be back. */
export function isOfAway(error: unknown): boolean {
  return (
    toCniError(error).code === TRY_AGAIN ||
    (error instanceof Error && 'code' in error && error.code === 'REGISTRY_UNAVAILABLE')
  )
}

const TRY_AGAIN = 11

/** The first of what failed, to be thrown. */
export function firstOf(failures: readonly unknown[]): Error {
  const [first] = failures
  return first instanceof Error ? first : new Error(String(first))
}
