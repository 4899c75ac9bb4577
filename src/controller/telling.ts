/**
 * What is to be told to owners of objects, one after the other: every controller that begins to lead tells all of it anew, over the
 * connection on which it goes on to lead.
 * @module
 */
import { Bell } from './bell.ts'

/** How it is told. */
export interface TellingOptions<Item> {
  /** Tells of one; resolves when that is written or lost. */
  readonly tell: (item: Item) => Promise<void>
  /** So many are told of at a time. */
  readonly most: number
  /** Called when nothing more can be told now; as many wait. */
  readonly rest?: (waiting: number) => void
}

/** Things to tell of, by key, each once for as long as it is so. */
export class Telling<Item> {
  readonly #options: TellingOptions<Item>
  readonly #bell = new Bell()
  /** What was said, of those that were told of. */
  readonly #told = new Map<string, string>()
  /** Those that were not yet, in the order in which they came. */
  readonly #waiting = new Map<string, { readonly item: Item; readonly words: string }>()

  constructor(options: TellingOptions<Item>) {
    this.#options = options
  }

  /** Something to tell of; false where just these words were said. */
  put(key: string, item: Item, words: string): boolean {
    if (this.#told.get(key) === words) return false
    this.#told.delete(key)
    this.#waiting.set(key, { item, words })
    this.#bell.ring()
    return true
  }

  /** It is so no longer. */
  drop(key: string): void {
    this.#told.delete(key)
    this.#waiting.delete(key)
    this.#bell.ring()
  }

  /** Tells until `signal` aborts. */
  async work(signal: AbortSignal): Promise<void> {
    while (await this.#bell.rung(signal)) {
      for (let item = this.#take(); item !== undefined; item = this.#take()) {
        // Others have things to say, too, and a lease to renew.
        await this.#options.tell(item)
        if (signal.aborted) return
      }
      this.#options.rest?.(this.#waiting.size)
    }
  }

  /** The next, unless enough were told of. */
  #take(): Item | undefined {
    const [next] = this.#waiting
    if (next === undefined || this.#told.size >= this.#options.most) return undefined
    const [key, { item, words }] = next
    this.#waiting.delete(key)
    this.#told.set(key, words)
    return item
  }
}
