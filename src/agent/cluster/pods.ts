/**
 * The one look at this node's pods, for all parts of the agent that have to know what pods ask for.
 * @module
 */
import type { Pod } from '../../network/model/pod.ts'
import { reflect } from '../../registry/reflector.ts'
import type { Registry } from '../../registry/registry.ts'

/** Who is told of pods. */
export interface PodWatcher {
  put(pod: Pod): void
  /** By its `<namespace>/<name>`. */
  remove(key: string): void
}

/** Whom to tell about how reading goes. */
export interface ReflectionHealth {
  failed(error: unknown): void
  recovered(): void
}

/** Keeps the watchers' pods equal to the registry until `signal` aborts. While the registry is away they stay as they are. */
export function reflectPods(
  registry: Registry,
  watchers: readonly PodWatcher[],
  { failed, recovered }: ReflectionHealth,
  signal: AbortSignal,
): void {
  const { done } = reflect(registry, 'Pod', {
    onChange: ({ type, object }) => {
      for (const watcher of watchers) {
        if (type === 'put') watcher.put(object.value)
        else watcher.remove(object.name)
      }
    },
    signal,
    onError: failed,
    onRecovered: recovered,
  })
  done.catch((error: unknown) => {
    throw error
  })
}
