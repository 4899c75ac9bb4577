/**
 * A sparse set of whole numbers that finds the next number that is not in it, however long the run of those that are.
 *
 * A tree of 32-bit words, level by level in maps: a bit on level 0 is a member, a bit on level n + 1 is a word of level n
 * that is full. Upper levels exist only where lower ones are full, so a thin set costs one map entry per 32 neighbours.
 * @module
 */

const WORD = 32
const FULL = -1

/** Numbers from 0 up to `size` (at most 2^48, exclusive) that are busy. */
export class BusySet {
  readonly #levels: Map<number, number>[] = []
  readonly #size: number
  #count = 0

  constructor(size: number) {
    this.#size = size
    for (let words = size; this.#levels.length === 0 || words > 1; words = Math.ceil(words / WORD)) {
      this.#levels.push(new Map())
    }
  }

  /** How many numbers are busy. */
  get count(): number {
    return this.#count
  }

  has(number: number): boolean {
    return (this.#wordAt(0, Math.floor(number / WORD)) & bit(number)) !== 0
  }

  /** Every busy number, in no order. Nothing may be added or deleted meanwhile. */
  *[Symbol.iterator](): IterableIterator<number> {
    for (const [key, word] of this.#levels[0] ?? []) {
      for (let index = 0; index < WORD; index += 1) if ((word & bit(index)) !== 0) yield key * WORD + index
    }
  }

  /** False when it was there already. */
  add(number: number): boolean {
    if (this.has(number)) return false
    this.#count += 1
    let index = number
    for (const level of this.#levels) {
      const key = Math.floor(index / WORD)
      const word = (level.get(key) ?? 0) | bit(index)
      level.set(key, word)
      if (word !== FULL) break
      index = key
    }
    return true
  }

  /** False when it was not there. */
  delete(number: number): boolean {
    if (!this.has(number)) return false
    this.#count -= 1
    let index = number
    for (const level of this.#levels) {
      const key = Math.floor(index / WORD)
      const before = level.get(key) ?? 0
      const word = before & ~bit(index)
      if (word === 0) level.delete(key)
      else level.set(key, word)
      if (before !== FULL) break
      index = key
    }
    return true
  }

  /** The lowest number from `from` on that is not busy, or undefined. */
  nextFree(from: number): number | undefined {
    let index = from
    for (let level = 0; level < this.#levels.length; level += 1) {
      const key = Math.floor(index / WORD)
      const free = ~this.#wordAt(level, key) & (FULL << (index % WORD))
      if (free !== 0) return this.#descend(level, key * WORD + lowestBit(free))
      index = key + 1
    }
    return undefined
  }

  /** The lowest number below a free bit of a level. */
  #descend(level: number, index: number): number | undefined {
    let found = index
    for (let below = level - 1; below >= 0; below -= 1) {
      found = found * WORD + lowestBit(~this.#wordAt(below, found))
    }
    return found < this.#size ? found : undefined
  }

  #wordAt(level: number, key: number): number {
    return this.#levels[level]?.get(key) ?? 0
  }
}

function bit(index: number): number {
  return 1 << (index % WORD)
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word)
}
