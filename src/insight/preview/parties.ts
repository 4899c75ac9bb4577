/**
 * Who can be an end of a connection, in classes that no policy can tell apart: pods of a namespace with the same labels
 * and port names as far as any policy asks, nodes, and the addresses outside between the borders of ranges.
 * @module
 */
import { gatewayOf } from '../../ipam/pool.ts'
import { contains, type Family, familyOf, formatIp, type Ip, ipValue } from '../../network/model/address.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import type { Pod } from '../../network/model/pod.ts'
import type { Party } from '../../network/policy/verdict.ts'
import { Cells } from './cells.ts'
import { type Vocabulary, vocabularyOf } from './vocabulary.ts'
import type { PreviewWorld } from './world.ts'

/** An address of the members of a class, as far as ranges tell addresses apart. */
export interface Point {
  readonly index: number
  readonly family: Family
  /** The cell of the address. */
  readonly cell: number
  /** The cells that a range may hold for it to mean a sender. A node is known by all its addresses. */
  readonly cells: readonly number[]
  /** Whether it is an address of the pod networks. */
  readonly isInside: boolean
}

interface Class {
  readonly index: number
  readonly points: readonly Point[]
}

/** Pods of one namespace. The addresses of each stand in the order of the points. */
export interface PodClass extends Class {
  readonly type: 'pods'
  readonly namespace: string
  readonly pods: readonly Pod[]
  readonly addresses: readonly (readonly Ip[])[]
}

/** Machines. The addresses of each stand in the order of the points. */
export interface NodeClass extends Class {
  readonly type: 'nodes'
  readonly nodes: readonly string[]
  readonly addresses: readonly (readonly Ip[])[]
}

/** A cell of addresses that are nobody's, or what a DNS name stands for. */
export interface OutsideClass extends Class {
  readonly type: 'outside'
  /** The first one, and the last. */
  readonly address: Ip
  readonly last: Ip
  readonly name?: string
}

/** Those that no policy tells apart. */
export type PartyClass = PodClass | NodeClass | OutsideClass

/** Everybody. */
export interface Parties {
  readonly cells: Cells
  readonly pods: readonly PodClass[]
  readonly nodes: readonly NodeClass[]
  readonly outside: readonly OutsideClass[]
  readonly points: readonly Point[]
  /** The class of each point. */
  readonly classes: readonly PartyClass[]
  /** What DNS names stand for: addresses of their own, in no range but those around all that is not spoken of. */
  readonly names: ReadonlyMap<string, readonly Ip[]>
}

/** Everybody of a world. Pods without an address are in no connection. */
export function partiesOf({ pods, nodes, podNetworks, before, after, sets = [] }: PreviewWorld): Parties {
  const vocabulary = vocabularyOf(new Set([...before, ...after]), sets)
  const cells = new Cells([...vocabulary.ranges, ...podNetworks])
  const isInside = (address: Ip): boolean => podNetworks.some((network) => contains(network, address))
  const free = freeCells(nodes, cells).filter((cell) => !isInside(cells.first(cell)))
  const names = inventNames(vocabulary.names, cells, free)
  const roll = new Roll(cells, isInside)
  return {
    cells,
    pods: groupsOf(pods, (pod) => podSignature(pod, vocabulary, cells)).map((members) => roll.addPods(members)),
    nodes: groupsOf(nodes, (node) => nodeSignature(node, cells, isInside)).map((members) => roll.addNodes(members)),
    outside: [
      ...free.map((cell) => roll.addOutside(cells.first(cell), cells.last(cell))),
      ...[...names].flatMap(([name, addresses]) => addresses.map((address) => roll.addOutside(address, address, name))),
    ],
    points: roll.points,
    classes: roll.classes,
    names,
  }
}

/** Numbers classes and their points. */
class Roll {
  readonly points: Point[] = []
  readonly classes: PartyClass[] = []
  readonly #cells: Cells
  readonly #isInside: (address: Ip) => boolean
  #count = 0

  constructor(cells: Cells, isInside: (address: Ip) => boolean) {
    this.#cells = cells
    this.#isInside = isInside
  }

  addPods(pods: readonly Pod[]): PodClass {
    const addresses = pods.map((pod) => inOrder(pod.addresses))
    const points = (addresses[0] ?? []).map((address) => this.#point(address))
    return this.#add({ type: 'pods', namespace: pods[0]?.namespace ?? '', pods, addresses, points })
  }

  addNodes(nodes: readonly NodeNetwork[]): NodeClass {
    const addresses = nodes.map(addressesOf)
    const points = (addresses[0] ?? []).map((address) => this.#point(address, knownAs(nodes[0], address)))
    return this.#add({ type: 'nodes', nodes: nodes.map(({ node }) => node), addresses, points })
  }

  addOutside(address: Ip, last: Ip, name?: string): OutsideClass {
    const named = name === undefined ? {} : { name }
    return this.#add({ type: 'outside', address, last, ...named, points: [this.#point(address)] })
  }

  #point(address: Ip, also: readonly Ip[] = []): Point {
    const cell = this.#cells.indexOf(address)
    const cells = [...new Set([cell, ...also.map((one) => this.#cells.indexOf(one))])]
    const isInside = this.#isInside(address)
    const point = { index: this.points.length, family: familyOf(address), cell, cells, isInside }
    this.points.push(point)
    return point
  }

  #add<C extends PartyClass>(fields: Omit<C, 'index'>): C {
    const made = { ...fields, index: this.#count } as C
    this.#count += 1
    for (const { index } of made.points) this.classes[index] = made
    return made
  }
}

/** A member of a class, by its place in it, at one of the class's points. */
export function partyIn(one: PartyClass, member: number, point: number): Party {
  if (one.type === 'outside') return { type: 'outside', address: one.address }
  const address = one.addresses[member]?.[point]
  if (address === undefined) throw new RangeError(`no member ${member} with a point ${point}`)
  if (one.type === 'nodes') return { type: 'node', node: one.nodes[member] ?? '', address }
  const pod = one.pods[member]
  if (pod === undefined) throw new RangeError(`no member ${member}`)
  return { type: 'pod', pod, address }
}

/** What a node's packets to pods come from, and what others know it by. */
function addressesOf({ addresses, ranges }: NodeNetwork): readonly Ip[] {
  return inOrder([...new Set([...addresses, ...ranges.map(gatewayOf)])])
}

/** Ranges hold a node at any of its addresses of the family. */
function knownAs(node: NodeNetwork | undefined, address: Ip): readonly Ip[] {
  return (node?.addresses ?? []).filter((one) => familyOf(one) === familyOf(address))
}

function podSignature(pod: Pod, { labels, ports }: Vocabulary, cells: Cells): string | undefined {
  if (pod.addresses.length === 0) return undefined
  const seen = Object.entries(pod.labels ?? {}).filter(([key]) => labels.has(key))
  const named = (pod.namedPorts ?? []).filter(({ name }) => ports.has(name))
  const places = inOrder(pod.addresses).map((address) => cells.indexOf(address))
  return JSON.stringify([pod.namespace, seen.sort(byKey), named.map(portKey).sort(), places])
}

function nodeSignature(node: NodeNetwork, cells: Cells, isInside: (address: Ip) => boolean): string {
  const places = addressesOf(node).map((address) => [
    cells.indexOf(address),
    isInside(address),
    knownAs(node, address).map((one) => cells.indexOf(one)),
  ])
  return JSON.stringify(places)
}

/** A port with a name, as a key. */
export function portKey({ name, protocol, port }: { name: string; protocol: string; port: number }): string {
  return `${name} ${protocol} ${port}`
}

function inOrder(addresses: readonly Ip[]): readonly Ip[] {
  return [...addresses].sort((a, b) => familyOf(a) - familyOf(b) || (ipValue(a) < ipValue(b) ? -1 : 1))
}

function byKey([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1
}

/** Cells in which there are other addresses than those of nodes. */
function freeCells(nodes: readonly NodeNetwork[], cells: Cells): readonly number[] {
  const taken = new Map<number, number>()
  for (const address of new Set(nodes.flatMap(addressesOf))) {
    const cell = cells.indexOf(address)
    taken.set(cell, (taken.get(cell) ?? 0) + 1)
  }
  const all = Array.from({ length: cells.count }, (_, cell) => cell)
  return all.filter((cell) => cells.sizeOf(cell) > BigInt(taken.get(cell) ?? 0))
}

/** Members by signature; those without one are left out. */
function groupsOf<T>(members: readonly T[], signatureOf: (member: T) => string | undefined): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>()
  for (const member of members) {
    const signature = signatureOf(member)
    if (signature === undefined) continue
    const group = groups.get(signature)
    if (group === undefined) groups.set(signature, [member])
    else group.push(member)
  }
  return [...groups.values()]
}

/** An address of each family for every name, from the end of the largest cells: nobody's representative. */
function inventNames(
  names: ReadonlySet<string>,
  cells: Cells,
  free: readonly number[],
): ReadonlyMap<string, readonly Ip[]> {
  const largest = ([4, 6] as const).flatMap((family) => {
    const own = free.filter((cell) => cells.familyOf(cell) === family)
    const sizes = own.map((cell) => ({ cell, size: cells.sizeOf(cell) }))
    return sizes.sort((a, b) => (a.size > b.size ? -1 : 1)).slice(0, 1)
  })
  return new Map(
    [...names].map((name, i) => {
      const room = largest.filter(({ size }) => size > BigInt(i) + 1n)
      const addresses = room.map(({ cell }) => formatIp(cells.familyOf(cell), ipValue(cells.last(cell)) - BigInt(i)))
      return [name, addresses] as const
    }),
  )
}
