/**
 * Sees to it that no pod is without its `hostPort` in silence: it is another plugin in the runtime's list that publishes
 * those, and where there is none the pod's owner and `weft status` are told.
 * @module
 */
import type { HostPort, Pod } from '../network/model/pod.ts'
import type { ClusterView } from './cluster/view.ts'
import type { PodWatcher } from './cluster/watcher.ts'
import type { AgentError } from './errors.ts'
import type { PodNotices } from './notices.ts'
import type { Problems } from './problems.ts'

/** What watching host ports works with. */
export interface HostPortParts {
  readonly node: string
  readonly problems: Pick<Problems, 'failed' | 'solved'>
  readonly notices: Pick<PodNotices, 'warn'>
  /** Which ports are somebody's before any pod's, at this moment. */
  taken(): TakenBy
}

/** Whose a port is; undefined where it is free. */
type TakenBy = (port: HostPort) => string | undefined

/** Which of a pod's ports lead nowhere, and why. */
interface Complaint {
  readonly ports: readonly HostPort[]
  readonly why: string
}

/** The pods of this node that ask for ports of it. */
export class HostPorts implements PodWatcher {
  readonly #parts: HostPortParts
  readonly #asking = new Map<string, Pod>()
  readonly #complaints = new Map<string, Complaint>()
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
    const takenBy = this.#parts.taken()
    for (const [key, pod] of this.#asking) this.#judge(key, pod, takenBy)
    this.#tell()
  }

  put(pod: Pod): void {
    const key = `${pod.namespace}/${pod.name}`
    if (pod.node !== this.#parts.node || pod.hostPorts === undefined) {
      this.remove(key)
      return
    }
    this.#asking.set(key, pod)
    this.#judge(key, pod, this.#parts.taken())
    this.#tell()
  }

  remove(key: string): void {
    this.#told.delete(key)
    this.#complaints.delete(key)
    if (this.#asking.delete(key)) this.#tell()
  }

  /** Tells a pod's owner, once for each reason. */
  #judge(key: string, pod: Pod, takenBy: TakenBy): void {
    const complaint = this.#complaintOf(pod, takenBy)
    if (complaint === undefined) {
      this.#complaints.delete(key)
      return
    }
    this.#complaints.set(key, complaint)
    const { ports, why } = complaint
    const said = `${pod.uid} ${why}`
    if (this.#told.get(key) === said) return
    this.#told.set(key, said)
    const which = ports.map(({ port, protocol }) => `${port}/${protocol}`).join(', ')
    const of = { namespace: pod.namespace, pod: pod.name }
    this.#parts.notices.warn(of, 'HostPortNotServed', `hostPort ${which} leads nowhere: ${why}`)
  }

  #tell(): void {
    const { problems } = this.#parts
    const [first] = this.#complaints
    if (first === undefined) {
      problems.solved('host-ports')
      return
    }
    const [key, { why }] = first
    const others = this.#complaints.size - 1
    const whose = others === 0 ? key : `${key} and ${others} more`
    problems.failed('host-ports', new Error(`the hostPort of ${whose} leads nowhere: ${why}`))
  }

  #complaintOf({ hostPorts = [] }: Pod, takenBy: TakenBy): Complaint | undefined {
    if (this.#unserved !== undefined) {
      return { ports: hostPorts, why: `${this.#unserved.message}; to do: ${this.#unserved.remedy}` }
    }
    const ports = hostPorts.filter((port) => takenBy(port) !== undefined)
    const [first] = ports
    return first && { ports, why: `it belongs to ${takenBy(first)}; to do: choose another port` }
  }
}

/** Whose ports of a node are before any pod's, where our own rules lead them elsewhere (`src/network/host.ts`). */
export function takenIn({ cluster, planner }: Pick<ClusterView, 'cluster' | 'planner'>): TakenBy {
  if (cluster === undefined) return () => undefined
  const { encapsulation, services } = cluster
  const tunnels = encapsulation.type === 'gre' ? undefined : `${encapsulation.port}/UDP`
  const published = services === 'weft' ? (planner?.catalogue.nodePorts() ?? []) : []
  const nodePorts = new Set(published.map(({ port, protocol }) => `${port}/${protocol}`))
  return ({ port, protocol }) => {
    const key = `${port}/${protocol}`
    if (key === tunnels) return 'the nodes’ tunnels'
    return nodePorts.has(key) ? 'a service’s node port' : undefined
  }
}
