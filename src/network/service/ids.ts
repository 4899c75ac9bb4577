/**
 * Numbers for groups and their buckets. They are hashes of names: the same after a restart, so that a new agent finds
 * the groups of the old one as it left them.
 * @module
 */

/** OpenFlow's largest group number is 0xffffff00; we stay in the lower half. */
const GROUP_BITS = 0x7fffffff
/** OpenFlow's largest bucket number is 0xffffff00. */
const BUCKET_BITS = 0x7fffffff

/** Gives every name a number of its own. */
export class GroupIds {
  readonly #ids = new Map<string, number>()
  readonly #names = new Map<number, string>()

  /** The number of this name; given out when it has none. */
  of(name: string): number {
    const known = this.#ids.get(name)
    if (known !== undefined) return known
    let id = hash(name) & GROUP_BITS
    while (id === 0 || this.#names.has(id)) id = (id + 1) & GROUP_BITS
    this.#ids.set(name, id)
    this.#names.set(id, name)
    return id
  }

  /** The number is needed no more. */
  release(id: number): void {
    const name = this.#names.get(id)
    if (name === undefined) return
    this.#ids.delete(name)
    this.#names.delete(id)
  }
}

/** A number for each of these names, which are all different. A name has the same whoever else is there, but for rare collisions. */
export function bucketIds(names: readonly string[]): readonly number[] {
  const taken = new Set<number>()
  return names.map((name) => {
    let id = hash(name) & BUCKET_BITS
    while (taken.has(id)) id = (id + 1) & BUCKET_BITS
    taken.add(id)
    return id
  })
}

/** 32 bits of a text. FNV-1a, mixed once more: neighbouring addresses differ in their last characters only. */
export function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
