/**
 * Waits until a watch told what was written: whoever decides before that decides from the past.
 * @module
 */
import { sleep } from '../../registry/backoff.ts'

/** A watch that lives is never so late. */
const PATIENCE_MS = 10_000

/** Tells who waits what was heard. */
export class Heard {
  readonly #waiting = new Map<string, Set<(revision: string | undefined) => void>>()

  /** When an object is heard of at a revision, or a later one, or that it is gone. Throws when that takes too long. */
  async until(name: string, revision: string, known: string | undefined, signal: AbortSignal): Promise<void> {
    if (isSince(known, revision)) return
    const { promise, resolve } = Promise.withResolvers<'heard'>()
    const listener = (told: string | undefined): void => {
      if (told === undefined || isSince(told, revision)) resolve('heard')
    }
    const listeners = this.#waiting.get(name) ?? new Set()
    this.#waiting.set(name, listeners.add(listener))
    const over = new AbortController()
    try {
      const late = sleep(PATIENCE_MS, AbortSignal.any([signal, over.signal])).then(() => 'late' as const)
      const end = await Promise.race([promise, late])
      if (end === 'late' && !signal.aborted)
        throw new Error(`the API server does not tell of ${name}, which was written`)
    } finally {
      over.abort()
      listeners.delete(listener)
      if (listeners.size === 0) this.#waiting.delete(name)
    }
  }

  /** An object was heard of, or that it is gone. */
  tell(name: string, revision: string | undefined): void {
    for (const listener of this.#waiting.get(name) ?? []) listener(revision)
  }
}

function isSince(known: string | undefined, revision: string): boolean {
  return known !== undefined && Number(known) >= Number(revision)
}
