/**
 * All addresses, cut where some range begins or ends: whether a range holds an address is the same for all of a cell.
 * @module
 */
import {
  BITS,
  type Cidr,
  type Family,
  familyOf,
  firstIp,
  formatIp,
  type Ip,
  ipValue,
  lastIp,
} from '../../network/model/address.ts'

/** Cells from `from` up to but without `to`. */
export interface CellSpan {
  readonly from: number
  readonly to: number
}

/** The cells that some ranges make: those of IPv4 first, then those of IPv6, in the order of their addresses. */
export class Cells {
  /** The first address of each cell, by family. */
  readonly #starts: { readonly [F in Family]: readonly bigint[] }
  readonly #places: { readonly [F in Family]: ReadonlyMap<bigint, number> }

  constructor(ranges: Iterable<Cidr>) {
    const borders = { 4: new Set([0n]), 6: new Set([0n]) }
    for (const range of ranges) {
      const family = familyOf(range)
      const end = ipValue(lastIp(range)) + 1n
      borders[family].add(ipValue(firstIp(range)))
      if (end < 1n << BigInt(BITS[family])) borders[family].add(end)
    }
    this.#starts = { 4: sorted(borders[4]), 6: sorted(borders[6]) }
    this.#places = { 4: placesIn(this.#starts[4]), 6: placesIn(this.#starts[6]) }
  }

  get count(): number {
    return this.#starts[4].length + this.#starts[6].length
  }

  /** The cell that an address is in. */
  indexOf(address: Ip): number {
    const family = familyOf(address)
    const starts = this.#starts[family]
    const value = ipValue(address)
    let [low, high] = [0, starts.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0n) <= value) low = middle
      else high = middle
    }
    return this.#base(family) + low
  }

  /** The cells of one of the ranges that made these cells. */
  spanOf(range: Cidr): CellSpan {
    const family = familyOf(range)
    const places = this.#places[family]
    const end = places.get(ipValue(lastIp(range)) + 1n) ?? this.#starts[family].length
    return { from: this.#base(family) + (places.get(ipValue(firstIp(range))) ?? 0), to: this.#base(family) + end }
  }

  familyOf(cell: number): Family {
    return cell < this.#starts[4].length ? 4 : 6
  }

  /** The first address of a cell. */
  first(cell: number): Ip {
    const family = this.familyOf(cell)
    return formatIp(family, this.#starts[family][cell - this.#base(family)] ?? 0n)
  }

  /** The last address of a cell. */
  last(cell: number): Ip {
    const family = this.familyOf(cell)
    return formatIp(family, (this.#starts[family][cell + 1 - this.#base(family)] ?? 1n << BigInt(BITS[family])) - 1n)
  }

  /** How many addresses a cell has. */
  sizeOf(cell: number): bigint {
    return ipValue(this.last(cell)) - ipValue(this.first(cell)) + 1n
  }

  #base(family: Family): number {
    return family === 4 ? 0 : this.#starts[4].length
  }
}

function sorted(values: ReadonlySet<bigint>): readonly bigint[] {
  return [...values].sort((a, b) => (a < b ? -1 : 1))
}

function placesIn(starts: readonly bigint[]): ReadonlyMap<bigint, number> {
  return new Map(starts.map((start, i) => [start, i]))
}
