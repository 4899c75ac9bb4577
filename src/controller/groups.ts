/**
 * Names of objects by what they have in common, so that one change concerns only those that it does.
 * @module
 */

const NOBODY: ReadonlySet<string> = new Set()

/** Names by a key; a key without names takes no room. */
export class Groups {
  readonly #groups = new Map<string, Set<string>>()

  keys(): Iterable<string> {
    return this.#groups.keys()
  }

  get(key: string): ReadonlySet<string> {
    return this.#groups.get(key) ?? NOBODY
  }

  add(key: string, name: string): void {
    const group = this.#groups.get(key) ?? new Set()
    this.#groups.set(key, group.add(name))
  }

  delete(key: string, name: string): void {
    const group = this.#groups.get(key)
    group?.delete(name)
    if (group?.size === 0) this.#groups.delete(key)
  }
}
