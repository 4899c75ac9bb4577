/**
 * What an object last was when it still could be read: a deletion carries that.
 *
 * Watchers lag behind each other, and a listing may be older than what a watch told. So what is known is replaced by what is newer, or
 * by the answer to a question that was put after it was learned: a server whose history was lost counts anew.
 * @module
 */
import type { Kind, Stored } from '../registry/registry.ts'

/** An object as it was, and which it was: another one of the same name may have come after it. */
export interface Seen<K extends Kind> {
  readonly uid: string
  readonly stored: Stored<K>
}

/** What objects last were, for the next process. Keys are objects' own in their kind. */
export interface LastGood {
  read<K extends Kind>(kind: K): readonly (readonly [key: string, seen: Seen<K>])[]
  /** All that is known of a kind now. Does not throw. */
  write<K extends Kind>(kind: K, entries: ReadonlyMap<string, Seen<K>>): void
}

/** Watchers of one process may lag behind each other by so many deletions. */
const MOST_DEPARTED = 4096

/** What a question may overrule: everything that was learned before, if its answer is not older than itself. */
export type Asked = number

/**
 * What is known of every kind. Who asks of one object by its name has a book of its own: that its listing has no other says nothing
 * of others.
 */
export class KnownKinds {
  readonly #books = new Map<string, Known<Kind>>()
  readonly #lastGoodOf: (kind: Kind) => LastGood | undefined

  /** `lastGoodOf`: of kinds that keep what they last were. */
  constructor(lastGoodOf: (kind: Kind) => LastGood | undefined) {
    this.#lastGoodOf = lastGoodOf
  }

  /** The book of a kind, or of one object of it. */
  of<K extends Kind>(kind: K, name?: string): Known<K> {
    const key = name === undefined ? kind : `${kind}/${name}`
    const before = this.#books.get(key)
    if (before !== undefined) return before as unknown as Known<K>
    const known = new Known(kind, name === undefined ? this.#lastGoodOf(kind) : undefined)
    this.#books.set(key, known as unknown as Known<Kind>)
    return known
  }
}

interface Present<K extends Kind> extends Seen<K> {
  /** When it was learned. */
  readonly clock: number
}

/** The last readable values of one kind's objects, shared by all its watchers. */
export class Known<K extends Kind> {
  readonly #kind: K
  readonly #lastGood: LastGood | undefined
  readonly #present: Map<string, Present<K>>
  readonly #departed = new Map<string, Stored<K>>()
  /** Counts questions. */
  #clock = 0

  /** What of the process before is known is in `lastGood`, and kept there. */
  constructor(kind: K, lastGood?: LastGood) {
    this.#kind = kind
    this.#lastGood = lastGood
    this.#present = new Map((lastGood?.read(kind) ?? []).map(([key, seen]) => [key, { ...seen, clock: 0 }]))
  }

  /** To be called before a listing is asked for. `isCurrent`: its answer will not be older than the question. */
  ask(isCurrent: boolean): Asked {
    if (!isCurrent) return 0
    this.#clock += 1
    return this.#clock
  }

  /** What a listing found, at its revision, in answer to a question. */
  replace(entries: readonly (readonly [string, Seen<K>])[], revision: number, asked: Asked): void {
    const found = new Map(entries)
    for (const [key, { clock, stored }] of this.#present) {
      if (!found.has(key) && (clock < asked || stored.revision <= revision)) this.#depart(key)
    }
    for (const [key, seen] of found) {
      const present = this.#present.get(key)
      const isOld = present !== undefined && present.clock >= asked && present.stored.revision > seen.stored.revision
      if (!isOld) this.#present.set(key, { ...seen, clock: this.#clock })
    }
    this.#keep()
  }

  /** What a watcher was told; one that lags behind tells nothing new. */
  learn(key: string, seen: Seen<K>): void {
    const present = this.#present.get(key)
    if (present !== undefined && present.stored.revision >= seen.stored.revision) return
    this.#present.set(key, { ...seen, clock: this.#clock })
    this.#keep()
  }

  /** This very object as it last could be read, while it is there; what another of its name was is nothing of it. */
  kept(key: string, uid: string): Stored<K> | undefined {
    const present = this.#present.get(key)
    return present?.uid === uid ? present.stored : undefined
  }

  /** What an object of this key last was, if that is known. */
  last(key: string): Stored<K> | undefined {
    return this.#present.get(key)?.stored ?? this.#departed.get(key)
  }

  /** The object is gone as of a revision; those who lag behind may still ask for it. */
  forget(key: string, revision: number): void {
    const present = this.#present.get(key)
    if (present === undefined || present.stored.revision > revision) return
    this.#depart(key)
    this.#keep()
  }

  #depart(key: string): void {
    const last = this.#present.get(key)
    if (last === undefined) return
    this.#present.delete(key)
    this.#departed.delete(key)
    this.#departed.set(key, last.stored)
    const [oldest] = this.#departed.keys()
    if (this.#departed.size > MOST_DEPARTED && oldest !== undefined) this.#departed.delete(oldest)
  }

  #keep(): void {
    this.#lastGood?.write(this.#kind, this.#present)
  }
}
