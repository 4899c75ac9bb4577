/**
 * The networks of all network sets that a rule selects. Whether an address is in one of them takes a look per length of
 * prefix that occurs, however many networks and sets there are.
 * @module
 */
import { type Cidr, type Family, familyOf, type Ip, networkAround, prefixLength } from '../model/address.ts'

/** How many sets have a network, by its length. */
type Lengths = Map<number, Map<Cidr, number>>

/** Networks by the set that they come from. */
export class ChosenNets {
  readonly #ofSet = new Map<string, ReadonlySet<Cidr>>()
  readonly #lengths: { readonly [F in Family]: Lengths } = { 4: new Map(), 6: new Map() }

  /** A set has these networks now. Returns those that it did not have before and those that it had. */
  put(set: string, nets: readonly Cidr[]): readonly Cidr[] {
    const [before, after] = [this.#ofSet.get(set) ?? NONE, new Set(nets)]
    const added = nets.length === 0 ? [] : [...after].filter((net) => !before.has(net))
    const removed = [...before].filter((net) => !after.has(net))
    if (after.size === 0) this.#ofSet.delete(set)
    else this.#ofSet.set(set, after)
    for (const net of added) this.#count(net, 1)
    for (const net of removed) this.#count(net, -1)
    return [...added, ...removed]
  }

  /** Whether some set has a network with this address in it. */
  hold(address: Ip): boolean {
    for (const [length, nets] of this.#lengths[familyOf(address)]) {
      if (nets.has(networkAround(address, length))) return true
    }
    return false
  }

  #count(net: Cidr, change: number): void {
    const lengths = this.#lengths[familyOf(net)]
    const length = prefixLength(net)
    const nets = lengths.get(length) ?? new Map<Cidr, number>()
    const count = (nets.get(net) ?? 0) + change
    if (count > 0) nets.set(net, count)
    else nets.delete(net)
    if (nets.size > 0) lengths.set(length, nets)
    else lengths.delete(length)
  }
}

const NONE: ReadonlySet<Cidr> = new Set()
