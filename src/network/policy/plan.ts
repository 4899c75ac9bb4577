/**
 * What policies mean for one node: which of its pods they isolate, and which connections of those are allowed. An event
 * touches what it is about: a pod its own flows, the groups it is in and no others. Fragments are made anew by
 * {@link PolicyPlan.settle}, once for many events.
 * @module
 */
import type { NodeContext } from '../context.ts'
import type { Fragment } from '../fragments/fragment.ts'
import { revokePermission } from '../fragments/tracking.ts'
import type { Ip } from '../model/address.ts'
import type { Endpoint } from '../model/endpoint.ts'
import type { NodeNetwork } from '../model/node.ts'
import type { Namespace, Pod } from '../model/pod.ts'
import { type Direction, type Policy, policyKey } from '../model/policy.ts'
import type { ServiceCatalogue } from '../service/plan.ts'
import { Classes, type ClassUse, DIRECTIONS } from './classes.ts'
import { Firewalls } from './firewalls.ts'
import { Groups } from './groups.ts'
import { Inventory } from './inventory.ts'
import { Places } from './levels.ts'
import { PeerSets, peerAddressKey } from './peer-sets.ts'
import { PortNames } from './port-names.ts'
import { callerOf, ProxiedServices } from './proxied.ts'
import { matchesPodSet } from './selector.ts'
import { subjectFlows } from './subject-flows.ts'
import { type ClassSpec, type Subject, Subjects } from './subjects.ts'

/** Policies, and everybody that they speak of, as one node needs them. */
export class PolicyPlan {
  readonly #set: (key: string, fragment: Fragment | undefined) => void
  readonly #subjects = new Subjects()
  readonly #places = new Places()
  readonly #portNames = new PortNames()
  readonly #inventory: Inventory
  readonly #groups: Groups
  readonly #peers: PeerSets
  readonly #classes: Classes
  /** Per endpoint, one per direction that policies speak of. */
  readonly #classesOf = new Map<string, readonly ClassUse[]>()
  /** Endpoints, here or gone, that may be subject to other policies than before. */
  readonly #dirty = new Map<string, Endpoint>()
  #isProxiedDirty = false
  readonly #firewalls: Firewalls
  readonly #proxied: ProxiedServices

  /** `set` takes the fragments that change. */
  constructor(
    context: () => NodeContext,
    catalogue: ServiceCatalogue,
    set: (key: string, fragment: Fragment | undefined) => void,
  ) {
    this.#set = set
    this.#inventory = new Inventory(() => context().self.node)
    this.#groups = new Groups(this.#inventory)
    this.#peers = new PeerSets(this.#groups, (address, flows) => {
      const key = peerAddressKey(address)
      set(key, flows.length === 0 ? undefined : { key, title: `${address} as a peer in policies`, flows, groups: [] })
    })
    this.#classes = new Classes({
      subjects: this.#subjects,
      places: this.#places,
      peers: this.#peers,
      ports: (name) => this.#portNames.of(name),
      revoke: () => revokePermission(context()),
      set,
    })
    this.#proxied = new ProxiedServices(context, catalogue)
    this.#firewalls = new Firewalls({ subjects: this.#subjects, revoke: () => revokePermission(context()), set })
  }

  /** Whether {@link settle} has something to do. */
  get isDirty(): boolean {
    return this.#dirty.size > 0 || this.#isProxiedDirty || this.#classes.isDirty || this.#peers.isDirty
  }

  /** Makes the fragments anew that events since the last call were about. */
  settle(): void {
    for (const endpoint of this.#dirty.values()) this.#planSubject(endpoint)
    this.#dirty.clear()
    this.#classes.settle()
    this.#peers.settle()
    if (this.#isProxiedDirty) for (const endpoint of this.#inventory.endpoints()) this.#planProxied(endpoint)
    this.#isProxiedDirty = false
  }

  policies(): Iterable<Policy> {
    return this.#subjects.values()
  }

  /** DNS names that rules speak of. */
  wantedNames(): ReadonlySet<string> {
    this.settle()
    return new Set([...this.#groups.names, ...this.#firewalls.names()])
  }

  /** The pod that has an address now, as `<namespace>/<name>`. Looks at every pod. */
  podAt(address: Ip): string | undefined {
    return this.#inventory.podAt(address)
  }

  /** A policy appeared or changed. */
  put(policy: Policy): void {
    const key = policyKey(policy)
    const before = this.#subjects.get(key)
    this.#subjects.put(policy)
    this.#policyChanged(key, before, policy)
  }

  /** A policy is gone. */
  remove(key: string): void {
    const before = this.#subjects.remove(key)
    if (before !== undefined) this.#policyChanged(key, before, undefined)
  }

  /** A pod of the cluster appeared or changed. */
  putPod(pod: Pod): void {
    this.#inventory.putPod(pod)
    this.#podChanged(`${pod.namespace}/${pod.name}`, pod)
  }

  /** A pod is gone. */
  removePod(key: string): void {
    this.#inventory.removePod(key)
    this.#podChanged(key, undefined)
  }

  /** A namespace appeared or has other labels. */
  putNamespace(namespace: Namespace): void {
    const before = JSON.stringify(this.#inventory.labelsOf(namespace.name))
    this.#inventory.putNamespace(namespace)
    if (before !== JSON.stringify(this.#inventory.labelsOf(namespace.name))) this.#namespaceChanged(namespace.name)
  }

  /** A namespace is gone. */
  removeNamespace(name: string): void {
    this.#inventory.removeNamespace(name)
    this.#namespaceChanged(name)
  }

  /** A machine of the cluster appeared or changed, or this one did. */
  putMachine(network: NodeNetwork): void {
    this.#groups.refreshMachine(network.node, this.#inventory.putMachine(network))
  }

  /** A machine is gone. */
  removeMachine(node: string): void {
    this.#inventory.removeMachine(node)
    this.#groups.refreshMachine(node, undefined)
  }

  /** What a DNS name stands for; undefined while nobody knows. */
  putName(name: string, addresses: readonly Ip[] | undefined): void {
    this.#groups.setName(name, addresses)
    this.#firewalls.setName(name, addresses)
    this.#isProxiedDirty = true
  }

  /** A service, or where it leads, is another. It goes by its `<namespace>/<name>`. */
  serviceChanged(key: string): void {
    if (this.#proxied.changed(key)) this.#isProxiedDirty = true
  }

  /** A pod was attached here. */
  putEndpoint(endpoint: Endpoint): void {
    this.#inventory.putEndpoint(endpoint)
    this.#groups.refresh(podOf(endpoint))
    this.#dirty.set(endpoint.id, endpoint)
  }

  /** A pod’s attachment is gone. */
  removeEndpoint(id: string): void {
    const endpoint = this.#inventory.removeEndpoint(id)
    if (endpoint === undefined) return
    this.#groups.refresh(podOf(endpoint))
    this.#dirty.set(endpoint.id, endpoint)
  }

  /** The cluster, or the node's place in it, is another: everything may look different. */
  replan(): void {
    this.#proxied.lookAtAll()
    this.#classes.replanAll()
    for (const endpoint of this.#inventory.endpoints()) this.#dirty.set(endpoint.id, endpoint)
    this.#firewalls.replanAll()
    this.#peers.touchAll()
  }

  #policyChanged(key: string, before: Policy | undefined, after: Policy | undefined): void {
    const isOrdered = [before, after].some((one) => one?.tier === 'admin' || one?.tier === 'baseline')
    const moved = isOrdered ? this.#places.arrange(this.#subjects.values()) : []
    if (before !== undefined && after !== undefined) this.#classes.replan(key)
    for (const other of moved) if (other !== key || before === undefined) this.#classes.replan(other)
    for (const endpoint of this.#inventory.endpoints()) {
      const speaksOf = [before, after].some((one) => one !== undefined && this.#maySelect(one, endpoint))
      if (speaksOf) this.#dirty.set(endpoint.id, endpoint)
    }
    for (const policy of [before, after]) {
      if (policy?.tier === 'firewall' && policy.namespace !== undefined) this.#firewalls.plan(policy.namespace)
    }
  }

  /** Labels are not always known: then whoever is in the right namespace. */
  #maySelect({ subject }: Policy, endpoint: Endpoint): boolean {
    const pod = this.#inventory.podOf(endpoint)
    const { namespace } = endpoint
    const everybody = pod === undefined ? { ...subject, pods: [] } : subject
    return matchesPodSet(everybody, { ...pod, namespace }, this.#inventory.labelsOf(namespace))
  }

  #podChanged(key: string, pod: Pod | undefined): void {
    const names = this.#portNames.set(key, pod?.namedPorts ?? [])
    this.#groups.refresh(key)
    for (const endpoint of this.#inventory.endpointsOf(key)) this.#dirty.set(endpoint.id, endpoint)
    if (names.length > 0) this.#classes.portsChanged(names)
  }

  #namespaceChanged(name: string): void {
    for (const { key } of this.#inventory.membersIn(name)) this.#groups.refresh(key)
    for (const endpoint of this.#inventory.endpoints()) {
      if (endpoint.namespace === name) this.#dirty.set(endpoint.id, endpoint)
    }
  }

  /** Sends a pod's connections to the flows of its classes. */
  #planSubject(endpoint: Endpoint): void {
    const { id, namespace } = endpoint
    const isHere = this.#inventory.endpoint(id) !== undefined
    const before = this.#classesOf.get(id) ?? []
    const specs = this.#specsOf(endpoint)
    const uses = new Map([...specs].map(([direction, spec]) => [direction, this.#classes.acquire(spec)]))
    if (isHere) this.#classesOf.set(id, [...uses.values()])
    else this.#classesOf.delete(id)
    for (const use of before) this.#classes.release(use)
    const firewall = this.#firewalls.follow(namespace, id, isHere)
    const key = subjectKey(id)
    const flows = subjectFlows(key, endpoint, { classes: uses, firewall })
    const title = `policies of pod ${podOf(endpoint)}`
    this.#set(key, isHere && flows.length > 0 ? { key, title, flows, groups: [] } : undefined)
    this.#planProxied(endpoint)
  }

  /** The classes that an endpoint is of; none when it is gone. */
  #specsOf(endpoint: Endpoint): ReadonlyMap<Direction, ClassSpec> {
    const specs = new Map<Direction, ClassSpec>()
    if (this.#inventory.endpoint(endpoint.id) === undefined) return specs
    const subject = this.#subjectOf(endpoint)
    for (const direction of DIRECTIONS) {
      const spec = this.#subjects.classOf(subject, direction)
      if (spec !== undefined) specs.set(direction, spec)
    }
    return specs
  }

  #subjectOf(endpoint: Endpoint): Subject {
    const pod = this.#inventory.podOf(endpoint)
    return {
      namespace: endpoint.namespace,
      namespaceLabels: this.#inventory.labelsOf(endpoint.namespace),
      labels: pod === undefined ? undefined : (pod.labels ?? {}),
      namedPorts: pod?.namedPorts ?? [],
    }
  }

  /** Where kube-proxy leads a pod out of the pod networks. */
  #planProxied(endpoint: Endpoint): void {
    const key = proxiedKey(endpoint.id)
    const isHere = this.#inventory.endpoint(endpoint.id) !== undefined
    const flows =
      isHere && !this.#proxied.isEmpty
        ? this.#proxied.flows(
            key,
            endpoint,
            callerOf(this.#subjects, this.#subjectOf(endpoint), this.#firewalls.addresses),
          )
        : []
    const title = `services outside the pod networks, for pod ${podOf(endpoint)}`
    this.#set(key, flows.length > 0 ? { key, title, flows, groups: [] } : undefined)
  }
}

function podOf({ namespace, pod }: Endpoint): string {
  return `${namespace}/${pod}`
}

function subjectKey(id: string): string {
  return `policy-subject/${id}`
}

function proxiedKey(id: string): string {
  return `policy-proxied/${id}`
}
