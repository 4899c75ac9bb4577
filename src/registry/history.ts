/**
 * The last changes, each at its revision: what watchers read from. Bounded: a watcher that falls behind lists again.
 * @module
 */
import type { Kind, Stored } from './registry.ts'

/** A change of any kind. Every revision is exactly one. */
export interface Entry {
  readonly kind: Kind
  readonly type: 'put' | 'delete'
  readonly object: Stored<Kind>
}

/** A ring of the last changes. */
export class History {
  readonly #ring: Entry[] = []
  readonly #size: number
  readonly #start: number
  #revision: number

  /** Remembers `size` changes, of which the first will have the revision `start + 1`. */
  constructor(size: number, start: number) {
    this.#size = size
    this.#start = start
    this.#revision = start
  }

  /** The revision of the last change. */
  get revision(): number {
    return this.#revision
  }

  /** Adds the change with the next revision. */
  add(entry: Entry): void {
    this.#revision += 1
    this.#ring[this.#revision % this.#size] = entry
  }

  /** Whether every change after this revision is still here. A revision of the future is none of ours. */
  reaches(after: number): boolean {
    const oldest = Math.max(this.#start, this.#revision - this.#size)
    return after >= oldest && after <= this.#revision
  }

  /** The change with this revision; the caller knows that it is {@link reaches | here}. */
  at(revision: number): Entry | undefined {
    return this.#ring[revision % this.#size]
  }
}
