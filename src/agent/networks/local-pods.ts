/**
 * The pods of this node with what they ask for: which networks, which addresses. An ADD has to know before it does
 * anything; a pod that no watch has told of yet is asked for.
 * @module
 */
import { cniError, type PodReference } from '../../cni/index.ts'
import type { Pod } from '../../network/model/pod.ts'
import type { Registry } from '../../registry/registry.ts'
import type { PodWatcher } from '../cluster/watcher.ts'

/** The pods of this node. */
export class LocalPods implements PodWatcher {
  readonly #node: string
  readonly #registry: Pick<Registry, 'get'>
  readonly #pods = new Map<string, Pod>()

  constructor(node: string, registry: Pick<Registry, 'get'>) {
    this.#node = node
    this.#registry = registry
  }

  put(pod: Pod): void {
    const key = keyOf(pod)
    if (pod.node === this.#node) this.#pods.set(key, pod)
    else this.#pods.delete(key)
  }

  remove(key: string): void {
    this.#pods.delete(key)
  }

  /** What a watch has told, without asking. */
  known(pod: Pick<PodReference, 'namespace' | 'name'>): Pod | undefined {
    return this.#pods.get(keyOf(pod))
  }

  /**
   * The pod that a runtime names; undefined where the cluster has none of the name, as with runtimes without Kubernetes.
   * Throws `pod-unknown-yet` (try again) when nobody can say, and where the name is another pod's: one of the two is late.
   */
  async find(pod: PodReference): Promise<Pod | undefined> {
    const known = this.known(pod)
    if (known !== undefined && isSame(known, pod)) return known
    const stored = await this.#stored(pod)
    if (stored === undefined || isSame(stored, pod)) return stored
    const reason = `the API server knows uid ${stored.uid} of this name, and the container runtime asks for ${pod.uid}`
    throw cniError('pod-unknown-yet', { pod: keyOf(pod), reason })
  }

  async #stored(pod: PodReference): Promise<Pod | undefined> {
    try {
      return (await this.#registry.get('Pod', keyOf(pod)))?.value
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw cniError('pod-unknown-yet', { pod: keyOf(pod), reason })
    }
  }
}

function keyOf({ namespace, name }: Pick<PodReference, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`
}

/** An earlier pod of the name says nothing of this one. */
function isSame({ uid }: Pod, wanted: PodReference): boolean {
  return wanted.uid === undefined || wanted.uid === uid
}
