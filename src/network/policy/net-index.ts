/**
 * Networks that are found by others that they share addresses with, without a look at all: those around one by their
 * lengths, those within it by their order.
 * @module
 */
import {
  BITS,
  type Cidr,
  type Family,
  familyOf,
  firstIp,
  ipValue,
  networkAround,
  prefixLength,
} from '../model/address.ts'

/** Something of a network. */
export interface OfNet {
  readonly net: Cidr
}

/** Something that has a place among addresses. */
export interface Placed {
  readonly value: bigint
}

interface Place<T> extends Placed {
  readonly length: number
  readonly thing: T
}

/** Things by their networks. */
export class NetIndex<T extends OfNet> {
  readonly #around: { readonly [F in Family]: Map<number, Map<Cidr, T[]>> } = { 4: new Map(), 6: new Map() }
  readonly #ordered: { readonly [F in Family]: Place<T>[] } = { 4: [], 6: [] }

  constructor(things: readonly T[]) {
    for (const thing of things) {
      const { net } = thing
      const [family, length] = [familyOf(net), prefixLength(net)]
      const same = this.#around[family].get(length) ?? new Map<Cidr, T[]>()
      this.#around[family].set(length, same.set(net, [...(same.get(net) ?? []), thing]))
      this.#ordered[family].push({ value: ipValue(firstIp(net)), length, thing })
    }
    for (const family of [4, 6] as const) this.#ordered[family].sort((a, b) => (a.value < b.value ? -1 : 1))
  }

  /** Those whose network has an address in common with this one, in no order. */
  *meeting(net: Cidr): Generator<T> {
    const [family, length, first] = [familyOf(net), prefixLength(net), firstIp(net)]
    for (const [wider, things] of this.#around[family]) {
      if (wider <= length) yield* things.get(networkAround(first, wider)) ?? []
    }
    const places = this.#ordered[family]
    const value = ipValue(first)
    const beyond = value + (1n << BigInt(BITS[family] - length))
    for (let index = firstFrom(places, value); index < places.length; index += 1) {
      const place = places[index]
      if (place === undefined || place.value >= beyond) return
      if (place.length > length) yield place.thing
    }
  }
}

/** Where the first of these, which are in order, is that is not below a value. */
export function firstFrom(places: readonly Placed[], value: bigint): number {
  let [low, high] = [0, places.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((places[middle]?.value ?? value) < value) low = middle + 1
    else high = middle
  }
  return low
}
