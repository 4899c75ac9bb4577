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
import { type NetworkSet, networkSetKey } from '../model/network-set.ts'
import type { NodeNetwork } from '../model/node.ts'
import type { Namespace, Pod } from '../model/pod.ts'
import { type Policy, policyKey } from '../model/policy.ts'
import type { ServiceCatalogue } from '../service/plan.ts'
import { Classes } from './classes.ts'
import { ClosedRules } from './closed-rules.ts'
import { Enrolments } from './enrolments.ts'
import { Firewalls } from './firewalls.ts'
import { Groups } from './groups.ts'
import { Inventory } from './inventory.ts'
import { hasPlaces, isPlacedAlike, Places } from './levels.ts'
import { PeerSets, peerAddressKey } from './peer-sets.ts'
import { PortNames } from './port-names.ts'
import { ProxiedServices } from './proxied.ts'
import { matchesPodSet } from './selector.ts'
import { SetUses } from './set-uses.ts'
import { Subjects } from './subjects.ts'

/** Policies, and everybody that they speak of, as one node needs them. */
export class PolicyPlan {
  readonly #subjects = new Subjects()
  readonly #places = new Places()
  readonly #portNames = new PortNames()
  readonly #inventory: Inventory
  readonly #setUses: SetUses
  readonly #closed: ClosedRules
  readonly #groups: Groups
  readonly #peers: PeerSets
  readonly #classes: Classes
  readonly #firewalls: Firewalls
  readonly #proxied: ProxiedServices
  readonly #enrolments: Enrolments
  /** Places of rules may be others: once for many events. */
  #isUnarranged = false

  /** `set` takes the fragments that change. */
  constructor(
    context: () => NodeContext,
    catalogue: ServiceCatalogue,
    set: (key: string, fragment: Fragment | undefined) => void,
  ) {
    this.#inventory = new Inventory(() => context().self.node)
    this.#setUses = new SetUses(this.#inventory.sets)
    this.#closed = new ClosedRules(this.#setUses)
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
    this.#enrolments = new Enrolments({
      inventory: this.#inventory,
      subjects: this.#subjects,
      classes: this.#classes,
      firewalls: this.#firewalls,
      proxied: this.#proxied,
      set,
    })
  }

  /** Whether {@link settle} has something to do. */
  get isDirty(): boolean {
    return this.#isUnarranged || this.#enrolments.isDirty || this.#classes.isDirty || this.#peers.isDirty
  }

  /** Makes the fragments anew that events since the last call were about. */
  settle(): void {
    if (this.#isUnarranged) {
      this.#isUnarranged = false
      for (const key of this.#places.arrange(this.#subjects.values())) this.#classes.replan(key)
    }
    this.#enrolments.settle()
    this.#classes.settle()
    this.#peers.settle()
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
  put(written: Policy): void {
    this.#setUses.put(written)
    const policy = this.#closed.put(written)
    const key = policyKey(policy)
    const before = this.#subjects.get(key)
    this.#subjects.put(policy)
    this.#policyChanged(key, before, policy)
  }

  /** A policy is gone. */
  remove(key: string): void {
    this.#setUses.remove(key)
    this.#closed.remove(key)
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
    const { name } = namespace
    const look = () => JSON.stringify([this.#inventory.isToldOf(name), this.#inventory.labelsOf(name)])
    const before = look()
    this.#inventory.putNamespace(namespace)
    if (before !== look()) this.#namespaceChanged(name)
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
    this.#enrolments.servicesChanged()
  }

  /** A service, or where it leads, is another. It goes by its `<namespace>/<name>`. */
  serviceChanged(key: string): void {
    if (this.#proxied.changed(key)) this.#enrolments.servicesChanged()
  }

  /** A network set appeared or changed. */
  putSet(set: NetworkSet): void {
    this.#inventory.sets.put(set)
    this.#setChanged(networkSetKey(set))
  }

  /** A network set is gone. It goes by its `networkSetKey`. */
  removeSet(key: string): void {
    this.#inventory.sets.remove(key)
    this.#setChanged(key)
  }

  /** A pod was attached here. */
  putEndpoint(endpoint: Endpoint): void {
    this.#inventory.putEndpoint(endpoint)
    this.#groups.refresh(podOf(endpoint))
    this.#enrolments.mark(endpoint)
  }

  /** A pod’s attachment is gone. */
  removeEndpoint(id: string): void {
    const endpoint = this.#inventory.removeEndpoint(id)
    if (endpoint === undefined) return
    this.#groups.refresh(podOf(endpoint))
    this.#enrolments.mark(endpoint)
  }

  /** The cluster, or the node's place in it, is another: everything may look different. */
  replan(): void {
    this.#proxied.lookAtAll()
    this.#classes.replanAll()
    for (const endpoint of this.#inventory.endpoints()) this.#enrolments.mark(endpoint)
    this.#firewalls.replanAll()
    this.#peers.touchAll()
  }

  #setChanged(key: string): void {
    this.#groups.refreshSet(key)
    const { naming, turned } = this.#setUses.setChanged(key)
    for (const policy of this.#closed.recount(turned)) this.#recount(policy)
    this.#enrolments.judgementsChanged(naming)
  }

  /** Rules of a policy count as others than before. Whom it selects is as it was. */
  #recount(policy: Policy): void {
    const before = this.#subjects.get(policyKey(policy))
    this.#subjects.put(policy)
    if (before === undefined || !isPlacedAlike(before, policy)) this.#isUnarranged = true
    this.#classes.replan(policyKey(policy))
  }

  #policyChanged(key: string, before: Policy | undefined, after: Policy | undefined): void {
    const isPlaced = before !== undefined && after !== undefined && isPlacedAlike(before, after)
    if (!isPlaced && [before, after].some((one) => one !== undefined && hasPlaces(one))) this.#isUnarranged = true
    // Also one that comes back under its name: what it was before may not have been taken out yet.
    if (after !== undefined) this.#classes.replan(key)
    for (const endpoint of this.#inventory.endpoints()) {
      const speaksOf = [before, after].some((one) => one !== undefined && this.#maySelect(one, endpoint))
      if (speaksOf) this.#enrolments.mark(endpoint)
    }
    for (const policy of [before, after]) {
      if (policy?.tier === 'firewall' && policy.namespace !== undefined) this.#firewalls.plan(policy.namespace)
    }
  }

  /** Labels are not always known: then whoever is in the right namespace, and any may be the right one. */
  #maySelect({ subject }: Policy, endpoint: Endpoint): boolean {
    const pod = this.#inventory.podOf(endpoint)
    const { namespace } = endpoint
    const isAnybodys = !('name' in subject.namespaces || this.#inventory.isToldOf(namespace))
    const namespaces = isAnybodys ? { labels: [] } : subject.namespaces
    const where = pod === undefined || !this.#inventory.isToldOf(namespace) ? undefined : subject.where
    const everybody = {
      namespaces,
      pods: pod === undefined ? [] : subject.pods,
      ...(where === undefined ? {} : { where }),
    }
    return matchesPodSet(everybody, { ...pod, namespace }, this.#inventory.labelsOf(namespace))
  }

  #podChanged(key: string, pod: Pod | undefined): void {
    const names = this.#portNames.set(key, pod?.namedPorts ?? [])
    this.#groups.refresh(key)
    for (const endpoint of this.#inventory.endpointsOf(key)) this.#enrolments.mark(endpoint)
    if (names.length > 0) this.#classes.portsChanged(names)
  }

  #namespaceChanged(name: string): void {
    for (const { key } of this.#inventory.membersIn(name)) this.#groups.refresh(key)
    for (const key of [...this.#inventory.sets.keysIn(name)]) this.#setChanged(key)
    for (const endpoint of this.#inventory.endpoints()) {
      if (endpoint.namespace === name) this.#enrolments.mark(endpoint)
    }
  }
}

function podOf({ namespace, pod }: Endpoint): string {
  return `${namespace}/${pod}`
}
