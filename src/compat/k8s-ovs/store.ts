/**
 * k8s-ovs's records in etcd, read.
 * @module
 */
import type { Entry, KeySpace } from '../../etcd/key-space.ts'
import { InvalidObjects, type Question } from '../../kube/invalid.ts'
import { clusterRecord } from './cluster-record.ts'
import type { Folders, Layout } from './layout.ts'
import { netNamespaceKey, netNamespaceRecord } from './net-namespace-record.ts'
import { ServedNetwork } from './network.ts'
import { Memory, type Reader, type Reading } from './readings.ts'
import type { OvsKind, RecordBinding } from './record.ts'
import { subnetRecord } from './subnet-record.ts'
import { View } from './view.ts'

/** How records are read. */
export interface StoreOptions {
  /** Remembers records that mean nothing; by the end of their key where nobody knows whose they are. */
  readonly invalid?: InvalidObjects
  /** For the controller alone: what somebody typed and no controller has confirmed counts, so that it can be confirmed. */
  readonly confirms?: boolean
}

/** Records as they were at a revision. */
export interface Records {
  readonly revision: number
  readonly entries: readonly Entry[]
}

/** How every kind's records are written and read. */
export const RECORDS: { readonly [K in OvsKind]: RecordBinding<K> } = {
  Cluster: clusterRecord,
  NodeNetwork: subnetRecord,
  Tenant: netNamespaceRecord,
}

/** The records of one registry. */
export class RecordStore {
  readonly space: KeySpace
  readonly layout: Layout
  readonly network: ServedNetwork
  readonly #confirms: boolean
  readonly #invalid: InvalidObjects
  readonly #memories: { readonly [K in OvsKind]: Memory<K> } = {
    Cluster: new Memory(),
    NodeNetwork: new Memory(),
    Tenant: new Memory(),
  }

  constructor(space: KeySpace, layout: Layout, { invalid = new InvalidObjects(), confirms = false }: StoreOptions) {
    this.space = space
    this.layout = layout
    this.network = new ServedNetwork(space, layout)
    this.#confirms = confirms
    this.#invalid = invalid
  }

  /** Every record of a kind, and the objects that they make. What is remembered of others is forgotten. */
  async list<K extends OvsKind>(kind: K, folders: Folders): Promise<Records & { readonly view: View<K> }> {
    const listed = await this.#whole(kind, folders)
    this.#memories[kind].keep(new Set(listed.entries.map(({ key }) => key)))
    return listed
  }

  /** The objects among which that of a name is: of machines all, since any address may be theirs. */
  async around<K extends OvsKind>(kind: K, name: string, folders: Folders): Promise<View<K>> {
    if (kind !== 'Tenant') return (await this.#whole(kind, folders)).view
    const key = netNamespaceKey(name, folders)
    const question = this.#invalid.ask(kind)
    const { entries } = key === undefined ? { entries: [] } : await this.#one(key)
    if (key !== undefined && entries.length === 0) question.gone(key)
    return this.#view(kind, folders, entries, question)
  }

  /** The objects that records make, for a watch to go on from, or of what a write answered. */
  view<K extends OvsKind>(kind: K, folders: Folders, entries: readonly Entry[]): View<K> {
    return this.#view(kind, folders, entries, undefined)
  }

  /** A watch has told everything of a kind up to this revision. */
  reached(kind: OvsKind, revision: number): void {
    this.#invalid.reached(kind, revision)
  }

  async #whole<K extends OvsKind>(kind: K, folders: Folders): Promise<Records & { readonly view: View<K> }> {
    const question = this.#invalid.ask(kind)
    const records = await this.#all(kind, folders)
    const view = this.#view(kind, folders, records.entries, question)
    question.listed(records.revision)
    return { ...records, view }
  }

  isKey(kind: OvsKind, key: string, folders: Folders): boolean {
    return kind === 'Cluster' ? key === this.layout.config : RECORDS[kind].isKey(key, folders)
  }

  #view<K extends OvsKind>(
    kind: K,
    folders: Folders,
    entries: readonly Entry[],
    question: Question | undefined,
  ): View<K> {
    const memory: Memory<K> = this.#memories[kind]
    const binding: RecordBinding<K> = RECORDS[kind]
    const reader: Reader<K> = {
      kind,
      binding: kind === 'Cluster' ? this.#ofThisNetwork(binding) : binding,
      memory,
      folders,
      confirms: this.#confirms,
    }
    return new View(reader, entries, {
      read: (reading, counts) => this.#tell(kind, reading, counts, question),
      gone: (key, revision) => this.#invalid.settled(kind, key, revision),
    })
  }

  async #all(kind: OvsKind, folders: Folders): Promise<Records> {
    if (kind === 'Cluster') return this.#one(this.layout.config)
    const folder = kind === 'Tenant' ? folders.netNamespaces : folders.subnets
    const { revision, entries } = await this.space.list(folder)
    return { revision, entries: entries.filter(({ key }) => this.isKey(kind, key, folders)) }
  }

  async #one(key: string): Promise<Records> {
    const { revision, entry } = await this.space.get(key)
    return { revision, entries: entry === undefined ? [] : [entry] }
  }

  /** A configuration of another network is not read as one of ours. */
  #ofThisNetwork<K extends OvsKind>(binding: RecordBinding<K>): RecordBinding<K> {
    return {
      ...binding,
      read: (key, object, context) => this.network.objection(object) ?? binding.read(key, object, context),
    }
  }

  /** That a record does not count is told when all are read: in a watch the other one may be on its way out. */
  #tell(kind: OvsKind, reading: Reading<OvsKind>, counts: boolean, question: Question | undefined): void {
    const { entry, object } = reading
    const { key, revision } = entry
    const witness = question ?? this.#invalid
    const last = key.slice(key.lastIndexOf('/') + 1)
    const isPassedOver = !counts && question !== undefined
    const problem = reading.problem ?? (isPassedOver ? passedOver(object?.name) : undefined)
    if (problem === undefined) {
      // An earlier revision of one that does not count may have been worse.
      witness.settled(kind, key, counts ? revision : revision - 1)
      return
    }
    const known = reading.problem === undefined ? undefined : object?.name
    const name = kind === 'Cluster' ? 'default' : (known ?? last)
    witness.invalid(key, { kind, name, revision, problem: `${key}: ${problem}` })
  }
}

function passedOver(name: string | undefined): string {
  return `does not count: a later record speaks of ${name} too (remove it if it is of no use)`
}
