/**
 * Routes that a BGP daemon learned, found by the range that they lead to: a node looks for the ranges of all others at once, so
 * that asking every route for every range would cost the square of them.
 * @module
 */
import { type Cidr, type Family, familyOf, firstIp, networkAround, prefixLength } from '../model/address.ts'

/** What is needed of a route: its destination, a network in canonical form. */
export interface Destined {
  readonly destination: string
}

/** Routes, by where they lead. */
export class LearnedRoutes<R extends Destined> {
  readonly #byDestination = new Map<string, R>()
  /** The lengths there are of each family, longest first. */
  readonly #lengths: { readonly [F in Family]: readonly number[] }

  /** Of several with one destination the first counts: the kernel lists the one it takes first. */
  constructor(routes: Iterable<R>) {
    const lengths: { readonly [F in Family]: Set<number> } = { 4: new Set(), 6: new Set() }
    for (const route of routes) {
      const destination = route.destination as Cidr
      lengths[familyOf(destination)].add(prefixLength(destination))
      if (!this.#byDestination.has(destination)) this.#byDestination.set(destination, route)
    }
    this.#lengths = { 4: [...lengths[4]].sort((a, b) => b - a), 6: [...lengths[6]].sort((a, b) => b - a) }
  }

  /** The route that covers all of a range, as the kernel chooses it: with the longest prefix. */
  to(range: Cidr): R | undefined {
    const most = prefixLength(range)
    for (const length of this.#lengths[familyOf(range)]) {
      if (length > most) continue
      const route = this.#byDestination.get(networkAround(firstIp(range), length))
      if (route !== undefined) return route
    }
    return undefined
  }
}
