/**
 * Reflected copies of several resources, by namespace.
 * @module
 */
import type { KubeApi } from '../../kube/api.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { type ResourceReflection, reflectResource } from '../../kube/reflector.ts'
import type { View } from './world.ts'

/** What happened to a copy; `before` is what was there. */
export interface CopyChange {
  readonly resource: Resource
  readonly object: KubeObject
  readonly before: KubeObject | undefined
}

/** How resources are copied. */
export interface CopiesOptions {
  readonly api: KubeApi
  readonly resources: readonly Resource[]
  readonly signal: AbortSignal
  /** Also called for what went away, with what it was last as `object`. The copies show it already. */
  readonly onChange: (change: CopyChange) => void
  readonly onError: (error: unknown, resource: Resource, retryIn: number) => void
}

/** Copies of resources, kept until the signal aborts. */
export class Copies implements View {
  readonly #namespaces = new Map<string, Map<string, KubeObject>>()
  readonly #reflections: readonly ResourceReflection[]

  constructor({ api, resources, signal, onChange, onError }: CopiesOptions) {
    this.#reflections = resources.map((resource) =>
      reflectResource(
        api,
        resource,
        {},
        {
          signal,
          onChange: (change) => {
            const object = change.object.value
            if (change.type === 'put') this.#folder(resource, object).set(object.metadata.name, object)
            else this.#folder(resource, object).delete(object.metadata.name)
            onChange({ resource, object, before: change.before?.value })
          },
          onError: (error, retryIn) => onError(error, resource, retryIn),
        },
      ),
    )
  }

  /** When all are complete, or the signal aborted before. */
  async synced(): Promise<void> {
    await Promise.all(this.#reflections.map(({ synced }) => synced))
  }

  /** When the signal aborted. */
  async done(): Promise<void> {
    await Promise.allSettled(this.#reflections.map(({ done }) => done))
  }

  async get(resource: Resource, namespace: string, name: string): Promise<KubeObject | undefined> {
    return this.#namespaces.get(folderOf(resource, namespace))?.get(name)
  }

  async list(resource: Resource, namespace: string): Promise<readonly KubeObject[]> {
    return this.all(resource, namespace)
  }

  /** What is there now. */
  all(resource: Resource, namespace: string): readonly KubeObject[] {
    return [...(this.#namespaces.get(folderOf(resource, namespace))?.values() ?? [])]
  }

  /** What is there now, in all namespaces. */
  everywhere(resource: Resource): readonly KubeObject[] {
    const prefix = folderOf(resource, '')
    return [...this.#namespaces].flatMap(([name, folder]) => (name.startsWith(prefix) ? [...folder.values()] : []))
  }

  #folder(resource: Resource, { metadata: { namespace = '' } }: KubeObject): Map<string, KubeObject> {
    const name = folderOf(resource, namespace)
    const folder = this.#namespaces.get(name) ?? new Map<string, KubeObject>()
    this.#namespaces.set(name, folder)
    return folder
  }
}

function folderOf({ group, plural }: Resource, namespace: string): string {
  return `${group}/${plural}/${namespace}`
}
