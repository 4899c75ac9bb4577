/**
 * A resource of the Kubernetes API, kept as a map in this process.
 * @module
 */
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

/** An object under `<namespace>/<name>`, or its name alone where there is no namespace. */
export interface ResourceEntry extends Reflectable<string> {
  readonly value: KubeObject
}

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
      return { revision: resourceVersion, objects: items.map(entryOf) }
    },
    watch: (after, signal) => changes(api, resource, selection, after, signal),
    faultOf,
  }
  return reflectSource(source, options)
}

/** The name that an object has in a map: `<namespace>/<name>`, or its name alone where there is no namespace. */
export function keyOf({ metadata: { namespace, name } }: { readonly metadata: ObjectName }): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

async function* changes(
  api: KubeApi,
  resource: Resource,
  selection: Selection,
  after: string,
  signal: AbortSignal,
): AsyncGenerator<SourceChange<string, ResourceEntry>, void> {
  for await (const event of watchOn(api, resource, selection, after, signal)) {
    if (event.type === 'BOOKMARK') yield { type: 'bookmark', revision: event.resourceVersion }
    else yield { type: event.type === 'DELETED' ? 'delete' : 'put', object: entryOf(event.object) }
  }
}

function entryOf(value: KubeObject): ResourceEntry {
  return { name: keyOf(value), revision: value.metadata.resourceVersion ?? '', value }
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
