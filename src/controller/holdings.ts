/**
 * Which ranges every node may keep.
 *
 * A node keeps its ranges as long as it exists, whatever becomes of its addresses; a new machine of the same name takes
 * them over. Where two records hold the same addresses, nodes come before external hosts, then the first by name
 * keeps them and the other gets new ones; one that was edited to hold them comes last. What a record that is to be deleted holds is free only when it is gone.
 *
 * As long as every range is one that is given out here, and nobody's twice, a change of one record is a change of its
 * ranges alone. Otherwise everything is sorted out anew.
 * @module
 */
import { NodeRanges } from '../ipam/node-ranges.ts'
import { type Cidr, overlaps } from '../network/model/address.ts'
import type { ClusterNetwork } from '../network/model/cluster.ts'

/** A name and the ranges that it lays claim to. */
export interface Claim {
  readonly name: string
  readonly ranges: readonly Cidr[]
}

/** Who holds which range. */
export class Holdings {
  readonly ranges: NodeRanges
  readonly #kept = new Map<string, readonly Cidr[]>()
  readonly #holders = new Map<Cidr, string>()
  readonly #odd: Cidr[] = []
  readonly #disputed = new Set<string>()

  /** Sorts out claims, those that come first first. Searches for free ranges go on at `position`. */
  constructor(networks: readonly ClusterNetwork[], claims: Iterable<Claim>, position?: readonly number[]) {
    this.ranges = new NodeRanges(networks, position)
    for (const { name, ranges } of claims) {
      const mine = ranges.filter((range) => this.#holders.get(range) === name || this.#isFree(range))
      for (const range of mine) this.#take(range, name)
      this.#kept.set(name, [...new Set([...this.of(name), ...mine])])
      if (mine.length < ranges.length) this.#disputed.add(name)
    }
  }

  /** Those who may not keep all that they lay claim to. */
  get disputed(): Iterable<string> {
    return this.#disputed
  }

  /** Whether every range is one that is given out here, and only one's. */
  get isPlain(): boolean {
    return this.#odd.length === 0 && this.#disputed.size === 0
  }

  /** What a name may keep. */
  of(name: string): readonly Cidr[] {
    return this.#kept.get(name) ?? []
  }

  /** Notes ranges just taken out of {@link ranges}. */
  add(name: string, gained: readonly Cidr[]): void {
    for (const range of gained) this.#holders.set(range, name)
    this.#kept.set(name, [...this.of(name), ...gained])
  }

  /** Notes what a name lays claim to now. False, and nothing noted, when that takes sorting out. */
  replace(name: string, wanted: readonly Cidr[]): boolean {
    const before = this.of(name)
    if (wanted.length === before.length && wanted.every((range) => before.includes(range))) {
      return !this.#disputed.has(name)
    }
    if (!this.isPlain || !wanted.every((range) => this.#isFreeFor(name, range))) return false
    for (const range of before) if (!wanted.includes(range)) this.#release(range)
    for (const range of wanted) this.#take(range, name)
    if (wanted.length === 0) this.#kept.delete(name)
    else this.#kept.set(name, wanted)
    return true
  }

  #isFreeFor(name: string, range: Cidr): boolean {
    if (!this.ranges.owns(range)) return false
    const holder = this.#holders.get(range)
    return holder === undefined || holder === name
  }

  #isFree(range: Cidr): boolean {
    if (this.#odd.some((other) => overlaps(other, range))) return false
    if (this.ranges.owns(range)) return !this.#holders.has(range)
    return ![...this.#holders.keys()].some((other) => overlaps(other, range))
  }

  #take(range: Cidr, name: string): void {
    this.#holders.set(range, name)
    if (this.ranges.owns(range)) this.ranges.mark(range)
    else {
      // A range outside the networks is kept as well: pods live in it, and giving them up helps nobody.
      this.ranges.reserve(range)
      this.#odd.push(range)
    }
  }

  #release(range: Cidr): void {
    this.#holders.delete(range)
    if (this.ranges.isTaken(range)) this.ranges.release(range)
  }
}
