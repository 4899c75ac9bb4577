/**
 * The API in memory, for tests of controllers: revisions, conflicts, generations, status apart from spec, finalizers,
 * graceful deletion of pods that run, owners, watches. Not validated, no defaults.
 * @module
 */
import type { DeleteOptions, KubeApi, KubeEvent, KubeList, ObjectName, PatchType, Selection } from '../api.ts'
import { KubeError, type KubeErrorCode } from '../errors.ts'
import type { KubeObject, ObjectMeta, Resource } from '../object.ts'

type Fields = Record<string, unknown>

interface Change {
  readonly revision: number
  readonly plural: string
  readonly event: KubeEvent & { readonly object: KubeObject }
}

/** Kinds whose status is a field like others. */
const STATUS_IN_OBJECT: ReadonlySet<string> = new Set(['spiderendpoints'])

/** A double of the API server. */
export class MemoryApi implements KubeApi {
  readonly #objects = new Map<string, { readonly resource: Resource; readonly object: KubeObject }>()
  readonly #changes: Change[] = []
  readonly #now: () => number
  #revision = 0
  #wake = Promise.withResolvers<void>()
  /** Called before every call; what it throws, the call throws. */
  before: (verb: string, resource: Resource, name: string) => void | Promise<void> = () => undefined
  /** Writes so far, as `verb plural name`. */
  readonly writes: string[] = []

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  async get(resource: Resource, at: ObjectName): Promise<KubeObject | undefined> {
    await this.before('get', resource, at.name)
    return this.#objects.get(keyOf(resource, at))?.object
  }

  async list(resource: Resource, selection: Selection = {}): Promise<KubeList> {
    await this.before('list', resource, '')
    return { resourceVersion: String(this.#revision), items: this.all(resource, selection) }
  }

  /** What a list would give, at once and without faults. */
  all(resource: Resource, selection: Selection = {}): readonly KubeObject[] {
    const prefix = `${resource.group}/${resource.plural}/`
    return [...this.#objects]
      .filter(([key, { object }]) => key.startsWith(prefix) && isSelected(object, selection))
      .map(([, { object }]) => object)
  }

  async *watch(resource: Resource, selection: Selection, after: string, signal: AbortSignal): AsyncIterable<KubeEvent> {
    await this.before('watch', resource, '')
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    let next = this.#changes.findIndex(({ revision }) => revision > Number(after))
    if (next < 0) next = this.#changes.length
    while (!signal.aborted) {
      const change = this.#changes[next]
      if (change === undefined) {
        await Promise.race([this.#wake.promise, aborted])
        continue
      }
      next += 1
      if (change.plural === `${resource.group}/${resource.plural}` && isSelected(change.event.object, selection)) {
        yield change.event
      }
    }
  }

  async create(resource: Resource, object: KubeObject): Promise<KubeObject> {
    const name = object.metadata.name
    await this.before('create', resource, name)
    const key = keyOf(resource, object.metadata)
    if (this.#objects.has(key)) throw failed('KUBE_EXISTS', `${key} exists`)
    this.writes.push(`create ${resource.plural} ${name}`)
    const creationTimestamp = `${new Date(this.#now()).toISOString().slice(0, 19)}Z`
    const metadata = { ...object.metadata, uid: crypto.randomUUID(), creationTimestamp, generation: 1 }
    return this.#store('ADDED', resource, { ...object, metadata })
  }

  async replace(resource: Resource, object: KubeObject, subresource?: string): Promise<KubeObject> {
    await this.before('replace', resource, object.metadata.name)
    const before = this.#found(resource, object.metadata)
    this.#unchanged(before, object.metadata)
    return this.#update(resource, before, object, subresource)
  }

  async patch(
    resource: Resource,
    at: ObjectName,
    _type: PatchType,
    patch: unknown,
    subresource?: string,
  ): Promise<KubeObject> {
    await this.before('patch', resource, at.name)
    const before = this.#found(resource, at)
    this.#unchanged(before, ((patch as Fields)['metadata'] ?? {}) as Partial<ObjectMeta>)
    return this.#update(resource, before, merge(before, patch) as KubeObject, subresource)
  }

  /** Binds pods; nothing else can be posted. */
  async post(resource: Resource, at: ObjectName, subresource: string, body: KubeObject): Promise<void> {
    await this.before('post', resource, at.name)
    if (resource.plural !== 'pods' || subresource !== 'binding') throw failed('KUBE_INVALID', `no ${subresource}`)
    this.#bind(resource, body)
  }

  async delete(resource: Resource, at: ObjectName, options: DeleteOptions = {}): Promise<void> {
    await this.before('delete', resource, at.name)
    const before = this.#found(resource, at)
    this.#unchanged(before, options)
    this.writes.push(`delete ${resource.plural} ${at.name}`)
    const spec = (before['spec'] ?? {}) as Fields
    const runs = resource.plural === 'pods' && spec['nodeName'] !== undefined && options.gracePeriodSeconds !== 0
    if (runs || (before.metadata.finalizers ?? []).length > 0) {
      if (before.metadata.deletionTimestamp !== undefined) return
      const grace = Number(options.gracePeriodSeconds ?? spec['terminationGracePeriodSeconds'] ?? 30)
      const deletionTimestamp = new Date(this.#now() + (runs ? grace * 1000 : 0)).toISOString()
      this.#store('MODIFIED', resource, { ...before, metadata: { ...before.metadata, deletionTimestamp } })
      return
    }
    this.#remove(resource, before)
  }

  #remove(resource: Resource, object: KubeObject): void {
    this.#objects.delete(keyOf(resource, object.metadata))
    this.#note('DELETED', resource, this.#revised(object))
    for (const dependent of [...this.#objects.values()]) {
      const owners = dependent.object.metadata.ownerReferences ?? []
      const left = owners.filter(({ uid }) => uid !== object.metadata.uid)
      if (left.length < owners.length && left.length === 0) {
        void this.delete(dependent.resource, dependent.object.metadata).catch(() => undefined)
      }
    }
  }

  #update(resource: Resource, before: KubeObject, wanted: KubeObject, subresource?: string): KubeObject {
    const isApart = 'status' in before && !STATUS_IN_OBJECT.has(resource.plural)
    const next: Fields & { readonly metadata: ObjectMeta } =
      subresource === 'status'
        ? { ...before, status: wanted['status'] }
        : { ...wanted, ...(isApart ? { status: before['status'] } : {}) }
    const { uid, creationTimestamp, generation = 1, resourceVersion } = before.metadata
    const specChanged = JSON.stringify(next['spec']) !== JSON.stringify(before['spec'])
    const kept = { uid, creationTimestamp, resourceVersion, generation: generation + (specChanged ? 1 : 0) }
    const object = { ...next, metadata: { ...next.metadata, ...kept } } as KubeObject
    if (JSON.stringify(object) === JSON.stringify(before)) return before
    this.writes.push(`update ${resource.plural} ${before.metadata.name}`)
    const wasHeld = (before.metadata.finalizers ?? []).length > 0
    const isHeld = (object.metadata.finalizers ?? []).length > 0
    if (object.metadata.deletionTimestamp === undefined || !wasHeld || isHeld) {
      return this.#store('MODIFIED', resource, object)
    }
    this.#remove(resource, object)
    return object
  }

  #bind(pods: Resource, binding: KubeObject): void {
    const pod = this.#found(pods, binding.metadata)
    this.#unchanged(pod, binding.metadata)
    const spec = (pod['spec'] ?? {}) as Fields
    if (spec['nodeName'] !== undefined) throw failed('KUBE_CONFLICT', 'the pod is bound')
    const target = binding['target'] as { readonly name: string }
    this.writes.push(`bind pods ${pod.metadata.name}`)
    this.#store('MODIFIED', pods, { ...pod, spec: { ...spec, nodeName: target.name } })
  }

  #found(resource: Resource, at: ObjectName): KubeObject {
    const found = this.#objects.get(keyOf(resource, at))
    if (found === undefined) throw failed('KUBE_NOT_FOUND', `no ${keyOf(resource, at)}`)
    return found.object
  }

  #unchanged({ metadata }: KubeObject, expected: { readonly uid?: unknown; readonly resourceVersion?: unknown }): void {
    const { uid = metadata.uid, resourceVersion = metadata.resourceVersion } = expected
    if (uid === metadata.uid && resourceVersion === metadata.resourceVersion) return
    throw failed('KUBE_CONFLICT', `${metadata.name} changed`)
  }

  #store(type: 'ADDED' | 'MODIFIED', resource: Resource, object: KubeObject): KubeObject {
    const stored = this.#revised(object)
    this.#objects.set(keyOf(resource, stored.metadata), { resource, object: stored })
    this.#note(type, resource, stored)
    return stored
  }

  #revised(object: KubeObject): KubeObject {
    this.#revision += 1
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#revision) } }
  }

  #note(type: 'ADDED' | 'MODIFIED' | 'DELETED', resource: Resource, object: KubeObject): void {
    const plural = `${resource.group}/${resource.plural}`
    this.#changes.push({ revision: this.#revision, plural, event: { type, object } })
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }
}

function keyOf(resource: Resource, { namespace = '', name }: ObjectName): string {
  return `${resource.group}/${resource.plural}/${namespace}/${name}`
}

/** Selectors with `=` and `!=` between commas. */
function isSelected(object: KubeObject, { namespace, labelSelector = '', fieldSelector = '' }: Selection): boolean {
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false
  const holds = (term: string, valueIn: (key: string) => unknown): boolean => {
    const [, key = '', operator, wanted] = /^(.*?)(!=|==?)(.*)$/.exec(term) ?? []
    return ((valueIn(key) ?? '') === wanted) === (operator !== '!=')
  }
  const labels = labelSelector.split(',').filter(Boolean)
  const paths = fieldSelector.split(',').filter(Boolean)
  const valueAt = (path: string): unknown =>
    path.split('.').reduce((value: unknown, step) => (value as Fields | undefined)?.[step], object)
  return (
    labels.every((term) => holds(term, (key) => object.metadata.labels?.[key])) &&
    paths.every((term) => holds(term, valueAt))
  )
}

function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  const result = base as Fields
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else if (value !== undefined) result[key] = merge(result[key], value)
  }
  return result
}

function failed(code: KubeErrorCode, message: string): KubeError {
  return new KubeError(code, message, 'this is a test')
}
