/**
 * Objects that are there and mean nothing: why, for as long as it is so and no longer, and who is told.
 *
 * What is read may be old when it arrives: an answer is overtaken by a watch, one watch lags behind another. So that no old
 * reason stays, a reason counts only where it is news: above the revision up to which everything is known, or in
 * answer to a question that was put after that became known.
 * @module
 */
import type { Kind } from '../registry/registry.ts'

/** An object that means nothing in its kind. */
export interface InvalidObject {
  readonly kind: Kind
  readonly name: string
  readonly revision: number
  /** What is wrong and what to do, for people. */
  readonly problem: string
}

/** Is told of an object that means nothing; or of what was told of it, which is over. */
export type OnInvalid = (invalid: InvalidObject) => void

/** Why objects that are there cannot be read, by `<kind>/<name>`. */
export interface Unreadable extends Iterable<readonly [object: string, problem: string]> {
  get(object: string): string | undefined
}

/** Who tells of objects that are there and mean nothing. */
export interface InvalidTeller {
  /** Why they cannot be read, for as long as it is so, as far as they are listed and watched. */
  readonly unreadable: Unreadable
  /** Tells of each, and when that is over, from now on. Returns the undo. */
  onInvalid(told: OnInvalid, over?: OnInvalid): () => void
}

/** What hears how objects are. `id` is an object's own in its kind, whatever it says of itself. */
export interface Witness {
  invalid(id: string, invalid: InvalidObject): void
  /** Since this revision there is nothing to say against it: it was corrected, is gone, or is none of the kind. */
  settled(kind: Kind, id: string, revision: number): void
}

/** More objects of a kind than this are not remembered: those beyond may be reported again. */
const MOST = 10_000

/**
 * The invalid objects of one place, every kind's in one registry: the only memory of them. Each revision of an object is
 * told of once, however often it is read. As a witness itself it hears of what a watch tells and a write answers.
 */
export class InvalidObjects implements Unreadable, Witness {
  readonly #listeners = new Set<{ readonly told: OnInvalid; readonly over: OnInvalid | undefined }>()
  readonly #kinds = new Map<Kind, Notes>()
  /** Counts questions. */
  #clock = 0

  /** Tells of objects from now on, and of the end of what was told. Returns the undo. */
  listen(told: OnInvalid, over?: OnInvalid): () => void {
    const listener = { told, over }
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  get(object: string): string | undefined {
    const notes = this.#kinds.get(object.slice(0, object.indexOf('/')) as Kind)?.byId.values() ?? []
    for (const { invalid } of notes) if (keyOf(invalid) === object) return invalid.problem
    return undefined
  }

  *[Symbol.iterator](): Generator<readonly [string, string]> {
    for (const { byId } of this.#kinds.values()) {
      for (const { invalid } of byId.values()) yield [keyOf(invalid), invalid.problem]
    }
  }

  /**
   * To be called before a source is asked of a kind. `isCurrent`: the answer will not be older than the question, so that it
   * counts also where the source has lost its history and counts anew.
   */
  ask(kind: Kind, isCurrent = true): Question {
    if (isCurrent) this.#clock += 1
    const since = isCurrent ? this.#clock : 0
    const found = new Set<string>()
    return {
      invalid: (id, invalid) => {
        found.add(id)
        this.#note(id, invalid, since)
      },
      settled: (_, id, revision) => this.#settle(kind, id, revision, since),
      gone: (id) => this.#settle(kind, id, -1, since),
      listed: (revision) => this.#listed(kind, found, revision, since),
    }
  }

  invalid(id: string, invalid: InvalidObject): void {
    this.#note(id, invalid, 0)
  }

  settled(kind: Kind, id: string, revision: number): void {
    this.#settle(kind, id, revision, 0)
  }

  /** A watch has told everything of a kind up to this revision. */
  reached(kind: Kind, revision: number): void {
    const notes = this.#notesOf(kind)
    if (revision > notes.revision) notes.revision = revision
    notes.clock = this.#clock
  }

  #note(id: string, invalid: InvalidObject, since: number): void {
    const notes = this.#notesOf(invalid.kind)
    const before = notes.byId.get(id)
    if (before?.invalid.revision === invalid.revision && before.invalid.problem === invalid.problem) return
    const known = before === undefined ? notes : { clock: before.clock, revision: before.invalid.revision }
    if (known.clock >= since && known.revision >= invalid.revision) return
    if (before !== undefined && before.invalid.name !== invalid.name) this.#settle(invalid.kind, id, Infinity, since)
    notes.byId.delete(id)
    // Were the oldest forgotten for it, a listing of one too many would forget each just before it comes to it.
    if (notes.byId.size < MOST) notes.byId.set(id, { invalid, clock: this.#clock })
    for (const { told } of this.#listeners) told(invalid)
  }

  #settle(kind: Kind, id: string, revision: number, since: number): void {
    const notes = this.#kinds.get(kind)
    const note = notes?.byId.get(id)
    if (notes === undefined || note === undefined) return
    if (note.clock >= since && note.invalid.revision > revision) return
    notes.byId.delete(id)
    for (const { over } of this.#listeners) over?.(note.invalid)
  }

  #listed(kind: Kind, found: ReadonlySet<string>, revision: number, since: number): void {
    const notes = this.#notesOf(kind)
    for (const id of notes.byId.keys()) if (!found.has(id)) this.#settle(kind, id, revision, since)
    if (notes.clock < since || notes.revision < revision) notes.revision = revision
    notes.clock = this.#clock
  }

  #notesOf(kind: Kind): Notes {
    const notes = this.#kinds.get(kind) ?? { byId: new Map<string, Note>(), revision: -1, clock: -1 }
    this.#kinds.set(kind, notes)
    return notes
  }
}

/** One question to a source, and its answer. */
export interface Question extends Witness {
  /** There is no such object. */
  gone(id: string): void
  /** The kind has no invalid objects, at this revision, but those that this question was told of. */
  listed(revision: number): void
}

interface Note {
  readonly invalid: InvalidObject
  /** When it was heard of. */
  readonly clock: number
}

/** A kind's, and up to which revision everything is known; `clock`: when that was last heard. */
interface Notes {
  readonly byId: Map<string, Note>
  revision: number
  clock: number
}

/** A line for each of them. `wordOf` says what people call a kind; absent: as we do. */
export function linesOf(unreadable: Unreadable, wordOf: (kind: Kind) => string = (kind) => kind): readonly string[] {
  return [...unreadable].map(([object, problem]) => {
    const end = object.indexOf('/')
    return `${wordOf(object.slice(0, end) as Kind)} ${object.slice(end + 1)}: ${problem}`
  })
}

function keyOf({ kind, name }: InvalidObject): string {
  return `${kind}/${name}`
}
