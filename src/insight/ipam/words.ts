/**
 * Words about claims.
 * @module
 */
import type { GarbageBecause } from '../../ipam/claim-verdict.ts'

const GARBAGE_WORDS: { readonly [B in GarbageBecause]: string } = {
  'pod-gone': 'the pod is gone',
  'pod-replaced': 'another pod has its name now',
  'pod-ended': 'the pod has ended',
  'pod-overdue': 'the pod is being deleted, and its time is over',
  'sandbox-gone': 'the pod is being deleted, and has no sandbox any more',
  'set-gone': 'no StatefulSet has a place for the pod any more',
  'not-taken-over': 'the next pod of that name runs with another address',
  superseded: 'the pod has another address on that interface',
}

/** Why a claim is nobody's, as the end of a sentence. */
export function garbageWords(because: GarbageBecause): string {
  return GARBAGE_WORDS[because]
}

/** How long ago something was: `3 min`. */
export function ageWords(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}
