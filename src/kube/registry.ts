/**
 * Shared state in a Kubernetes API server.
 * @module
 */
import type { NodeNetwork, NodeNetworkStatus } from '../network/model/node.ts'
import { sleep } from '../registry/backoff.ts'
import { decodeValue } from '../registry/codec.ts'
import {
  type Change,
  type Kind,
  type Kinds,
  type Listing,
  type Registry,
  RegistryError,
  type Stored,
} from '../registry/registry.ts'
import type { KubeApi, KubeEvent } from './api.ts'
import type { KubeBinding, KubeBindings } from './binding.ts'
import { KubeError } from './errors.ts'
import { InvalidObjects, type Witness } from './invalid.ts'
import { type Known, KnownKinds, type LastGood, type Seen } from './known.ts'
import { type NodeReports, writeReport } from './node-reports.ts'
import { type KubeObject, uidOf } from './object.ts'
import { keyOf } from './reflector.ts'
import { collectionError, registryError, revisionOf } from './registry-error.ts'
import { selectionOf } from './selection.ts'
import { watchOn } from './watch-on.ts'

/** How a {@link KubeRegistry} behaves. */
export interface KubeRegistryOptions {
  /** Remembers objects that mean nothing in their kind. */
  readonly invalid?: InvalidObjects
  /** Where agents say how they do; absent: in the NodeNetwork. */
  readonly reports?: NodeReports
  /** Of kinds that keep what they last were. Absent: what they were while this process knows them. */
  readonly lastGood?: LastGood
  readonly random?: () => number
  readonly sleep?: (milliseconds: number, signal: AbortSignal) => Promise<void>
}

type ObjectEvent = Exclude<KubeEvent, { readonly type: 'BOOKMARK' }>
type Bookmark = Extract<Change<Kind>, { readonly type: 'bookmark' }>

/** Of a listing of a kind that the server does not have. No server's own revision is 0. */
const UNSERVED = 0
/** An administrator who installs such a kind waits for so long at most, and a quarter less at least. */
const LOOK_AGAIN_MS = 60_000

/**
 * Shared state in a Kubernetes API server. Revisions are resourceVersions.
 *
 * Other people write these objects too. One that does not decode is reported and treated as absent: a listing leaves it
 * out, and a watcher who knew it as valid is told of its deletion, at the revision that made it invalid. Of some kinds it stays what
 * it last was, until it is corrected or gone.
 */
export class KubeRegistry implements Registry {
  readonly #api: KubeApi
  readonly #bindings: KubeBindings
  readonly #options: KubeRegistryOptions
  readonly #invalid: InvalidObjects
  readonly #known: KnownKinds
  readonly report?: (network: NodeNetwork, status: NodeNetworkStatus) => Promise<void>

  constructor(api: KubeApi, bindings: KubeBindings, options: KubeRegistryOptions = {}) {
    this.#api = api
    this.#bindings = bindings
    this.#options = options
    this.#invalid = options.invalid ?? new InvalidObjects()
    this.#known = new KnownKinds((kind) => (bindings[kind].keepsLast === true ? options.lastGood : undefined))
    const { reports } = options
    if (reports === undefined) return
    this.report = async (network, status) => {
      try {
        await writeReport(api, reports, network, status)
      } catch (error) {
        throw registryError(error)
      }
    }
  }

  async get<K extends Kind>(kind: K, name: string): Promise<Stored<K> | undefined> {
    const { resource, place } = this.#bindingOf(kind)
    const question = this.#invalid.ask(kind)
    try {
      const at = place(name)
      const object = await this.#api.get(resource, at)
      const known = this.#known.of(kind)
      if (object !== undefined) return this.#read(kind, object, question) ?? this.#kept(kind, object, known)
      question.gone(keyOf({ metadata: at }))
      return undefined
    } catch (error) {
      // Nothing has a name that no object can have.
      if (registryError(error).code === 'REGISTRY_INVALID') return undefined
      throw registryError(error)
    }
  }

  async list<K extends Kind>(kind: K, atLeast?: number, name?: string): Promise<Listing<K>> {
    const question = this.#invalid.ask(kind, atLeast === undefined)
    const known = this.#known.of(kind, name)
    const asked = known.ask(atLeast === undefined)
    try {
      const { resourceVersion, items } = await this.#entries(kind, question, atLeast?.toString(), name)
      const revision = revisionOf(resourceVersion)
      if (name === undefined) question.listed(revision)
      else if (items.length === 0) question.gone(keyOf({ metadata: this.#bindingOf(kind).place(name) }))
      const entries = items.filter((entry) => entry !== undefined)
      known.replace(entries, revision, asked)
      return { revision, objects: entries.map(([, { stored }]) => stored) }
    } catch (error) {
      if (!this.#isUnserved(kind, error)) throw collectionError(error)
      this.#invalid.ask(kind).listed(UNSERVED)
      known.replace([], UNSERVED, known.ask(true))
      return { revision: UNSERVED, objects: [] }
    }
  }

  async #entries<K extends Kind>(kind: K, witness: Witness, atLeast?: string, name?: string) {
    const { resource, place } = this.#bindingOf(kind)
    const known = this.#known.of(kind, name)
    const selection = selectionOf(resource, name === undefined ? undefined : place(name))
    const pick = (object: KubeObject): readonly [string, Seen<K>] | undefined => {
      const stored = this.#read(kind, object, witness) ?? this.#kept(kind, object, known)
      return stored === undefined ? undefined : [keyOf(object), { uid: uidOf(object), stored }]
    }
    if (this.#api.listAs !== undefined) return await this.#api.listAs(resource, selection, pick, undefined, atLeast)
    const { resourceVersion, items } = await this.#api.list(resource, selection, undefined, atLeast)
    return { resourceVersion, items: items.map(pick) }
  }

  async *watch<K extends Kind>(
    kind: K,
    after: number,
    signal: AbortSignal,
    name?: string,
  ): AsyncGenerator<Change<K>, void> {
    try {
      yield* this.#isOptional(kind) && after === UNSERVED
        ? this.#untilLookedFor(signal)
        : this.#changes(kind, after, signal, name)
    } catch (error) {
      if (this.#isUnserved(kind, error)) throw new RegistryError('REGISTRY_EXPIRED', `no ${kind} is served any more`)
      throw collectionError(error)
    }
  }

  async *#changes<K extends Kind>(
    kind: K,
    after: number,
    signal: AbortSignal,
    name?: string,
  ): AsyncGenerator<Change<K>, void> {
    const { resource, place } = this.#bindingOf(kind)
    const selection = selectionOf(resource, name === undefined ? undefined : place(name))
    // What this watcher was told is gone, though the server still has it.
    const absent = new Set<string>()
    for await (const event of watchOn(this.#api, resource, selection, String(after), signal)) {
      if (event.type === 'BOOKMARK') yield { type: 'bookmark', revision: revisionOf(event.resourceVersion) }
      else {
        const change = this.#changeOf(kind, event, absent, this.#known.of(kind, name))
        if (name === undefined) this.#invalid.reached(kind, revisionOf(event.object.metadata.resourceVersion))
        yield change
      }
    }
  }

  #changeOf<K extends Kind>(kind: K, event: ObjectEvent, absent: Set<string>, known: Known<K>): Change<K> {
    const { type, object } = event
    const key = keyOf(object)
    const revision = revisionOf(object.metadata.resourceVersion)
    const stored = this.#hear(kind, event)
    const last = stored ?? known.last(key)
    if (type === 'DELETED') known.forget(key, revision)
    else if (stored !== undefined) {
      absent.delete(key)
      known.learn(key, { uid: uidOf(object), stored })
      return { type: 'put', object: stored }
    } else if (this.#kept(kind, object, known) !== undefined) return { type: 'bookmark', revision }
    // What was added was not there before.
    const isNews = last !== undefined && type !== 'ADDED' && !absent.has(key)
    if (type === 'DELETED') absent.delete(key)
    else absent.add(key)
    return isNews ? { type: 'delete', object: { ...last, revision } } : { type: 'bookmark', revision }
  }

  /** A kind that is not served has nothing to tell until it is looked for again: by another listing. */
  async *#untilLookedFor(signal: AbortSignal): AsyncGenerator<Bookmark, void> {
    const { random = Math.random, sleep: pause = sleep } = this.#options
    yield { type: 'bookmark', revision: UNSERVED }
    await pause(Math.round(LOOK_AGAIN_MS * (1 - random() / 4)), signal)
    if (signal.aborted) return
    yield { type: 'bookmark', revision: UNSERVED }
    throw new RegistryError('REGISTRY_EXPIRED', 'it is time to look again whether the kind is served')
  }

  /** Whether a failure says that there is no such resource, of a kind that a server may be without. */
  #isUnserved(kind: Kind, error: unknown): boolean {
    const isUnknown = error instanceof KubeError && error.code === 'KUBE_NOT_FOUND'
    return isUnknown && this.#isOptional(kind)
  }

  #isOptional(kind: Kind): boolean {
    return this.#bindingOf(kind).isOptional ?? false
  }

  async create<K extends Kind>(kind: K, name: string, value: Kinds[K]): Promise<Stored<K>> {
    const { resource, encode, statusPatch } = this.#bindingOf(kind)
    const object = encode(decodeValue(kind, name, value))
    return this.#written(kind, name, async () => {
      const created = await this.#api.create(resource, object)
      return statusPatch === undefined ? created : this.#patch(kind, name, statusPatch(value), created, 'status')
    })
  }

  /** One merge patch, and a second one where a part of the value has an address of its own. */
  async update<K extends Kind>(kind: K, name: string, value: Kinds[K], revision: number): Promise<Stored<K>> {
    const { patch, statusPatch } = this.#bindingOf(kind)
    const valid = decodeValue(kind, name, value)
    const before = { metadata: { resourceVersion: String(revision) } }
    return this.#written(kind, name, async () => {
      const main = patch(valid)
      if (statusPatch === undefined) return this.#patch(kind, name, main, before)
      const isMain = Object.keys(main).length > 0
      const patched = isMain ? await this.#patch(kind, name, main, before) : before
      return this.#patch(kind, name, statusPatch(valid), patched, 'status')
    })
  }

  async delete(kind: Kind, name: string, revision?: number): Promise<void> {
    const { resource, place } = this.#bindingOf(kind)
    const options = revision === undefined ? {} : { resourceVersion: String(revision) }
    try {
      await this.#api.delete(resource, place(name), options)
    } catch (error) {
      throw registryError(error)
    }
  }

  #patch<K extends Kind>(
    kind: K,
    name: string,
    patch: Readonly<Record<string, unknown>>,
    before: { readonly metadata: { readonly resourceVersion?: string } },
    subresource?: string,
  ): Promise<KubeObject> {
    const { resource, place } = this.#bindingOf(kind)
    const { resourceVersion } = before.metadata
    const metadata = { ...(patch['metadata'] as object | undefined), resourceVersion }
    return this.#api.patch(resource, place(name), 'merge', { ...patch, metadata }, subresource)
  }

  /** What the server made of a write. It may add to it, but it must still be what was meant. */
  async #written<K extends Kind>(kind: K, name: string, write: () => Promise<KubeObject>): Promise<Stored<K>> {
    try {
      const stored = this.#read(kind, await write(), this.#invalid)
      if (stored?.name === name) return stored
    } catch (error) {
      throw registryError(error)
    }
    throw new RegistryError('REGISTRY_INVALID', `what the API server made of ${kind} ${name} is none`)
  }

  /** What a watch tells of an object. Nothing is wrong with one that is gone, whatever it last was. */
  #hear<K extends Kind>(kind: K, { type, object }: ObjectEvent): Stored<K> | undefined {
    const revision = revisionOf(object.metadata.resourceVersion)
    const stored = this.#read(kind, object, type === 'DELETED' ? undefined : this.#invalid)
    if (type === 'DELETED') this.#invalid.settled(kind, keyOf(object), revision)
    return stored
  }

  /** An object as its kind has it; undefined when it is none of it, or does not decode, which a witness hears. */
  #read<K extends Kind>(kind: K, object: KubeObject, witness?: Witness): Stored<K> | undefined {
    const { nameOf, decode, fieldOf } = this.#bindingOf(kind)
    const [name, id] = [nameOf(object), keyOf(object)]
    const revision = revisionOf(object.metadata.resourceVersion)
    if (name === undefined) {
      witness?.settled(kind, id, revision)
      return undefined
    }
    try {
      const value = decodeValue(kind, name, decode(object), fieldOf)
      witness?.settled(kind, id, revision)
      return Object.freeze({ name, revision, value })
    } catch (error) {
      const problem = error instanceof Error ? error.message : 'unreadable'
      witness?.invalid(id, { kind, name, revision, problem })
      return undefined
    }
  }

  /** What an object that cannot be read last was, where that counts. */
  #kept<K extends Kind>(kind: K, object: KubeObject, known: Known<K>): Stored<K> | undefined {
    const { keepsLast = false, nameOf } = this.#bindingOf(kind)
    return keepsLast && nameOf(object) !== undefined ? known.kept(keyOf(object), uidOf(object)) : undefined
  }

  #bindingOf<K extends Kind>(kind: K): KubeBinding<K> {
    return this.#bindings[kind]
  }
}
