/**
 * The Kubernetes API as its clients here use it. One implementation speaks HTTP; tests inject faults into it.
 * @module
 */
import type { KubeObject, Resource } from './object.ts'

/** Which objects of a collection. */
export interface Selection {
  /** Absent: all namespaces. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

/** A collection as it was at a revision from which a watch goes on without a gap. */
export interface KubeList {
  readonly resourceVersion: string
  readonly items: readonly KubeObject[]
}

/** One line of a watch. */
export type KubeEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

/** How a patch is written. */
export type PatchType = 'json' | 'merge' | 'strategic'

/** Where one object is. */
export interface ObjectName {
  readonly name: string
  readonly namespace?: string
}

/** What a deletion asks for. */
export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly propagation?: 'Foreground' | 'Background' | 'Orphan'
  readonly uid?: string
  readonly resourceVersion?: string
}

/** Every call throws a KubeError. `signal` ends a call early. */
export interface KubeApi {
  /** Undefined when there is none. */
  get(resource: Resource, at: ObjectName, signal?: AbortSignal): Promise<KubeObject | undefined>
  /** Whether the server has this resource, in this version. Absent where it has every one. */
  serves?(resource: Resource): Promise<boolean>
  /**
   * The whole collection, as it is now; with `atLeast`, as it was at that revision or at any later one, which is cheaper
   * for the server.
   */
  list(resource: Resource, selection?: Selection, signal?: AbortSignal, atLeast?: string): Promise<KubeList>
  /**
   * As {@link list}, but of every object only what `pick` makes of it is kept: a large collection is never whole in
   * memory. `pick` may see an object again when a list starts anew. Absent where there is no gain.
   */
  listAs?<T>(
    resource: Resource,
    selection: Selection,
    pick: (object: KubeObject) => T,
    signal?: AbortSignal,
    atLeast?: string,
  ): Promise<{ readonly resourceVersion: string; readonly items: readonly T[] }>
  /**
   * Every change after a revision until `signal` aborts or the server ends the watch; a bookmark tells that it is open.
   * Throws KUBE_EXPIRED.
   */
  watch(resource: Resource, selection: Selection, after: string, signal: AbortSignal): AsyncIterable<KubeEvent>
  create(resource: Resource, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>
  /** What {@link create} would answer; nothing is kept. Absent where there is no server to ask. */
  createDry?(resource: Resource, object: KubeObject, signal?: AbortSignal): Promise<KubeObject>
  /** Replaces an object, or with `subresource` that part of it. Throws KUBE_CONFLICT when it changed since. */
  replace(resource: Resource, object: KubeObject, subresource?: string, signal?: AbortSignal): Promise<KubeObject>
  patch(
    resource: Resource,
    at: ObjectName,
    type: PatchType,
    patch: unknown,
    subresource?: string,
    signal?: AbortSignal,
  ): Promise<KubeObject>
  /** Posts to a part of an object that is done rather than kept: `binding`, `eviction`. What comes back is not read. */
  post(resource: Resource, at: ObjectName, subresource: string, body: KubeObject, signal?: AbortSignal): Promise<void>
  /** Deletes, or asks for deletion where finalizers hold; removing what is not there throws KUBE_NOT_FOUND. */
  delete(resource: Resource, at: ObjectName, options?: DeleteOptions, signal?: AbortSignal): Promise<void>
}
