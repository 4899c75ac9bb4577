/**
 * The objects of one resource in the order of their keys, and their last changes.
 * @module
 */
import type { Change, Entry } from './change.ts'

/** One resource in memory. */
export class Collection {
  readonly #entries = new Map<string, Entry>()
  /** The same entries by key, in order: lists are slices of it. */
  #sorted: Entry[] = []
  #changes: Change[] = []
  /** The revision after which every change is remembered. */
  #floor: number

  constructor(floor: number) {
    this.#floor = floor
  }

  get size(): number {
    return this.#entries.size
  }

  get floor(): number {
    return this.#floor
  }

  /** Every remembered change, oldest first. */
  get changes(): readonly Change[] {
    return this.#changes
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** Entries in order whose key is at least `from` and starts with `prefix`; a copy that later changes leave alone. */
  slice(prefix: string, from = prefix): readonly Entry[] {
    const start = this.#indexOf(from > prefix ? from : prefix)
    const end = prefix === '' ? this.#sorted.length : this.#indexOf(afterPrefix(prefix))
    return this.#sorted.slice(start, Math.max(start, end))
  }

  /** Takes what the disk held. The entries come in order. */
  load(entries: readonly Entry[], changes: readonly Change[]): void {
    this.#sorted = [...entries].sort((a, b) => (a.key < b.key ? -1 : 1))
    for (const entry of this.#sorted) this.#entries.set(entry.key, entry)
    this.#changes = [...changes]
  }

  apply(change: Change): void {
    this.#changes.push(change)
    const { key } = change.entry
    const index = this.#indexOf(key)
    const isThere = this.#sorted[index]?.key === key
    if (change.type === 'DELETED') {
      this.#entries.delete(key)
      if (isThere) this.#sorted.splice(index, 1)
      return
    }
    this.#entries.set(key, change.entry)
    if (isThere) this.#sorted[index] = change.entry
    else this.#sorted.splice(index, 0, change.entry)
  }

  /** Where in {@link changes} the first one after this revision is. */
  changesAfter(revision: number): number {
    let [low, high] = [0, this.#changes.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#changes[middle]?.revision ?? 0) > revision) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Forgets the oldest changes. Answers the new floor, or undefined when nothing was to be forgotten. */
  compact(keep: number, since: number): number | undefined {
    let drop = Math.max(0, this.#changes.length - keep)
    while (drop < this.#changes.length && (this.#changes[drop]?.at ?? since) < since) drop += 1
    const last = this.#changes[drop - 1]
    if (last === undefined) return undefined
    this.#changes = this.#changes.slice(drop)
    this.#floor = last.revision
    return this.#floor
  }

  #indexOf(key: string): number {
    let [low, high] = [0, this.#sorted.length]
    // Most objects come in order: a load, names with a counter.
    if ((this.#sorted[high - 1]?.key ?? '') < key) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sorted[middle]?.key ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The first text that is greater than all that start so. Prefixes here end in a slash. */
function afterPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}
