/**
 * Parts of the agent that are told of the cluster's objects. Each kind is read once, for all of them.
 * @module
 */
import type { Namespace, Pod } from '../../network/model/pod.ts'

/** Who is told of objects of a kind. */
export interface Watcher<T> {
  /** One appeared or changed; `before` is what was told last. */
  put(value: T, before?: T): void
  /** By its name in the registry, which for a pod is `<namespace>/<name>`. */
  remove(name: string): void
  /** All of them have been told. */
  read?(): void
}

/** One that tells several, in their order. */
export function toAll<T>(...watchers: readonly Watcher<T>[]): Watcher<T> {
  return {
    put: (value, before) => {
      for (const watcher of watchers) watcher.put(value, before)
    },
    remove: (name) => {
      for (const watcher of watchers) watcher.remove(name)
    },
    read: () => {
      for (const watcher of watchers) watcher.read?.()
    },
  }
}

/** Who is told of the pods of all nodes. */
export type PodWatcher = Watcher<Pod>

/** Who is told of namespaces. */
export type NamespaceWatcher = Watcher<Namespace>
