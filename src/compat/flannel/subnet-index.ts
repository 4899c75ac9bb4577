/**
 * Subnets, and which of them is in the way of another one: with as many steps as there are lengths of subnets, however many
 * subnets there are.
 * @module
 */
import { type Cidr, familyOf, firstIp, networkAround, prefixLength } from '../../network/model/address.ts'

/** Subnets of given lengths. */
export class SubnetIndex {
  readonly #lengths: { readonly [F in 4 | 6]: readonly number[] }
  /** A network of any of the lengths → a subnet that is it, or in it. */
  readonly #holding = new Map<Cidr, Cidr>()
  readonly #subnets = new Set<Cidr>()

  /** `every`: all subnets that will be added or asked for. */
  constructor(every: readonly Cidr[]) {
    const lengthsOf = (family: 4 | 6): readonly number[] => [
      ...new Set(every.filter((one) => familyOf(one) === family).map(prefixLength)),
    ]
    this.#lengths = { 4: lengthsOf(4), 6: lengthsOf(6) }
  }

  add(subnet: Cidr): void {
    this.#subnets.add(subnet)
    this.#holding.set(subnet, subnet)
    for (const around of this.#around(subnet)) if (!this.#holding.has(around)) this.#holding.set(around, subnet)
  }

  /** One that shares an address with a subnet. */
  inTheWayOf(subnet: Cidr): Cidr | undefined {
    return this.#holding.get(subnet) ?? this.#around(subnet).find((around) => this.#subnets.has(around))
  }

  #around(subnet: Cidr): readonly Cidr[] {
    const own = prefixLength(subnet)
    const shorter = this.#lengths[familyOf(subnet)].filter((length) => length < own)
    return shorter.map((length) => networkAround(firstIp(subnet), length))
  }
}
