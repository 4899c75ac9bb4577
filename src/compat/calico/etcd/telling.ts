/**
 * Revisions that say in which telling they were handed out: several watchers share one registry, and one of them may have listed
 * again while another was cut off. What a watch goes on after has to say by itself what its own watcher was told. Of places to go
 * on after alone: an object's own revision says when it was written, whoever lists.
 * @module
 */

/** A power of two: with a telling as a fraction revisions up to 2^37 stay exact. */
const TELLINGS = 65_536
/** Of every telling for which there is no fraction left. */
const LAST = TELLINGS - 1

/**
 * A revision as a place in this telling, a whole number from 0 that grows. Never a whole number itself: an object's own
 * revision is no place.
 */
export function toldIn(telling: number, revision: number): number {
  return revision + Math.min(telling + 1, LAST) / TELLINGS
}

/** The same as its source has it; an object's own revision is what it is. */
export function sourceRevision(revision: number): number {
  return Math.floor(revision)
}

/**
 * Whether a revision was handed out in this telling. After some 65,000 of them nobody can say so any more: whoever watches is
 * told to list again, and nobody takes what was told in one for what was told in another.
 */
export function isToldIn(telling: number, revision: number): boolean {
  return telling + 1 < LAST && toldIn(telling, sourceRevision(revision)) === revision
}
