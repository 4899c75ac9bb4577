/**
 * Who is there for policies to speak of: pods with the addresses they have now, namespaces with their labels, machines.
 *
 * Of this node's pods the endpoints count, not what the API says: a pod has its address here before the API tells, and
 * loses it before.
 * @module
 */
import type { Cidr, Ip } from '../model/address.ts'
import type { Endpoint } from '../model/endpoint.ts'
import type { NodeNetwork } from '../model/node.ts'
import type { NamedPort, Namespace, Pod } from '../model/pod.ts'
import type { Labels, Selector } from '../model/policy.ts'
import { namespaceLabels } from '../model/selector.ts'
import { LabelIndex } from './label-index.ts'
import { type MachineAddresses, Machines } from './machines.ts'
import { NetworkSets } from './network-sets.ts'

/** A pod as policies see it. */
export interface Member {
  /** `<namespace>/<name>`. */
  readonly key: string
  readonly namespace: string
  readonly labels: Labels
  readonly namedPorts: readonly NamedPort[]
  readonly addresses: readonly Ip[]
}

const NO_LABELS: Labels = Object.freeze({})
const NO_PORTS: readonly NamedPort[] = Object.freeze([])

/** Pods, namespaces, machines and this node's endpoints. */
export class Inventory {
  readonly #self: () => string
  readonly #pods = new Map<string, Pod>()
  readonly #podsIn = new Map<string, Set<string>>()
  /** Keys of pods by the ports that they have names for. */
  readonly #podsHaving = new Map<string, Set<string>>()
  /** Namespaces that somebody told of, or that have pods. */
  readonly #namespaces = new LabelIndex()
  readonly #told = new Set<string>()
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #endpointsOf = new Map<string, Set<string>>()
  readonly #machines = new Machines()
  /** Addresses with labels. */
  readonly sets = new NetworkSets((namespace) => this.labelsOf(namespace))

  constructor(self: () => string) {
    this.#self = self
  }

  putPod(pod: Pod): void {
    const key = `${pod.namespace}/${pod.name}`
    this.#forgetPorts(key)
    this.#pods.set(key, pod)
    for (const port of pod.namedPorts ?? NO_PORTS) remember(this.#podsHaving, portKey(port), key)
    remember(this.#podsIn, pod.namespace, key)
    // One that nobody has told of yet has its name for a label.
    if (this.#namespaces.get(pod.namespace) === undefined) this.#label(pod.namespace)
  }

  removePod(key: string): void {
    const pod = this.#pods.get(key)
    if (pod === undefined) return
    this.#forgetPorts(key)
    this.#pods.delete(key)
    forget(this.#podsIn, pod.namespace, key)
    this.#sweep(pod.namespace)
  }

  putNamespace({ name, labels }: Namespace): void {
    this.#told.add(name)
    this.#label(name, labels)
  }

  removeNamespace(name: string): void {
    this.#told.delete(name)
    this.#label(name)
    this.#sweep(name)
  }

  putEndpoint(endpoint: Endpoint): void {
    this.#endpoints.set(endpoint.id, endpoint)
    remember(this.#endpointsOf, `${endpoint.namespace}/${endpoint.pod}`, endpoint.id)
  }

  /** The endpoint that was there, if any. */
  removeEndpoint(id: string): Endpoint | undefined {
    const endpoint = this.#endpoints.get(id)
    if (endpoint === undefined) return undefined
    this.#endpoints.delete(id)
    forget(this.#endpointsOf, `${endpoint.namespace}/${endpoint.pod}`, id)
    return endpoint
  }

  putMachine(network: NodeNetwork): MachineAddresses {
    return this.#machines.put(network)
  }

  removeMachine(node: string): void {
    this.#machines.remove(node)
  }

  machines(): Iterable<MachineAddresses> {
    return this.#machines.all()
  }

  /** Machines that have an address in one of these networks. */
  machinesIn(nets: readonly Cidr[]): Iterable<MachineAddresses> {
    return this.#machines.in(nets)
  }

  endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values()
  }

  endpoint(id: string): Endpoint | undefined {
    return this.#endpoints.get(id)
  }

  /** This node's endpoints of the pod `<namespace>/<name>`. */
  endpointsOf(key: string): readonly Endpoint[] {
    return [...(this.#endpointsOf.get(key) ?? [])].flatMap((id) => this.#endpoints.get(id) ?? [])
  }

  /** Labels of a namespace; one that nobody has told of has its name. */
  labelsOf(namespace: string): Labels {
    return this.#namespaces.get(namespace) ?? namespaceLabels(namespace)
  }

  /** Whether somebody told of a namespace: else its labels are not known but for its name. */
  isToldOf(namespace: string): boolean {
    return this.#told.has(namespace)
  }

  /** Namespaces whose labels meet a selector. */
  namespacesMeeting(selector: Selector): Iterable<string> {
    return this.#namespaces.meeting(selector)
  }

  /** What the API says of an endpoint's pod: undefined while it says nothing of this one, but of an earlier or later namesake. */
  podOf(endpoint: Endpoint): Pod | undefined {
    const pod = this.#pods.get(`${endpoint.namespace}/${endpoint.pod}`)
    if (pod === undefined || (endpoint.podUid !== undefined && endpoint.podUid !== pod.uid)) return undefined
    return pod
  }

  member(key: string): Member | undefined {
    const pod = this.#pods.get(key)
    return pod === undefined ? undefined : this.#memberOf(key, pod)
  }

  /** The pod that has an address now, as `<namespace>/<name>`. Looks at every pod. */
  podAt(address: Ip): string | undefined {
    for (const [key, pod] of this.#pods) if (this.#addressesOf(key, pod).includes(address)) return key
    return undefined
  }

  membersIn(namespace: string): Iterable<Member> {
    return this.#membersOf(this.#podsIn.get(namespace) ?? [])
  }

  /** Pods that have this port by this name. */
  membersHaving(port: NamedPort): Iterable<Member> {
    return this.#membersOf(this.#podsHaving.get(portKey(port)) ?? [])
  }

  #forgetPorts(key: string): void {
    for (const port of this.#pods.get(key)?.namedPorts ?? NO_PORTS) forget(this.#podsHaving, portKey(port), key)
  }

  #label(namespace: string, labels?: Labels): void {
    this.#namespaces.put(namespace, namespaceLabels(namespace, labels))
    this.sets.relabel(namespace)
  }

  /** Forgets a namespace that is gone with all its pods. */
  #sweep(namespace: string): void {
    if (!this.#told.has(namespace) && !this.#podsIn.has(namespace)) this.#namespaces.delete(namespace)
  }

  *#membersOf(keys: Iterable<string>): Generator<Member> {
    for (const key of keys) {
      const pod = this.#pods.get(key)
      if (pod !== undefined) yield this.#memberOf(key, pod)
    }
  }

  #memberOf(key: string, pod: Pod): Member {
    const { namespace, labels = NO_LABELS, namedPorts = NO_PORTS } = pod
    return { key, namespace, labels, namedPorts, addresses: this.#addressesOf(key, pod) }
  }

  #addressesOf(key: string, pod: Pod): readonly Ip[] {
    if (pod.node !== this.#self()) return pod.addresses
    return this.endpointsOf(key).flatMap((endpoint) => (this.podOf(endpoint) === pod ? endpoint.addresses : []))
  }
}

/** What tells a named port from every other. */
export function portKey({ name, protocol, port }: NamedPort): string {
  return `${protocol} ${port} ${name}`
}

function remember(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key)
  if (values === undefined) map.set(key, new Set([value]))
  else values.add(value)
}

function forget(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key)
  values?.delete(value)
  if (values?.size === 0) map.delete(key)
}
