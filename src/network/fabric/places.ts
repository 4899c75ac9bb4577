/**
 * What the node's kernel knows of the ways to other machines, and which of them its stack was set up for: packets are handed to a
 * way only once it is there, so that none is lost when one opens.
 * @module
 */
import { type Cidr, type Family, familyOf, type Ip } from '../model/address.ts'
import type { Fabric } from '../model/cluster.ts'
import type { NodeNetwork } from '../model/node.ts'
import { type DirectPlan, linksOf, type PeerPlace, type Place, samePlace } from './direct.ts'
import { type Reach, UNKNOWN_REACH } from './way.ts'

const NOT_LED = 'this node has yet to set up its own way there'

/** Ways to other machines, by their names. */
export class Places {
  readonly #known = new Map<string, PeerPlace>()
  /** By the ranges that it leads to. */
  #led: ReadonlyMap<Cidr, Led> = new Map()

  /** Returns whether it is anything new. */
  put(node: string, place: PeerPlace): boolean {
    if (samePlace(this.#known.get(node), place)) return false
    this.#known.set(node, place)
    return true
  }

  remove(node: string): void {
    this.#known.delete(node)
  }

  /** The node's stack is as this plan says. Returns those of the machines that are reached otherwise than before. */
  led(plan: DirectPlan | undefined, machines: Iterable<NodeNetwork>, way: Fabric['way']): readonly NodeNetwork[] {
    const before = [...machines].map((machine) => ({ machine, place: this.of(machine, way) }))
    this.#led = waysOf(plan)
    return before.filter(({ machine, place }) => !samePlace(place, this.of(machine, way))).map(({ machine }) => machine)
  }

  /** What is known of the ways to a machine in such a fabric. Those that the stack was not set up for are not open. */
  of(machine: NodeNetwork, way: Fabric['way']): PeerPlace {
    const known = this.#known.get(machine.node)
    if (known === undefined) return { reach: UNKNOWN_REACH, places: {} }
    const lacking = machine.ranges.flatMap((range): readonly (readonly [Cidr, string])[] => {
      const family = familyOf(range)
      const why = known.without?.[range] ?? (this.#isLed(range, known.places[family], way) ? undefined : NOT_LED)
      return known.reach[family] !== 'open' || why === undefined ? [] : [[range, why]]
    })
    const without = Object.fromEntries(lacking)
    const reachIn = (family: Family): Reach[Family] => {
      const { [family]: reach } = known.reach
      const ranges = machine.ranges.filter((range) => familyOf(range) === family)
      const why = ranges.every((range) => without[range] !== undefined) ? without[ranges[0] ?? ''] : undefined
      return reach !== 'open' || why === undefined ? reach : { why }
    }
    return {
      reach: { 4: reachIn(4), 6: reachIn(6) },
      places: known.places,
      ...(lacking.length === 0 ? {} : { without }),
    }
  }

  #isLed(range: Cidr, place: Place | undefined, way: Fabric['way']): boolean {
    const led = this.#led.get(range)
    if (led === undefined || place === undefined) return false
    // Routes that a BGP daemon learned are there before anybody knows of them. What comes back may come by any of its links.
    return linksOf(place).every((link) => led.links.has(link)) && (way === 'bgp' || led.via === place.address)
  }
}

/** By which links a range's packets are let in, and where they are led to. */
interface Led {
  readonly links: ReadonlySet<string>
  readonly via?: Ip
}

function waysOf(plan: DirectPlan | undefined): ReadonlyMap<Cidr, Led> {
  const { segments = [], routes = [] } = plan ?? {}
  const links = new Map<Cidr, Set<string>>()
  for (const { link, ranges } of segments)
    for (const range of ranges) links.set(range, (links.get(range) ?? new Set()).add(link))
  const via = new Map(routes.map((route) => [route.to, route.via]))
  return new Map(
    [...links].map(([range, all]) => {
      const hop = via.get(range)
      return [range, hop === undefined ? { links: all } : { links: all, via: hop }]
    }),
  )
}
