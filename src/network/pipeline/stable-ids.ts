/**
 * The numbers that flows call things by: groups, classes of pods, sets of peers, firewalls. They are hashes of names: the
 * same after a restart, so that a new agent finds what the old one installed as it left it.
 * @module
 */

/** Half of what a register or `conj_id` holds. OpenFlow's largest group number is 0xffffff00. */
const MASK = 0x7fffffff

/** Gives every name a number of its own, never 0: that is what a register holds that nobody set. */
export class StableIds {
  readonly #ids = new Map<string, number>()
  readonly #names = new Map<number, string>()

  /** The number of this name; given out when it has none. */
  of(name: string): number {
    const known = this.#ids.get(name)
    if (known !== undefined) return known
    let id = hash32(name) & MASK
    while (id === 0 || this.#names.has(id)) id = (id + 1) & MASK
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

/** 32 bits of a text. FNV-1a, mixed once more: neighbouring addresses differ in their last characters only. */
export function hash32(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}
