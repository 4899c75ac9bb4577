/**
 * By which way packets of pods go to each machine, since when, and what the way was before: told by `weft fabric show`. The
 * kernel and the cluster are the truth; this remembers only when it changed.
 * @module
 */
import type { Known, Place } from '../../network/fabric/direct.ts'
import { type Way, wayToRange } from '../../network/fabric/way.ts'
import { type Family, familyOf } from '../../network/model/address.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { WayFact } from '../control/facts.ts'

const FAMILIES: readonly Family[] = [4, 6]

interface Entry {
  readonly way: Way
  readonly since: number
  readonly before?: Way['is']
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
        const ranges = known.peer.ranges.filter((range) => familyOf(range) === family)
        const ways = ranges.map((range) => wayToRange(planner.context.cluster, known.peer, range, known))
        // Of several ranges the one without a way tells what is to be looked at.
        const way = ways.find(({ is }) => is !== 'direct') ?? ways[0]
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
      [...planner.known()].map((known) => [known.peer.node, FAMILIES.flatMap((f) => this.#fact(known, f))]),
    )
  }

  #fact({ peer, places }: Known, family: Family): readonly WayFact[] {
    const entry = this.#entries.get(keyOf(peer.node, family))
    if (entry === undefined) return []
    const { way, since, before } = entry
    const place = way.is === 'direct' ? places[family] : undefined
    return [
      {
        family,
        way: way.is,
        ...('why' in way && way.why !== undefined ? { why: way.why } : {}),
        ...(place === undefined ? {} : hopsOf(place)),
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

function keyOf(node: string, family: Family): string {
  return `${family} ${node}`
}

function hopsOf({ address, link, others = [] }: Place): Pick<WayFact, 'via' | 'link' | 'others'> {
  const further = others.map((hop) => ({ via: hop.address, link: hop.link }))
  return { via: address, link, ...(further.length === 0 ? {} : { others: further }) }
}
