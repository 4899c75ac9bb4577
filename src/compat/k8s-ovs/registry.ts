/**
 * k8s-ovs's registry in etcd, as shared state: the cluster's configuration, machines and tenants. What it does not keep
 * is elsewhere (src/registry/layered.ts).
 * @module
 */
import type { Batch, KeySpace } from '../../etcd/key-space.ts'
import { decodeValue } from '../../registry/codec.ts'
import {
  type Change,
  type Kind,
  type Kinds,
  type Listing,
  type Registry,
  RegistryError,
  type Stored,
} from '../../registry/registry.ts'
import { asRegistry, registryError } from './errors.ts'
import type { Folders, Layout } from './layout.ts'
import { isOvsKind, type OvsKind } from './record.ts'
import { RecordStore, type Records, type StoreOptions } from './store.ts'
import type { View } from './view.ts'
import { createRecord, deleteRecord, updateRecord } from './writes.ts'

/** States that a watch may go on from. */
const MOST_PLACES = 4

/**
 * k8s-ovs's registry. Revisions are etcd's: v2's index, v3's revision.
 *
 * Other people write these records too. One that cannot be read is reported, and shown as what it last was, as far as
 * this process knows: what somebody mistypes takes nothing down.
 */
export class K8sOvsRegistry implements Registry {
  readonly #store: RecordStore
  readonly #places = new Map<OvsKind, readonly Records[]>()
  /** Which history a kind was last listed in. */
  readonly #listedIn = new Map<OvsKind, number>()

  constructor(space: KeySpace, layout: Layout, options: StoreOptions = {}) {
    this.#store = new RecordStore(space, layout, options)
  }

  async get<K extends Kind>(kind: K, name: string): Promise<Stored<K> | undefined> {
    const ours = ovsKind(kind)
    return this.#in(
      async (folders) => (await this.#store.around(ours, name, folders)).get(name) as Stored<K> | undefined,
    )
  }

  async list<K extends Kind>(kind: K, _atLeast?: number, name?: string): Promise<Listing<K>> {
    const ours = ovsKind(kind)
    return this.#in(async (folders) => {
      const { revision, entries, view } = await this.#store.list(ours, folders)
      this.#listedIn.set(ours, this.#store.space.history)
      this.#remember(ours, { revision, entries })
      const all: readonly Stored<Kind>[] = view.objects()
      const objects = name === undefined ? all : all.filter((object) => object.name === name)
      return { revision, objects: objects as readonly Stored<K>[] }
    })
  }

  async *watch<K extends Kind>(
    kind: K,
    after: number,
    signal: AbortSignal,
    name?: string,
  ): AsyncGenerator<Change<K>, void> {
    for await (const change of this.#changes(ovsKind(kind), after, signal)) {
      yield isAbout(change, name) ? (change as Change<Kind> as Change<K>) : bookmarkOf(change)
    }
  }

  async create<K extends Kind>(kind: K, name: string, value: Kinds[K]): Promise<Stored<K>> {
    const write = writeOf(kind, name, value)
    return this.#writing(async (folders) => this.#made(kind, folders, await createRecord(this.#store, folders, write)))
  }

  async update<K extends Kind>(kind: K, name: string, value: Kinds[K], revision: number): Promise<Stored<K>> {
    const write = writeOf(kind, name, value)
    return this.#writing(async (folders) =>
      this.#made(kind, folders, await updateRecord(this.#store, folders, write, revision)),
    )
  }

  async delete(kind: Kind, name: string, revision?: number): Promise<void> {
    const object = { kind: ovsKind(kind), name }
    await this.#writing((folders) => deleteRecord(this.#store, folders, object, revision))
  }

  /** Says in etcd that all this is kept elsewhere from now on: none of our programs writes here any more. */
  async leave(where: string): Promise<void> {
    await this.#in(async ({ moved: key }) => {
      const { space } = this.#store
      if ((await space.get(key)).entry !== undefined) return
      await space.put(key, JSON.stringify({ To: where }), 'absent').catch((error: unknown) => {
        if (registryError(error).code !== 'REGISTRY_CONFLICT') throw error
      })
    })
  }

  async *#changes<K extends OvsKind>(kind: K, after: number, signal: AbortSignal): AsyncGenerator<Change<K>, void> {
    const { space, layout, network } = this.#store
    let view: View<K> | undefined
    let seen = after
    try {
      if (signal.aborted) return
      const listedIn = this.#listedIn.get(kind)
      const folders = await network.folders()
      const place = this.#places.get(kind)?.find(({ revision }) => revision === after)
      // Which of several records of a machine counts can only be told by who knows them all.
      if (place === undefined && kind === 'NodeNetwork') throw moved('what was there at this revision is not known')
      view = this.#store.view(kind, folders, place?.entries ?? [])
      for await (const batch of space.watch(layout.everything, after, signal)) {
        if (listedIn !== undefined && listedIn !== space.history)
          throw moved('another etcd cluster answers than before')
        this.#noteConfig(batch)
        if (network.known().subnets !== folders.subnets) throw moved('the configuration names another network')
        seen = batch.revision
        const changes = view.apply({ revision: batch.revision, events: this.#own(kind, folders, batch) })
        this.#store.reached(kind, batch.revision)
        yield* changes
      }
    } catch (error) {
      if (signal.aborted) return
      throw registryError(error)
    } finally {
      // A watch that is taken up again goes on with what was known.
      if (view !== undefined) this.#remember(kind, { revision: seen, entries: view.entries })
    }
  }

  #noteConfig({ revision, events }: Batch): void {
    const { layout, network } = this.#store
    for (const event of events) {
      if (event.type === 'put' && event.entry.key === layout.config) network.note(event.entry, revision)
    }
  }

  #own(kind: OvsKind, folders: Folders, { events }: Batch): Batch['events'] {
    return events.filter((event) =>
      this.#store.isKey(kind, event.type === 'put' ? event.entry.key : event.key, folders),
    )
  }

  #in<T>(call: (folders: Folders) => Promise<T>): Promise<T> {
    return asRegistry(async () => {
      const { network, space } = this.#store
      const folders = await network.folders()
      const { history } = space
      const result = await call(folders)
      // What another cluster has, or lacks, says nothing of ours.
      if (space.history === history) return result
      throw new RegistryError('REGISTRY_UNAVAILABLE', 'two etcd clusters answered → check the list of members')
    })
  }

  #writing<T>(call: (folders: Folders) => Promise<T>): Promise<T> {
    const { network, space } = this.#store
    return asRegistry(async () => {
      const folders = network.decided() ?? (await network.folders())
      const { revision, entry } = await space.get(folders.moved)
      if (!network.goesOn(revision)) await network.folders()
      if (entry === undefined) return call(folders)
      const message = `the registry in etcd was left, by ${folders.moved}: nothing is written to it any more`
      const remedy = 'start this program with --kubeconfig alone; to come back, remove that key'
      throw new RegistryError('REGISTRY_UNAVAILABLE', `${message} → ${remedy}`)
    })
  }

  #made<K extends Kind>(kind: K, folders: Folders, entry: Records['entries'][number]): Stored<K> {
    const [object] = this.#store.view(ovsKind(kind), folders, [entry]).objects()
    if (object !== undefined) return object as Stored<Kind> as Stored<K>
    throw new RegistryError('REGISTRY_INVALID', `what etcd made of ${kind} is none`)
  }

  #remember(kind: OvsKind, place: Records): void {
    const others = (this.#places.get(kind) ?? []).filter(({ revision }) => revision !== place.revision)
    this.#places.set(kind, [place, ...others].slice(0, MOST_PLACES))
  }
}

function isAbout(change: Change<Kind>, name: string | undefined): boolean {
  return change.type === 'bookmark' || name === undefined || change.object.name === name
}

/** What a watcher of something else is told of a change. */
function bookmarkOf(change: Change<Kind>): Extract<Change<Kind>, { readonly type: 'bookmark' }> {
  return { type: 'bookmark', revision: change.type === 'bookmark' ? change.revision : change.object.revision }
}

function ovsKind(kind: Kind): OvsKind {
  if (isOvsKind(kind)) return kind
  throw new RegistryError('REGISTRY_INVALID', `the registry of k8s-ovs keeps no ${kind}`)
}

function writeOf<K extends Kind>(kind: K, name: string, value: Kinds[K]) {
  return { kind: ovsKind(kind), name, value: decodeValue(kind, name, value) as Kinds[OvsKind] }
}

function moved(why: string): RegistryError {
  return new RegistryError('REGISTRY_EXPIRED', `${why}: list again`)
}
