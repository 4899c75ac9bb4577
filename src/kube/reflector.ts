/**
 * A resource of the Kubernetes API, kept as a map in this process.
 * @module
 */
import { sleep } from '../registry/backoff.ts'
import {
  type Fault,
  type MapChange,
  type Reflectable,
  type ReflectSourceOptions,
  reflectSource,
  type Source,
  type SourceChange,
  type SourceReflection,
} from '../registry/reflect.ts'
import type { KubeApi, ObjectName, Selection } from './api.ts'
import { KubeError, type KubeErrorCode } from './errors.ts'
import type { KubeObject, Resource } from './object.ts'
import { watchOn } from './watch-on.ts'

/** What is kept of an object, under `<namespace>/<name>`, or its name alone where there is no namespace. */
export interface Picked<T> extends Reflectable<string> {
  readonly value: T
}

/** An object as it is. */
export type ResourceEntry = Picked<KubeObject>

/** What happened to a resource's map. */
export type ResourceChange = MapChange<ResourceEntry>

/** How a resource is reflected. */
export type ReflectResourceOptions = ReflectSourceOptions<ResourceEntry>

/** A resource being reflected. */
export type ResourceReflection = SourceReflection<ResourceEntry>

/** Reflects a resource until `signal` aborts. Whatever the server does, the map ends up equal to what it holds. */
export function reflectResource(
  api: KubeApi,
  resource: Resource,
  selection: Selection,
  options: ReflectResourceOptions,
): ResourceReflection {
  const source: Source<string, ResourceEntry> = {
    list: async (signal, atLeast) => {
      const { resourceVersion, items } = await api.list(resource, selection, signal, atLeast)
      return { revision: resourceVersion, objects: items.map((object) => entryOf(object, object)) }
    },
    watch: (after, signal) => changes(api, resource, selection, after, signal, (object) => object),
    faultOf,
  }
  return reflectSource(source, options)
}

/** What is kept of a resource's objects. */
export interface Picking<T> {
  readonly resource: Resource
  pick(object: KubeObject): T
  /** Whether an object is kept at all. */
  keep(value: T): boolean
  /** A server may be without the resource: then there is nothing, and it is looked for again every now and then. */
  readonly isOptional?: boolean
  /** Absent: all of it. */
  readonly selection?: Selection
}

/** As {@link reflectResource}, but of every object only a part is kept: a large collection takes little room. */
export function reflectPicked<T>(
  api: KubeApi,
  { resource, pick, keep, isOptional = false, selection = {} }: Picking<T>,
  options: ReflectSourceOptions<Picked<T>>,
): SourceReflection<Picked<T>> {
  const picked = (object: KubeObject): Picked<T> => entryOf(object, pick(object))
  const list = async (signal: AbortSignal, atLeast?: string) => {
    if (api.listAs !== undefined) return await api.listAs(resource, selection, picked, signal, atLeast)
    const { resourceVersion, items } = await api.list(resource, selection, signal, atLeast)
    return { resourceVersion, items: items.map(picked) }
  }
  const source: Source<string, Picked<T>> = {
    list: async (signal, atLeast) => {
      try {
        const { resourceVersion, items } = await list(signal, atLeast === UNSERVED ? undefined : atLeast)
        return { revision: resourceVersion, objects: items.filter(({ value }) => keep(value)) }
      } catch (error) {
        if (!isOptional || !(error instanceof KubeError) || error.code !== 'KUBE_NOT_FOUND') throw error
        return { revision: UNSERVED, objects: [] }
      }
    },
    watch: async function* (after, signal) {
      if (after === UNSERVED) return yield* untilLookedFor(signal, options)
      for await (const change of changes(api, resource, selection, after, signal, pick)) {
        // What is not kept any more is gone.
        yield change.type === 'put' && !keep(change.object.value) ? { ...change, type: 'delete' } : change
      }
    },
    faultOf,
  }
  return reflectSource(source, options)
}

/** Of a listing of what the server does not have. No server's own revision is 0. */
const UNSERVED = '0'
const LOOK_AGAIN_MS = 60_000

/** What is not served has nothing to tell until it is looked for again: by another listing. */
async function* untilLookedFor<O>(
  signal: AbortSignal,
  { random = Math.random, sleep: pause = sleep }: Pick<ReflectSourceOptions<O>, 'random' | 'sleep'>,
): AsyncGenerator<{ readonly type: 'bookmark'; readonly revision: string }, void> {
  yield { type: 'bookmark', revision: UNSERVED }
  await pause(Math.round(LOOK_AGAIN_MS * (1 - random() / 4)), signal)
  if (signal.aborted) return
  yield { type: 'bookmark', revision: UNSERVED }
  throw new KubeError('KUBE_EXPIRED', 'it is time to look again whether the resource is served', 'list again')
}

/** The name that an object has in a map: `<namespace>/<name>`, or its name alone where there is no namespace. */
export function keyOf({ metadata: { namespace, name } }: { readonly metadata: ObjectName }): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

async function* changes<T>(
  api: KubeApi,
  resource: Resource,
  selection: Selection,
  after: string,
  signal: AbortSignal,
  pick: (object: KubeObject) => T,
): AsyncGenerator<SourceChange<string, Picked<T>>, void> {
  for await (const event of watchOn(api, resource, selection, after, signal)) {
    if (event.type === 'BOOKMARK') yield { type: 'bookmark', revision: event.resourceVersion }
    else {
      const object = entryOf(event.object, pick(event.object))
      yield { type: event.type === 'DELETED' ? 'delete' : 'put', object }
    }
  }
}

function entryOf<T>(object: KubeObject, value: T): Picked<T> {
  return { name: keyOf(object), revision: object.metadata.resourceVersion ?? '', value }
}

/**
 * Who is not let in at the moment, or has lost its credentials, knows all the same where its watch goes on: only what
 * says something of the collection itself asks for another list.
 */
const BROKEN: ReadonlySet<KubeErrorCode> = new Set([
  'KUBE_UNAVAILABLE',
  'KUBE_UNAUTHORIZED',
  'KUBE_FORBIDDEN',
  'KUBE_CONFIG',
  'KUBE_CREDENTIALS',
])

function faultOf(error: unknown): Fault {
  if (!(error instanceof KubeError)) return { kind: 'other' }
  const { code, retryAfter } = error
  return { kind: BROKEN.has(code) ? 'broken' : code === 'KUBE_EXPIRED' ? 'expired' : 'other', retryAfter }
}
