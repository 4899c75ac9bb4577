/**
 * The pods of this node as the cluster knows them, for what they may send and receive. Nothing waits for them: an ADD
 * takes what is known, and what becomes known later is applied then.
 * @module
 */
import { type Bandwidth, sameBandwidth, UNLIMITED } from '../../network/model/bandwidth.ts'
import type { Endpoint } from '../../network/model/endpoint.ts'
import type { Pod } from '../../network/model/pod.ts'
import type { PodWatcher } from '../cluster/watcher.ts'

/** Which pod an endpoint is of. */
export type PodOfEndpoint = Pick<Endpoint, 'namespace' | 'pod' | 'podUid'>

/** What changed: the pod whose wishes are others now. */
export type PodListener = (pod: Pick<Pod, 'namespace' | 'name'>) => void

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
