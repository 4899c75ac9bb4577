/**
 * The pods of this node as the cluster knows them, for what they may send and receive. Nothing waits for them: an ADD
 * takes what is known, and what becomes known later is applied then.
 * @module
 */
import { type Bandwidth, sameBandwidth, UNLIMITED } from '../../network/model/bandwidth.ts'
import type { Endpoint } from '../../network/model/endpoint.ts'
import type { Pod } from '../../network/model/pod.ts'
import { reflect } from '../../registry/reflector.ts'
import type { Registry } from '../../registry/registry.ts'

/** Which pod an endpoint is of. */
export type PodOfEndpoint = Pick<Endpoint, 'namespace' | 'pod' | 'podUid'>

/** What changed: the pod whose wishes are others now. */
export type PodListener = (pod: Pick<Pod, 'namespace' | 'name'>) => void

/** Who is told of pods. */
export interface PodWatcher {
  put(pod: Pod): void
  /** By its `<namespace>/<name>`. */
  remove(key: string): void
}

/** The pods of this node. */
export class NodePods implements PodWatcher {
  readonly #node: string
  readonly #onChange: PodListener
  readonly #pods = new Map<string, Pod>()

  constructor(node: string, onChange: PodListener) {
    this.#node = node
    this.#onChange = onChange
  }

  /** What was asked for an endpoint's pod; undefined while the pod has not been seen, and once it is gone. */
  wantedFor({ namespace, pod: name, podUid }: PodOfEndpoint): Bandwidth | undefined {
    const pod = this.#pods.get(`${namespace}/${name}`)
    // A later pod of the same name says nothing of this one.
    if (pod === undefined || (podUid !== undefined && podUid !== pod.uid)) return undefined
    return pod.bandwidth ?? UNLIMITED
  }

  put(pod: Pod): void {
    const key = `${pod.namespace}/${pod.name}`
    // A registry that cannot choose tells of every node's.
    if (pod.node !== this.#node) {
      this.remove(key)
      return
    }
    const before = this.#pods.get(key)
    this.#pods.set(key, pod)
    const isNews = before?.uid !== pod.uid || !sameBandwidth(before.bandwidth ?? UNLIMITED, pod.bandwidth ?? UNLIMITED)
    if (isNews) this.#onChange(pod)
  }

  /** The pod goes by its `<namespace>/<name>`. What it is held to stands until its endpoint goes. */
  remove(key: string): void {
    const pod = this.#pods.get(key)
    if (this.#pods.delete(key) && pod !== undefined) this.#onChange(pod)
  }
}

/** Whom to tell about how reading pods goes. */
export interface PodReflectionHealth {
  failed(error: unknown): void
  recovered(): void
}

/** Keeps the watchers' pods equal to the registry until `signal` aborts. While the registry is away they stay as they are. */
export function reflectPods(
  registry: Registry,
  watchers: readonly PodWatcher[],
  { failed, recovered }: PodReflectionHealth,
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
