/**
 * Which points a rule's peers mean.
 * @module
 */
import type { Cidr } from '../../network/model/address.ts'
import type { NetworkSet } from '../../network/model/network-set.ts'
import type { AddressRange, Direction, Labels, Peer, PodSet } from '../../network/model/policy.ts'
import { inRange } from '../../network/policy/ranges.ts'
import { matchesNamespaces, matchesPodSet, matchesSet } from '../../network/policy/selector.ts'
import type { CellSpan } from './cells.ts'
import type { Parties, PodClass } from './parties.ts'
import type { PreviewWorld } from './world.ts'

/** Finds pods and points; equal questions are answered once. */
export class Members {
  readonly #parties: Parties
  readonly #byNamespace = new Map<string, PodClass[]>()
  readonly #labels: ReadonlyMap<string, Labels | undefined>
  /** The points that each cell counts for: of receivers, and of senders, who may be known by other addresses, too. */
  readonly #inCell: { readonly [D in Direction]: Map<number, number[]> } = { ingress: new Map(), egress: new Map() }
  readonly #sets: readonly NetworkSet[]
  readonly #pods = new Map<string, readonly PodClass[]>()
  readonly #points = new Map<string, readonly number[]>()

  constructor({ namespaces, sets = [] }: Pick<PreviewWorld, 'namespaces' | 'sets'>, parties: Parties) {
    this.#parties = parties
    this.#sets = sets
    this.#labels = new Map(namespaces.map(({ name, labels }) => [name, labels]))
    for (const one of parties.pods) push(this.#byNamespace, one.namespace, one)
    for (const { index, cell, cells } of parties.points) {
      push(this.#inCell.egress, cell, index)
      for (const one of cells) push(this.#inCell.ingress, one, index)
    }
  }

  /** The classes of the pods in a set. */
  podsIn({ namespaces, pods, where }: PodSet): readonly PodClass[] {
    const set = { namespaces, pods, ...(where === undefined ? {} : { where }) }
    const key = JSON.stringify(set)
    const known = this.#pods.get(key)
    if (known !== undefined) return known
    const names =
      'name' in namespaces
        ? [namespaces.name]
        : [...this.#byNamespace.keys()].filter((name) => matchesNamespaces(namespaces, name, this.#labels.get(name)))
    const found = names
      .flatMap((name) => this.#byNamespace.get(name) ?? [])
      .filter(({ namespace, pods: [pod] }) => matchesPodSet(set, { ...pod, namespace }, this.#labels.get(namespace)))
    this.#pods.set(key, found)
    return found
  }

  /** The points that a peer of rules of a direction means, and a key for it. */
  pointsOf(peer: Peer, direction: Direction): { readonly key: string; readonly points: readonly number[] } {
    const key = `${direction} ${JSON.stringify(peer)}`
    const known = this.#points.get(key)
    if (known !== undefined) return { key, points: known }
    const points = this.#find(peer, direction)
    this.#points.set(key, points)
    return { key, points }
  }

  #find(peer: Peer, direction: Direction): readonly number[] {
    switch (peer.type) {
      case 'pods':
        return this.podsIn(peer).flatMap(({ points }) =>
          points.flatMap(({ index, cell }) => (this.#isWithin(peer.within, cell) ? [index] : [])),
        )
      case 'sets':
        return [
          ...new Set(
            this.#sets
              .filter((set) => matchesSet(peer.where, set, this.#labelsFor(set)))
              .flatMap(({ nets }) => nets.flatMap((net) => this.#pointsIn(net, [], direction, peer.within))),
          ),
        ]
      case 'name':
        return this.#parties.outside.flatMap(({ name, points }) =>
          name === peer.name ? points.map(({ index }) => index) : [],
        )
      case 'range':
        return this.#pointsIn(peer.range, peer.except, direction)
    }
  }

  #pointsIn(
    range: Cidr,
    except: readonly Cidr[],
    direction: Direction,
    within?: readonly AddressRange[],
  ): readonly number[] {
    const { cells } = this.#parties
    const found = new Set<number>()
    const holes = except.map((part) => cells.spanOf(part))
    for (const cell of cellsIn(cells.spanOf(range), holes)) {
      if (!this.#isWithin(within, cell)) continue
      for (const point of this.#inCell[direction].get(cell) ?? []) found.add(point)
    }
    return [...found]
  }

  #isWithin(within: readonly AddressRange[] | undefined, cell: number): boolean {
    if (within === undefined) return true
    const address = this.#parties.cells.first(cell)
    return within.some(({ range, except }) => inRange(range, except, address))
  }

  #labelsFor({ namespace }: NetworkSet): Labels | undefined {
    return namespace === undefined ? undefined : this.#labels.get(namespace)
  }
}

function* cellsIn({ from, to }: CellSpan, except: readonly CellSpan[]): Generator<number> {
  const holes = [...except].sort((a, b) => a.from - b.from)
  let cell = from
  for (const hole of holes) {
    for (; cell < hole.from; cell += 1) yield cell
    cell = Math.max(cell, hole.to)
  }
  for (; cell < to; cell += 1) yield cell
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, [value])
  else values.push(value)
}
