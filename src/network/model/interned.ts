/**
 * Equal values as one object.
 * @module
 */

/**
 * Remembers values by a key that says all about them: those that come again are the same object, and cost no memory.
 * What has not come for long is forgotten; so no more than twice `most` are kept, whatever comes.
 */
export class Interned<T> {
  readonly #most: number
  #young = new Map<string, T>()
  #old: ReadonlyMap<string, T> = new Map()

  constructor(most: number) {
    this.#most = most
  }

  /** The value of this key: the one that is there, or that `make` makes. */
  of(key: string, make: () => T): T {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const value = this.#old.get(key) ?? make()
    if (this.#young.size >= this.#most) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
    return value
  }
}
