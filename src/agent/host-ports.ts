/**
 * Sees to it that no pod is without its `hostPort` in silence: it is another plugin in the runtime's list that publishes
 * those, and where there is none the pod's owner and `weft status` are told.
 * @module
 */
import type { Pod } from '../network/model/pod.ts'
import type { AgentError } from './errors.ts'
import type { Problems } from './problems.ts'
import type { PodWatcher } from './qos/node-pods.ts'
import type { PodNotices } from './qos/notices.ts'

/** What watching host ports works with. */
export interface HostPortParts {
  readonly node: string
  readonly problems: Pick<Problems, 'failed' | 'solved'>
  readonly notices: PodNotices
}

/** The pods of this node that ask for ports of it. */
export class HostPorts implements PodWatcher {
  readonly #parts: HostPortParts
  readonly #asking = new Map<string, Pod>()
  /** UIDs of pods whose owners were told. */
  readonly #told = new Map<string, string>()
  /** Why nobody publishes them; undefined where somebody does, and while it is not known. */
  #unserved: AgentError | undefined

  constructor(parts: HostPortParts) {
    this.#parts = parts
  }

  /** What the runtime's configuration is now known to do. */
  serve(unserved: AgentError | undefined): void {
    this.#unserved = unserved
    this.#tell()
  }

  put(pod: Pod): void {
    const key = `${pod.namespace}/${pod.name}`
    // A registry that cannot choose tells of every node's.
    if (pod.node !== this.#parts.node || pod.hostPorts === undefined) {
      this.remove(key)
      return
    }
    this.#asking.set(key, pod)
    this.#tell()
  }

  remove(key: string): void {
    this.#told.delete(key)
    if (this.#asking.delete(key)) this.#tell()
  }

  #tell(): void {
    const { problems, notices } = this.#parts
    const [first] = this.#asking.keys()
    if (this.#unserved === undefined || first === undefined) {
      problems.solved('host-ports')
      return
    }
    const why = `${this.#unserved.message}; to do: ${this.#unserved.remedy}`
    const others = this.#asking.size - 1
    const whose = others === 0 ? first : `${first} and ${others} more`
    problems.failed('host-ports', new Error(`the hostPort of ${whose} leads nowhere: ${why}`))
    for (const [key, pod] of this.#asking) {
      if (this.#told.get(key) === pod.uid) continue
      this.#told.set(key, pod.uid)
      const ports = (pod.hostPorts ?? []).map(({ port, protocol }) => `${port}/${protocol}`).join(', ')
      notices.warn(
        { namespace: pod.namespace, pod: pod.name },
        'HostPortNotServed',
        `hostPort ${ports} leads nowhere: ${why}`,
      )
    }
  }
}
