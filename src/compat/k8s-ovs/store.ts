/**
 * k8s-ovs's records in etcd, read.
 * @module
 */
import type { Entry, KeySpace } from '../../etcd/key-space.ts'
import { InvalidObjects, type OnInvalid } from '../../kube/invalid.ts'
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
  /** Called once for every revision of a record that means nothing; by its key where nobody knows whose it is. */
  readonly onInvalid?: OnInvalid
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

  constructor(space: KeySpace, layout: Layout, { onInvalid = () => undefined, confirms = false }: StoreOptions) {
    this.space = space
    this.layout = layout
    this.network = new ServedNetwork(space, layout)
    this.#confirms = confirms
    this.#invalid = new InvalidObjects(onInvalid)
  }

  /** Every record of a kind, and the objects that they make. What is remembered of others is forgotten. */
  async list<K extends OvsKind>(kind: K, folders: Folders): Promise<Records & { readonly view: View<K> }> {
    const records = await this.#all(kind, folders)
    this.#memories[kind].keep(new Set(records.entries.map(({ key }) => key)))
    const view = this.view(kind, folders, records.entries)
    for (const { entry, object } of view.shadowed()) {
      const problem = `does not count: a later record speaks of ${object?.name} too (remove it if it is of no use)`
      this.#tell(kind, { entry, object: undefined, problem })
    }
    return { ...records, view }
  }

  /** The objects among which that of a name is: of machines all, since any address may be theirs. */
  async around<K extends OvsKind>(kind: K, name: string, folders: Folders): Promise<View<K>> {
    if (kind !== 'Tenant') return this.view(kind, folders, (await this.#all(kind, folders)).entries)
    const key = netNamespaceKey(name, folders)
    return this.view(kind, folders, key === undefined ? [] : (await this.#one(key)).entries)
  }

  /** The objects that records make. */
  view<K extends OvsKind>(kind: K, folders: Folders, entries: readonly Entry[]): View<K> {
    const memory: Memory<K> = this.#memories[kind]
    const binding: RecordBinding<K> = RECORDS[kind]
    const reader: Reader<K> = {
      kind,
      binding: kind === 'Cluster' ? this.#ofThisNetwork(binding) : binding,
      memory,
      folders,
      confirms: this.#confirms,
    }
    return new View(reader, entries, (reading) => this.#tell(kind, reading))
  }

  isKey(kind: OvsKind, key: string, folders: Folders): boolean {
    return kind === 'Cluster' ? key === this.layout.config : RECORDS[kind].isKey(key, folders)
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

  #tell(kind: OvsKind, { entry, object, problem }: Reading<OvsKind>): void {
    if (problem === undefined) return
    const { key, revision } = entry
    const name = kind === 'Cluster' ? 'default' : (object?.name ?? key.slice(key.lastIndexOf('/') + 1))
    this.#invalid.report({ kind, name, revision, problem: `${key}: ${problem}` })
  }
}
