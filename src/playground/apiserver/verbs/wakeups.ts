/**
 * What a quiet watch waits for.
 * @module
 */

/** Why it woke up. */
export type Wakeup = 'change' | 'bookmark' | 'timeout' | 'stopped'

/** Where wake-ups come from; times in milliseconds. */
export interface WakeupSources {
  subscribe(wake: () => void): () => void
  readonly bookmarkInterval: number | undefined
  readonly timeout: number
  readonly signals: readonly AbortSignal[]
}

/** One waiter at a time; what happens while nobody waits is told to the next one. */
export class Wakeups {
  readonly #cleanups: (() => void)[] = []
  readonly #happened = new Set<Wakeup>()
  #waiter: ((reason: Wakeup) => void) | undefined

  constructor({ subscribe, bookmarkInterval, timeout, signals }: WakeupSources) {
    this.#cleanups.push(subscribe(() => this.#wake('change')))
    const deadline = setTimeout(() => this.#wake('timeout'), timeout)
    this.#cleanups.push(() => clearTimeout(deadline))
    if (bookmarkInterval !== undefined) {
      const bookmarks = setInterval(() => this.#wake('bookmark'), bookmarkInterval)
      this.#cleanups.push(() => clearInterval(bookmarks))
    }
    for (const signal of signals) {
      const stop = (): void => this.#wake('stopped')
      if (signal.aborted) this.#happened.add('stopped')
      signal.addEventListener('abort', stop)
      this.#cleanups.push(() => signal.removeEventListener('abort', stop))
    }
  }

  next(): Promise<Wakeup> {
    // The end comes before changes, changes before bookmarks: a bookmark speaks for all before it.
    const reason = ORDER.find((candidate) => this.#happened.has(candidate))
    if (reason !== undefined) {
      this.#happened.delete(reason)
      return Promise.resolve(reason)
    }
    return new Promise((resolve) => {
      this.#waiter = resolve
    })
  }

  /** Forgets everybody; a waiter is told. */
  end(): void {
    for (const cleanup of this.#cleanups.splice(0)) cleanup()
    this.#wake('stopped')
  }

  #wake(reason: Wakeup): void {
    const waiter = this.#waiter
    this.#waiter = undefined
    if (waiter === undefined) this.#happened.add(reason)
    else waiter(reason)
  }
}

const ORDER: readonly Wakeup[] = ['stopped', 'timeout', 'change', 'bookmark']
