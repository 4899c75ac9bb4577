/**
 * The addresses that a pool gives out, numbered from 0 in the order in which it does so.
 * @module
 */
import { type Family, familyOf, formatIp, type Ip, ipValue } from '../network/model/address.ts'
import { type RangeSet, sizeOf } from './range-set.ts'

/** Only so many addresses have numbers: more than anybody searches, and less than what numbers hold exactly. */
const MAX_NUMBERED = 2 ** 48

interface Segment {
  readonly first: bigint
  readonly last: bigint
  /** The number of its first address. */
  readonly number: number
}

/** Addresses with their numbers; a space of any size costs as much as it has runs. */
export class AddressSpace {
  readonly family: Family
  /** How many addresses have a number. */
  readonly numbered: number
  /** How many there are. */
  readonly size: bigint
  readonly #segments: readonly Segment[]

  /** Of the runs those of the family count. */
  constructor(family: Family, set: RangeSet) {
    const runs = set.filter(({ first }) => familyOf(first) === family)
    const segments: Segment[] = []
    let number = 0
    for (const { first: from, last: to } of runs) {
      const [first, last] = [ipValue(from), ipValue(to)]
      segments.push({ first, last, number })
      number = Math.min(MAX_NUMBERED, number + Number(last - first) + 1)
      if (number === MAX_NUMBERED) break
    }
    this.family = family
    this.#segments = segments
    this.numbered = number
    this.size = sizeOf(runs)
  }

  /** The number of an address; undefined where it is not one of these, or has none. */
  numberOf(address: Ip): number | undefined {
    if (familyOf(address) !== this.family) return undefined
    const value = ipValue(address)
    const segment = this.#segmentBefore(({ first }) => first <= value)
    if (segment === undefined || value > segment.last) return undefined
    const number = segment.number + Number(value - segment.first)
    return number < MAX_NUMBERED ? number : undefined
  }

  /** The address with a number, which must be below {@link numbered}. */
  addressOf(number: number): Ip {
    const segment = this.#segmentBefore((one) => one.number <= number)
    if (segment === undefined || number >= this.numbered) throw new RangeError(`no address has the number ${number}`)
    return formatIp(this.family, segment.first + BigInt(number - segment.number))
  }

  /** The last segment that a test, true up to some segment and false behind it, holds for. */
  #segmentBefore(holds: (segment: Segment) => boolean): Segment | undefined {
    let [from, to] = [0, this.#segments.length]
    while (from < to) {
      const middle = (from + to) >> 1
      const segment = this.#segments[middle]
      if (segment !== undefined && holds(segment)) from = middle + 1
      else to = middle
    }
    return this.#segments[from - 1]
  }
}
