/**
 * Which ranges every node has: what is known of nodes and their networks, and what is to be written next.
 *
 * A record is created without ranges, and gets them by an update. A write that was given up may arrive when its node is
 * long gone: an update is over with the revision that it replaces, a creation never is, and would bring back ranges that
 * are another node's by now. A range that an update is on its way with counts as taken until that one is over.
 *
 * As long as it runs, the controller remembers the ranges that each node had last by its own decision, or as it first
 * read them. They stay taken until the node is gone or another machine, and come back when others delete or edit the
 * record. After a restart nothing is remembered: what was edited meanwhile stays, and what was deleted is made anew with
 * other ranges; at best the HostSubnet still shows which IPv4 range there was, to people. It is not read here.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { hasRange } from '../network/cluster-change.ts'
import type { Cidr } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { Node, NodeNetwork } from '../network/model/node.ts'
import type { Stored } from '../registry/registry.ts'
import { type Claim, Holdings } from './holdings.ts'
import { addressesOf, networkOf, type Owner, ownerOf, problemNotice } from './node-network.ts'
import { PendingRanges } from './pending-ranges.ts'
import { putBackNotice, rangesToKeep } from './put-back.ts'
import { type Addressed, SharedAddresses } from './shared-addresses.ts'
import { WorkQueue } from './work-queue.ts'
import type { Notice, WriteEnd, WriteOf } from './write.ts'

/** Nodes and their networks. */
export class Nodes {
  readonly #nodes = new Map<string, Node>()
  readonly #records = new Map<string, Stored<'NodeNetwork'>>()
  readonly #queue = new WorkQueue()
  readonly #pending = new PendingRanges()
  /** What the update on its way for a name makes of it. */
  readonly #decided = new Map<string, NodeNetwork>()
  /** The ranges that nodes had last; forgotten with the node's uid. */
  readonly #remembered = new Map<string, readonly Cidr[]>()
  readonly #silences = new Map<string, string>()
  /** The ranges that names had which are no nodes any more. */
  readonly #former = new Map<string, readonly Cidr[]>()
  /** Those who wait until a range is free. */
  readonly #starved = new Set<string>()
  #shared: SharedAddresses | undefined
  #holdings: Holdings | undefined
  /** Where the last search for free ranges ended. */
  #position: readonly number[] | undefined
  #cluster: Cluster | undefined;

  /** Every machine's network as it is. */
  *machines(): Generator<NodeNetwork> {
    for (const { value } of this.#records.values()) yield value
  }

  /** Without a cluster nothing is decided. */
  setCluster(cluster: Cluster | undefined): void {
    if (cluster === this.#cluster) return
    const isSame = isDeepStrictEqual(cluster?.networks, this.#cluster?.networks)
    this.#cluster = cluster
    this.#resort()
    if (!isSame) {
      this.#position = undefined
      this.#pending.unchooseAll()
    }
    this.#shared = cluster && new SharedAddresses(cluster)
    for (const name of [...this.#records.keys(), ...this.#nodes.keys()]) {
      this.#queue.add(name)
      this.#addressesChanged(name)
    }
  }

  putNode(name: string, node: Node): void {
    const isAnother = this.#nodes.get(name)?.uid !== node.uid
    this.#nodes.set(name, node)
    if (isAnother) this.#forget(name)
    this.#nodeChanged(name)
  }

  removeNode(name: string): void {
    this.#nodes.delete(name)
    this.#starved.delete(name)
    this.#forget(name)
    this.#nodeChanged(name)
  }

  putNetwork(record: Stored<'NodeNetwork'>): void {
    this.#records.set(record.name, record)
    this.#pending.recordIsAt(record.name, record.revision)
    this.#recordChanged(record.name)
  }

  removeNetwork(name: string): void {
    this.#records.delete(name)
    this.#pending.recordIsAt(name, undefined)
    this.#silences.delete(name)
    this.#recordChanged(name)
  }

  /** Since when nothing was heard from an external host's agent, for people; undefined when it was. */
  setSilence(name: string, silence: string | undefined): void {
    if (this.#silences.get(name) === silence) return
    if (silence === undefined) this.#silences.delete(name)
    else this.#silences.set(name, silence)
    this.#queue.add(name)
  }

  /** To be called now and then: tells of nodes what lasts. */
  look(): void {
    for (const name of this.#shared?.look() ?? []) this.#queue.add(name)
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
    const decided = this.#decided.get(name)
    this.#decided.delete(name)
    const machine = decided?.machine
    if (end === 'made' && machine?.kind === 'node' && machine.uid === this.#nodes.get(name)?.uid) {
      this.#remember(name, decided?.ranges ?? [])
    }
    this.#queue.done(name)
    // What was made may have been undone before it was answered.
    if (end === 'made') this.#queue.add(name)
  }

  #decide(name: string, cluster: Cluster, holdings: Holdings): WriteOf<'NodeNetwork'> | undefined {
    const record = this.#records.get(name)
    const owner = ownerOf(this.#nodes.get(name), record?.value)
    if (owner === undefined) {
      this.#unchoose(name)
      if (record === undefined) return undefined
      return { op: 'delete', kind: 'NodeNetwork', name, revision: record.revision }
    }
    const remembered = this.#rememberedOf(name, cluster)
    const held = holdings.of(name)
    const kept = rangesToKeep(held, remembered, this.#recordedOf(name), this.#pending.of(name))
    const shared = this.#shared?.problemOf(addressed(cluster, owner), record?.value.problem)
    const { value, gained, lacks } = networkOf({
      cluster,
      owner,
      record: record?.value,
      ranges: holdings.ranges,
      revision: record?.revision,
      kept,
      chosen: held,
      former: this.#former.get(name),
      silence: this.#silences.get(name),
      shared,
    })
    if (lacks) this.#starved.add(name)
    if (gained.length > 0) holdings.add(name, gained)
    if (record === undefined) {
      this.#pending.choose(name, value.ranges)
      const problem = problemNotice(value, undefined, shared)
      return { op: 'create', kind: 'NodeNetwork', name, value: { ...value, ranges: [] }, ...told(problem) }
    }
    if (isDeepStrictEqual(value, record.value)) {
      this.#unchoose(name)
      if (owner.machine.kind === 'node') this.#remember(name, value.ranges)
      return undefined
    }
    // All of them, not only new ones: others may edit the record while the write is on its way.
    if (this.#pending.bring(name, value.ranges, record.revision)) this.#claimsChanged(name)
    this.#decided.set(name, value)
    const notice = putBackNotice(value, remembered, record.value) ?? problemNotice(value, record.value, shared)
    return { op: 'update', kind: 'NodeNetwork', name, value, revision: record.revision, ...told(notice) }
  }

  /** Who holds what; worked out from all records only where they are at odds. */
  #sort(cluster: Cluster): Holdings {
    if (this.#holdings !== undefined) return this.#holdings
    const claims = [...new Set([...this.#records.keys(), ...this.#remembered.keys()])]
      .sort((a, b) => this.#precedence(a) - this.#precedence(b) || compare(a, b))
      .map((name): Claim => {
        const remembered = this.#rememberedOf(name, cluster)
        return { name, ranges: remembered.length > 0 ? remembered : this.#recordedOf(name) }
      })
    // What others wrote into a record is taken as long as it is there, but from nobody who had it before.
    for (const name of this.#remembered.keys()) claims.push({ name, ranges: this.#recordedOf(name) })
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
    this.#addressesChanged(name)
  }

  #recordChanged(name: string): void {
    this.#queue.add(name)
    this.#claimsChanged(name)
    this.#addressesChanged(name)
  }

  #addressesChanged(name: string): void {
    if (this.#cluster === undefined || this.#shared === undefined) return
    const owner = ownerOf(this.#nodes.get(name), this.#records.get(name)?.value)
    const shared = this.#shared
    const concerned = owner === undefined ? shared.remove(name) : shared.put(addressed(this.#cluster, owner))
    for (const one of concerned) this.#queue.add(one)
  }

  #claimsChanged(name: string): void {
    const remembered = this.#cluster === undefined ? [] : this.#rememberedOf(name, this.#cluster)
    const wanted = [...new Set([...remembered, ...this.#recordedOf(name), ...this.#pending.of(name)])]
    const before = this.#holdings?.of(name) ?? []
    if (this.#holdings?.replace(name, wanted) === false) this.#resort()
    if (before.some((range) => !wanted.includes(range))) this.#wake()
  }

  #recordedOf(name: string): readonly Cidr[] {
    return this.#records.get(name)?.value.ranges ?? []
  }

  /** What a node is to have back. A range that the cluster has no network for any more is not insisted on. */
  #rememberedOf(name: string, cluster: Cluster): readonly Cidr[] {
    return (this.#remembered.get(name) ?? []).filter((range) => hasRange(cluster, range))
  }

  #remember(name: string, ranges: readonly Cidr[]): void {
    if (isDeepStrictEqual(this.#remembered.get(name), ranges)) return
    this.#remembered.set(name, ranges)
    this.#claimsChanged(name)
  }

  #forget(name: string): void {
    const ranges = this.#remembered.get(name)
    if (ranges === undefined) return
    this.#remembered.delete(name)
    this.#claimsChanged(name)
    // A machine that comes back under its name, with its pods still running, gets what it had unless somebody has it now.
    this.#former.delete(name)
    this.#former.set(name, ranges)
    const [oldest] = this.#former.keys()
    if (this.#former.size > MOST_FORMER && oldest !== undefined) this.#former.delete(oldest)
  }

  #unchoose(name: string): void {
    if (this.#pending.unchoose(name)) this.#claimsChanged(name)
  }

  #resort(): void {
    this.#position = this.#holdings?.ranges.position ?? this.#position
    this.#holdings = undefined
  }

  #wake(): void {
    for (const name of this.#starved) this.#queue.add(name)
    this.#starved.clear()
  }

  /** A node's, whose pods live there; an external host's; nobody's any more. */
  #precedence(name: string): number {
    if (this.#nodes.has(name)) return 0
    return this.#records.get(name)?.value.machine.kind === 'external' ? 1 : 2
  }
}

/** So many names that are no nodes any more are remembered. */
const MOST_FORMER = 1000

function addressed(cluster: Cluster, owner: Owner): Addressed {
  return { ...owner, addresses: addressesOf(cluster, owner) }
}

function told(notice: Notice | undefined): { readonly notice?: Notice } {
  return notice === undefined ? {} : { notice }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
