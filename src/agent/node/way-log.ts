/**
 * By which way packets of pods go to each machine, since when, and what the way was before: told by `weft fabric show`. The
 * kernel and the cluster are the truth; this remembers only when it changed.
 * @module
 */
import type { Known, Place } from '../../network/fabric/direct.ts'
import { isRoute, type Way, type WayName, wayToRange } from '../../network/fabric/way.ts'
import { type Cidr, type Family, familyOf } from '../../network/model/address.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { RouteFact, WayFact } from '../control/facts.ts'

const FAMILIES: readonly Family[] = [4, 6]

interface Entry {
  readonly way: Way
  readonly since: number
  readonly before?: WayName
}

/** What is remembered of ways. */
export class WayLog {
  readonly #clock: () => number
  readonly #entries = new Map<string, Entry>()

  /** `clock` tells milliseconds since 1970. */
  constructor(clock: () => number = Date.now) {
    this.#clock = clock
  }

  /** Compares with what is known. */
  note(planner: NodePlanner): void {
    const present = new Set<string>()
    for (const known of planner.known())
      for (const family of FAMILIES) {
        const ways = waysOf(planner, known, family).map(([, way]) => way)
        // Of several ranges the one without a way tells what is to be looked at.
        const way = ways.find(({ is }) => !isRoute(is)) ?? ways[0]
        if (way === undefined) continue
        const key = keyOf(known.peer.node, family)
        present.add(key)
        this.#put(key, way)
      }
    for (const key of this.#entries.keys()) if (!present.has(key)) this.#entries.delete(key)
  }

  /** The ways to every machine as they are now, by its name. */
  facts(planner: NodePlanner): ReadonlyMap<string, readonly WayFact[]> {
    this.note(planner)
    return new Map(
      [...planner.known()].map((known) => [known.peer.node, FAMILIES.flatMap((f) => this.#fact(planner, known, f))]),
    )
  }

  #fact(planner: NodePlanner, known: Known, family: Family): readonly WayFact[] {
    const { peer, places } = known
    const entry = this.#entries.get(keyOf(peer.node, family))
    if (entry === undefined) return []
    const { way, since, before } = entry
    const ways = waysOf(planner, known, family)
    const ranges = ways.map(([range, one]) => ({ range, ...routeFact(one, places[family]) }))
    return [
      {
        family,
        ...routeFact(way, places[family]),
        ...(new Set(ways.map(([, { is }]) => is)).size > 1 ? { ranges } : {}),
        since: Math.floor(since / 1000),
        ...(before === undefined ? {} : { before }),
      },
    ]
  }

  #put(key: string, way: Way): void {
    const entry = this.#entries.get(key)
    // Another reason for the same way is no other way.
    if (entry?.way.is === way.is) this.#entries.set(key, { ...entry, way })
    else this.#entries.set(key, { way, since: this.#clock(), ...(entry === undefined ? {} : { before: entry.way.is }) })
  }
}

/** The way to each of its ranges. */
function waysOf({ context }: NodePlanner, known: Known, family: Family): readonly (readonly [range: Cidr, way: Way])[] {
  const ranges = known.peer.ranges.filter((range) => familyOf(range) === family)
  return ranges.map((range) => [range, wayToRange(context.cluster, known.peer, range, known)] as const)
}

function routeFact(way: Way, place: Place | undefined): RouteFact {
  return {
    way: way.is,
    ...('why' in way && way.why !== undefined ? { why: way.why } : {}),
    ...(place === undefined || !isRoute(way.is) ? {} : hopsOf(place)),
  }
}

function keyOf(node: string, family: Family): string {
  return `${family} ${node}`
}

function hopsOf({ address, link, others = [] }: Place): Pick<RouteFact, 'via' | 'link' | 'others'> {
  const further = others.map((hop) => ({ via: hop.address, link: hop.link }))
  return { via: address, link, ...(further.length === 0 ? {} : { others: further }) }
}
