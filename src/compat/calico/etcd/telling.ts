/**
 * Revisions that say in which telling they were handed out: several watchers share one registry, and one of them may have listed
 * again while another was cut off. What a watch goes on after has to say by itself what its own watcher was told.
 * @module
 */

/** A power of two: with a telling as a fraction revisions up to 2^41 stay exact. */
const TELLINGS = 4096

/** A revision as it is handed out, in this telling; tellings are whole numbers, and begin anew after 4,096. */
export function toldIn(telling: number, revision: number): number {
  return revision + (telling % TELLINGS) / TELLINGS
}

/** The same as its source has it. */
export function sourceRevision(revision: number): number {
  return Math.floor(revision)
}

/** Whether a revision was handed out in this telling. */
export function isToldIn(telling: number, revision: number): boolean {
  return toldIn(telling, sourceRevision(revision)) === revision
}
