/**
 * Sees to it that no pod is without its `hostPort` in silence: it is another plugin in the runtime's list that publishes
 * those, and where there is none the pod's owner and `weft status` are told.
 * @module
 */
import type { HostPort, Pod } from '../network/model/pod.ts'
import type { ClusterView } from './cluster/view.ts'
import type { AgentError } from './errors.ts'
import type { Problems } from './problems.ts'
import type { PodWatcher } from './qos/node-pods.ts'
import type { PodNotices } from './qos/notices.ts'

/** What watching host ports works with. */
export interface HostPortParts {
  readonly node: string
  readonly problems: Pick<Problems, 'failed' | 'solved'>
  readonly notices: PodNotices
  /** Whose a port is before any pod's; undefined where it is free. */
  takenBy(port: HostPort): string | undefined
}

/** The pods of this node that ask for ports of it. */
export class HostPorts implements PodWatcher {
  readonly #parts: HostPortParts
  readonly #asking = new Map<string, Pod>()
  /** What owners were told, with the pod's UID. */
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
    const complaints = [...this.#asking].flatMap(([key, pod]) => {
      const complaint = this.#complaintOf(pod)
      return complaint === undefined ? [] : [{ key, pod, ...complaint }]
    })
    const [first, ...others] = complaints
    if (first === undefined) {
      problems.solved('host-ports')
      return
    }
    const whose = others.length === 0 ? first.key : `${first.key} and ${others.length} more`
    problems.failed('host-ports', new Error(`the hostPort of ${whose} leads nowhere: ${first.why}`))
    for (const { key, pod, ports, why } of complaints) {
      const complaint = `${pod.uid} ${why}`
      if (this.#told.get(key) === complaint) continue
      this.#told.set(key, complaint)
      const which = ports.map(({ port, protocol }) => `${port}/${protocol}`).join(', ')
      const of = { namespace: pod.namespace, pod: pod.name }
      notices.warn(of, 'HostPortNotServed', `hostPort ${which} leads nowhere: ${why}`)
    }
  }

  /** Which of a pod's ports lead nowhere, and why. */
  #complaintOf({ hostPorts = [] }: Pod): { readonly ports: readonly HostPort[]; readonly why: string } | undefined {
    if (this.#unserved !== undefined) {
      return { ports: hostPorts, why: `${this.#unserved.message}; to do: ${this.#unserved.remedy}` }
    }
    const ports = hostPorts.filter((port) => this.#parts.takenBy(port) !== undefined)
    const [first] = ports
    if (first === undefined) return undefined
    return { ports, why: `it belongs to ${this.#parts.takenBy(first)}; to do: choose another port` }
  }
}

/** Whose a port of a node is before any pod's, where our own rules lead it elsewhere (`src/network/host.ts`). */
export function takenBy(
  { cluster, planner }: Pick<ClusterView, 'cluster' | 'planner'>,
  { port, protocol }: HostPort,
): string | undefined {
  if (cluster === undefined) return undefined
  const { encapsulation, services } = cluster
  if (protocol === 'UDP' && encapsulation.type !== 'gre' && encapsulation.port === port) return 'the nodes’ tunnels'
  const published = services === 'weft' ? (planner?.publication().ports ?? []) : []
  return published.some((one) => one.port === port && one.protocol === protocol) ? 'a service’s node port' : undefined
}
