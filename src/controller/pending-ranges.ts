/**
 * The ranges that names are about to have, before a record says so: brought by an update, or only chosen so far.
 *
 * An update that was given up without an answer may be made later, however late. But it names the revision that it
 * replaces: it can only be made as long as the record is at that revision. With the record's next revision, and with its
 * end, it is over, and what it would have brought is only chosen. A creation has no such bound, so creations bring no
 * ranges. What is only chosen is free as soon as it is not wanted any more. So no clock is needed, and nothing is kept
 * for ever because of an answer that never comes.
 * @module
 */
import type { Cidr } from '../network/model/address.ts'

interface Pending {
  readonly ranges: readonly Cidr[]
  /** What the update that brings them replaces; undefined: no write brings them so far. */
  readonly revision: number | undefined
}

/** Ranges that names are about to have. */
export class PendingRanges {
  readonly #pending = new Map<string, Pending>()

  /** Those of a name. */
  of(name: string): readonly Cidr[] {
    return this.#pending.get(name)?.ranges ?? []
  }

  *[Symbol.iterator](): Generator<readonly [name: string, ranges: readonly Cidr[]]> {
    for (const [name, { ranges }] of this.#pending) yield [name, ranges]
  }

  /** A name is to have these. */
  choose(name: string, ranges: readonly Cidr[]): void {
    this.#pending.set(name, { ranges, revision: undefined })
  }

  /** What was only chosen for a name is not wanted any more. False when nothing was. */
  unchoose(name: string): boolean {
    const pending = this.#pending.get(name)
    return pending !== undefined && pending.revision === undefined && this.#pending.delete(name)
  }

  /** Nothing that was only chosen is wanted any more. */
  unchooseAll(): void {
    for (const name of this.#pending.keys()) this.unchoose(name)
  }

  /**
   * An update that replaces `revision` brings these. Earlier ones that replace the same may be made instead of it. True
   * when some are not about to come any more.
   */
  bring(name: string, ranges: readonly Cidr[], revision: number): boolean {
    const earlier = this.#pending.get(name)
    const rivals = earlier?.revision === revision ? earlier.ranges : []
    const all = [...new Set([...rivals, ...ranges])]
    this.#pending.set(name, { ranges: all, revision })
    return earlier?.ranges.some((range) => !all.includes(range)) ?? false
  }

  /** A name's record is at this revision; undefined: there is none. */
  recordIsAt(name: string, revision: number | undefined): void {
    const pending = this.#pending.get(name)
    if (pending !== undefined && pending.revision !== revision) this.choose(name, pending.ranges)
  }
}
