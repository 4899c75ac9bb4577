/**
 * Which ranges every node has: what is known of nodes and their networks, and what is to be written next.
 *
 * A range that a write is on its way with counts as taken until it is known what became of the write.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { Cidr } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { Node, NodeNetwork } from '../network/model/node.ts'
import type { Stored } from '../registry/registry.ts'
import { type Claim, Holdings } from './holdings.ts'
import { networkOf } from './node-network.ts'
import { WorkQueue } from './work-queue.ts'
import type { Notice, WriteEnd, WriteOf } from './write.ts'

/** Nodes and their networks. */
export class Nodes {
  readonly #nodes = new Map<string, Node>()
  readonly #records = new Map<string, Stored<'NodeNetwork'>>()
  readonly #queue = new WorkQueue()
  readonly #pending = new Map<string, readonly Cidr[]>()
  /** Those who wait until a range is free. */
  readonly #starved = new Set<string>()
  #holdings: Holdings | undefined
  /** Where the last search for free ranges ended. */
  #position: readonly number[] | undefined
  #cluster: Cluster | undefined

  /** Without a cluster nothing is decided. */
  setCluster(cluster: Cluster | undefined): void {
    const isSame = isDeepStrictEqual(cluster?.networks, this.#cluster?.networks)
    this.#cluster = cluster
    this.#resort()
    if (!isSame) this.#position = undefined
    for (const name of [...this.#records.keys(), ...this.#nodes.keys()]) this.#queue.add(name)
  }

  putNode(name: string, node: Node): void {
    this.#nodes.set(name, node)
    this.#nodeChanged(name)
  }

  removeNode(name: string): void {
    this.#nodes.delete(name)
    this.#starved.delete(name)
    this.#nodeChanged(name)
  }

  putNetwork(record: Stored<'NodeNetwork'>): void {
    this.#records.set(record.name, record)
    this.#recordChanged(record.name, record.value.ranges)
  }

  removeNetwork(name: string): void {
    this.#records.delete(name)
    this.#recordChanged(name, [])
  }

  /** Decides about a name anew. */
  retry(name: string): void {
    this.#queue.add(name)
  }

  /** The next write, which is then on its way until {@link settled}. Undefined when there is nothing to do. */
  next(): WriteOf<'NodeNetwork'> | undefined {
    if (this.#cluster === undefined) return undefined
    for (;;) {
      const holdings = this.#sort(this.#cluster)
      const name = this.#queue.take()
      if (name === undefined) return undefined
      const write = this.#decide(name, this.#cluster, holdings)
      if (write !== undefined) return write
      this.#queue.done(name)
    }
  }

  /** What became of a write. What it made is put, or removed, before. */
  settled(name: string, end: WriteEnd): void {
    if (end !== 'unknown') this.#drop(name)
    this.#queue.done(name)
    // What was made may have been undone before it was answered.
    if (end === 'made') this.#queue.add(name)
  }

  #decide(name: string, cluster: Cluster, holdings: Holdings): WriteOf<'NodeNetwork'> | undefined {
    const node = this.#nodes.get(name)
    const record = this.#records.get(name)
    if (node === undefined) {
      if (record === undefined) this.#drop(name)
      // What was made by hand, for a machine that is no node, stays.
      if (record === undefined || record.value.nodeUid === '') return undefined
      return { op: 'delete', kind: 'NodeNetwork', name, revision: record.revision }
    }
    const { value, gained, lacks } = networkOf(cluster, holdings.ranges, node, record?.value, holdings.of(name))
    if (lacks) this.#starved.add(name)
    if (gained.length > 0) {
      this.#pending.set(name, [...(this.#pending.get(name) ?? []), ...gained])
      holdings.add(name, gained)
    }
    const notice = noticeOf(value, record?.value)
    if (record === undefined) return { op: 'create', kind: 'NodeNetwork', name, value, ...notice }
    if (isDeepStrictEqual(value, record.value)) return undefined
    return { op: 'update', kind: 'NodeNetwork', name, value, revision: record.revision, ...notice }
  }

  /** Who holds what; worked out from all records only where they are at odds. */
  #sort(cluster: Cluster): Holdings {
    if (this.#holdings !== undefined) return this.#holdings
    const records = [...this.#records.values()].sort(
      (a, b) => this.#precedence(a) - this.#precedence(b) || compare(a.name, b.name),
    )
    const claims: Claim[] = records.map(({ name, value }) => ({ name, ranges: value.ranges }))
    for (const [name, ranges] of this.#pending) claims.push({ name, ranges })
    this.#holdings = new Holdings(cluster.networks, claims, this.#position)
    for (const name of this.#holdings.disputed) this.#queue.add(name)
    this.#wake()
    return this.#holdings
  }

  #nodeChanged(name: string): void {
    // Who is a node decides who gives way.
    if (this.#holdings?.isPlain === false) this.#resort()
    this.#queue.add(name)
  }

  #recordChanged(name: string, ranges: readonly Cidr[]): void {
    this.#queue.add(name)
    const wanted = [...new Set([...ranges, ...(this.#pending.get(name) ?? [])])]
    const before = this.#holdings?.of(name) ?? []
    if (this.#holdings?.replace(name, wanted) === false) this.#resort()
    if (before.some((range) => !wanted.includes(range))) this.#wake()
  }

  /** Forgets what a write might have brought. */
  #drop(name: string): void {
    if (this.#pending.delete(name)) this.#recordChanged(name, this.#records.get(name)?.value.ranges ?? [])
  }

  #resort(): void {
    this.#position = this.#holdings?.ranges.position ?? this.#position
    this.#holdings = undefined
  }

  #wake(): void {
    for (const name of this.#starved) this.#queue.add(name)
    this.#starved.clear()
  }

  /** Made by hand, a node's, nobody's any more. */
  #precedence({ name, value }: Stored<'NodeNetwork'>): number {
    if (value.nodeUid === '') return 0
    return this.#nodes.has(name) ? 1 : 2
  }
}

/** A problem that was not told yet. */
function noticeOf({ problem }: NodeNetwork, before: NodeNetwork | undefined): { readonly notice?: Notice } {
  if (problem === undefined || problem === before?.problem) return {}
  return { notice: { code: 'NODE_NETWORK_INCOMPLETE', message: problem, remedy: '' } }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
