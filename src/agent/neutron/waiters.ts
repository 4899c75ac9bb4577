/**
 * Those who wait for something that others bring, served in the order in which they came.
 * @module
 */

interface Waiter<Order, Thing> {
  readonly order: Order
  readonly served: PromiseWithResolvers<Thing>
}

/** How long somebody waits. */
export interface Patience {
  readonly milliseconds: number
  /** What is thrown when nothing came. */
  readonly late: () => Error
  readonly signal: AbortSignal
}

/** Who waits, and for what. */
export class Waiters<Order, Thing> {
  readonly #waiting = new Set<Waiter<Order, Thing>>()

  get orders(): readonly Order[] {
    return [...this.#waiting].map(({ order }) => order)
  }

  /** Resolves to what {@link serve} found for it. Rejects when nothing came in time, or the signal aborts. */
  async wait(order: Order, { milliseconds, late, signal }: Patience): Promise<Thing> {
    const waiter: Waiter<Order, Thing> = { order, served: Promise.withResolvers() }
    // At once: what is taken for somebody who does not wait any more is nobody's.
    const end = (error: unknown): void => {
      this.#waiting.delete(waiter)
      waiter.served.reject(error)
    }
    const stop = (): void => end(signal.reason)
    const timer = setTimeout(() => end(late()), milliseconds)
    signal.addEventListener('abort', stop, { once: true })
    this.#waiting.add(waiter)
    if (signal.aborted) stop()
    try {
      return await waiter.served.promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
      this.#waiting.delete(waiter)
    }
  }

  /** Gives each what `take` finds for it; what it throws is that waiter's. */
  serve(take: (order: Order) => Thing | undefined): void {
    for (const waiter of this.#waiting) {
      try {
        const thing = take(waiter.order)
        if (thing === undefined) continue
        this.#waiting.delete(waiter)
        waiter.served.resolve(thing)
      } catch (error) {
        this.#waiting.delete(waiter)
        waiter.served.reject(error)
      }
    }
  }
}
