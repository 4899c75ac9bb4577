/**
 * A node's plan, kept current event by event. Pure bookkeeping: no clock, no I/O. An event recomputes the fragments it
 * touches; {@link NodePlanner.take} hands out what changed since the last call.
 * @module
 */
import type { Flow, Group, Meter } from '../flow/flow.ts'
import type { NodeContext } from './context.ts'
import type { DirectPlan, Known, PeerPlace } from './fabric/direct.ts'
import { Places } from './fabric/places.ts'
import { fabricOf } from './fabric/way.ts'
import { type FragmentChange, FragmentSet } from './fragment-set.ts'
import { baseFragment } from './fragments/base.ts'
import { addressKey, BASE_KEY, type Fragment, NO_TABLES, peerKey } from './fragments/fragment.ts'
import { addressFragment, peerFragment, tunnelEnd } from './fragments/peer.ts'
import type { Publication } from './host.ts'
import type { Cidr, Ip } from './model/address.ts'
import type { Endpoint } from './model/endpoint.ts'
import type { NetworkSet } from './model/network-set.ts'
import type { NodeNetwork } from './model/node.ts'
import type { Namespace, Pod } from './model/pod.ts'
import type { Policy } from './model/policy.ts'
import { type EndpointSlice, type Service, serviceKey } from './model/service.ts'
import { Peers } from './peers.ts'
import { PolicyPlan } from './policy/plan.ts'
import { policerOf } from './qos/shaping.ts'
import { RemotePods } from './remote-plan.ts'
import type { Catalogue } from './service/catalogue.ts'
import { type ServiceCatalogue, ServicePlan } from './service/plan.ts'
import { TenantPlan } from './tenant-plan.ts'

export type { FragmentChange } from './fragment-set.ts'

/** Who is told of policies' rows as they change: bridges of ours besides the overlay's have the same. */
export interface PolicyMirror {
  follow(changes: readonly FragmentChange[]): void
}

/** A node's plan, kept current. */
export class NodePlanner {
  #context: NodeContext
  readonly #fragments = new FragmentSet()
  readonly #mirrors = new Set<PolicyMirror>()
  readonly #tenants: TenantPlan
  readonly #peers = new Peers()
  readonly #services: ServicePlan
  readonly #policies: PolicyPlan
  readonly #places = new Places()
  readonly #remotePods: RemotePods
  #peerChanges = 0
  #outside: readonly Cidr[] = []
  #outsideChanges = 0
  #watched: readonly Ip[] = []

  /** A plan that starts with these services, and keeps the catalogue current from now on. */
  constructor(context: NodeContext, catalogue?: Catalogue) {
    this.#context = context
    const set = (key: string, fragment: Fragment | undefined) => this.#fragments.set(key, fragment)
    const now = () => this.#context
    this.#tenants = new TenantPlan(now, set, (vni) => this.#remotePods.presenceChanged(vni))
    this.#services = new ServicePlan({ context: now, vniOf: (namespace) => this.vniOf(namespace), set }, catalogue)
    this.#policies = new PolicyPlan(now, this.#services.catalogue, set)
    this.#policies.putMachine(context.self)
    this.#remotePods = new RemotePods({
      context: now,
      vniOf: (namespace) => this.vniOf(namespace),
      isHere: (vni) => this.#tenants.isHere(vni),
      set,
    })
    this.#fragments.set(BASE_KEY, baseFragment(context))
    this.#services.replan()
  }

  get context(): NodeContext {
    return this.#context
  }

  /** The cluster, the node's own ranges or the MTU changed: everything is recomputed. */
  setContext(context: NodeContext): void {
    this.#context = context
    this.#fragments.set(BASE_KEY, baseFragment(context))
    for (const peer of this.#peers.values()) this.#planPeer(peer)
    this.#planAddresses(this.#peers.addresses())
    this.#tenants.replan()
    this.#remotePods.replan()
    this.#services.replan()
    this.#policies.putMachine(context.self)
    this.#policies.replan()
  }

  /** A remote machine appeared or changed. The node itself is no peer and is ignored. */
  putPeer(peer: NodeNetwork): void {
    if (peer.node === this.#context.self.node) return
    const before = this.#peers.get(peer.node)
    this.#addressesChanged(this.#peers.put(peer))
    const isSameWay = before?.status?.direct === peer.status?.direct && String(before?.ranges) === String(peer.ranges)
    if (!isSameWay) this.#peerChanges += 1
    this.#planPeer(peer)
    this.#policies.putMachine(peer)
  }

  /** A remote machine is gone. */
  removePeer(node: string): void {
    this.#addressesChanged(this.#peers.remove(node))
    this.#fragments.set(peerKey(node), undefined)
    this.#places.remove(node)
    this.#policies.removeMachine(node)
  }

  /** What the node's kernel knows of the ways to a machine without a tunnel. Returns whether it is anything new. */
  putPlace(node: string, place: PeerPlace): boolean {
    if (!this.#places.put(node, place)) return false
    this.#peerChanges += 1
    const peer = this.#peers.get(node)
    if (peer !== undefined) this.#planPeer(peer)
    return true
  }

  /** Networks outside that the node's kernel knows ways to by BGP, in order. Returns whether it is anything new. */
  putOutside(networks: readonly Cidr[]): boolean {
    if (String(networks) === String(this.#outside)) return false
    this.#outside = networks
    this.#outsideChanges += 1
    return true
  }

  /** Whom the node's BGP daemon watches by BFD, in order. Returns whether it is anybody new. */
  putWatched(peers: readonly Ip[]): boolean {
    if (String(peers) === String(this.#watched)) return false
    this.#watched = peers
    this.#outsideChanges += 1
    return true
  }

  /** The node's own stack is as this plan says. Returns whether packets take other ways since. */
  led(plan: DirectPlan | undefined): boolean {
    const changed = this.#places.led(plan, this.#peers.values(), fabricOf(this.#context.cluster).way)
    for (const peer of changed) this.#planPeer(peer)
    return changed.length > 0
  }

  /** A namespace got this VNI; its endpoints here are replanned. */
  putTenant(namespace: string, vni: number): void {
    this.#tenants.putTenant(namespace, vni)
    this.#remotePods.tenantChanged(namespace)
    this.#services.tenantChanged(namespace)
  }

  /** A namespace is gone. Endpoints that outlive it are unplugged: nobody may reach them. */
  removeTenant(namespace: string): void {
    this.#tenants.removeTenant(namespace)
    this.#remotePods.tenantChanged(namespace)
    this.#services.tenantChanged(namespace)
  }

  /** The VNI of a namespace, or undefined while it has none. */
  vniOf(namespace: string): number | undefined {
    return this.#tenants.vniOf(namespace)
  }

  /** An endpoint was attached or changed. Without a VNI for its namespace it has no flows. */
  putEndpoint(endpoint: Endpoint): void {
    this.removeEndpoint(endpoint.id)
    this.#tenants.putEndpoint(endpoint)
    this.#policies.putEndpoint(endpoint)
  }

  /** An endpoint is gone. */
  removeEndpoint(id: string): void {
    this.#tenants.removeEndpoint(id)
    this.#policies.removeEndpoint(id)
  }

  /** A pod's interface on the physical network: policies speak of it, and the overlay's bridge has nothing for it. */
  putWireEndpoint(endpoint: Endpoint): void {
    this.#policies.putEndpoint(endpoint)
  }

  /** Such an interface is gone. */
  removeWireEndpoint(id: string): void {
    this.#policies.removeEndpoint(id)
  }

  /** A service appeared or changed. */
  putService(service: Service): void {
    this.#services.putService(service)
    this.#policies.serviceChanged(serviceKey(service.namespace, service.name))
  }

  /** A service is gone. Connections that stand go on. */
  removeService(key: string): void {
    this.#services.removeService(key)
    this.#policies.serviceChanged(key)
  }

  /** Endpoints of a service appeared or changed. */
  putEndpointSlice(slice: EndpointSlice): void {
    for (const key of this.#services.putSlice(slice)) this.#policies.serviceChanged(key)
  }

  /** Endpoints of a service are gone. The slice goes by its `<namespace>/<name>`. */
  removeEndpointSlice(name: string): void {
    for (const key of this.#services.removeSlice(name)) this.#policies.serviceChanged(key)
  }

  /** A policy appeared or changed. */
  putPolicy(policy: Policy): void {
    this.#policies.put(policy)
  }

  /** A policy is gone. It goes by its `policyKey`. */
  removePolicy(key: string): void {
    this.#policies.remove(key)
  }

  /** A pod of the cluster appeared or changed: policies may speak of it. */
  putPod(pod: Pod): void {
    this.#policies.putPod(pod)
    this.#remotePods.putPod(pod)
  }

  /** A pod is gone. It goes by its `<namespace>/<name>`. */
  removePod(key: string): void {
    this.#policies.removePod(key)
    this.#remotePods.removePod(key)
  }

  /** A namespace appeared or has other labels. */
  putNamespace(namespace: Namespace): void {
    this.#policies.putNamespace(namespace)
  }

  /** A network set appeared or changed. */
  putNetworkSet(set: NetworkSet): void {
    this.#policies.putSet(set)
  }

  /** A network set is gone. It goes by its `networkSetKey`. */
  removeNetworkSet(key: string): void {
    this.#policies.removeSet(key)
  }

  /** A namespace is gone. */
  removeNamespace(name: string): void {
    this.#policies.removeNamespace(name)
  }

  /** What a DNS name stands for; undefined while nobody knows. */
  putName(name: string, addresses: readonly Ip[] | undefined): void {
    this.#policies.putName(name, addresses)
  }

  /** DNS names that policies of pods here speak of. */
  wantedNames(): ReadonlySet<string> {
    return this.#policies.wantedNames()
  }

  /** The pod of any node that has an address now, as `<namespace>/<name>`. Looks at every pod. */
  podAt(address: Ip): string | undefined {
    return this.#policies.podAt(address)
  }

  /** Every policy of the cluster. */
  policies(): Iterable<Policy> {
    return this.#policies.policies()
  }

  /** How often machines came, went, or turned up elsewhere. */
  get peerChanges(): number {
    return this.#peerChanges
  }

  /** How often what the node's own stack publishes, or to whom, became another: for whoever only looks when it did. */
  get publicationChanges(): number {
    return this.#services.catalogue.publicationChanges + this.#peerChanges + this.#outsideChanges
  }

  /** What the node's own stack publishes. */
  publication(): Publication {
    return {
      ports: this.#services.catalogue.nodePorts(),
      peers: [...this.#peers.values()].flatMap(({ machine, addresses }) => (machine.kind === 'node' ? addresses : [])),
      machines: [...this.known()],
      localServices: this.#services.catalogue.localAddresses(),
      outside: this.#outside,
      watched: this.#watched,
    }
  }

  /** The other machines, with what the node's kernel knows of the ways to them. */
  *known(): Generator<Known> {
    for (const peer of this.#peers.values()) yield { peer, ...this.#placeOf(peer) }
  }

  /** Services with their endpoints. */
  get catalogue(): ServiceCatalogue {
    return this.#services.catalogue
  }

  endpoints(): Iterable<Endpoint> {
    return this.#tenants.endpoints()
  }

  peers(): Iterable<NodeNetwork> {
    return this.#peers.values()
  }

  /** Whether a peer lays claim to an address. */
  isPeerAddress(address: Ip): boolean {
    return this.#peers.claimants(address).length > 0
  }

  /** The machines that tunnels run to from here, and where those end. */
  *tunnelEnds(): Generator<{ readonly peer: NodeNetwork; readonly end: Ip }> {
    const { self } = this.#context
    for (const peer of this.#peers.values()) {
      const end = tunnelEnd(this.#context, peer, this.#peers.claimantsOf(peer))
      if (end !== undefined && !self.addresses.includes(end)) yield { peer, end }
    }
  }

  /** Every fragment of the plan. */
  fragments(): Iterable<Fragment> {
    this.#policies.settle()
    return this.#fragments.values()
  }

  /** Every flow of the plan. */
  flows(): Flow[] {
    return [...this.fragments()].flatMap((fragment) => fragment.flows)
  }

  /** Every group of the plan. */
  groups(): Group[] {
    return [...this.#fragments.values()].flatMap((fragment) => fragment.groups)
  }

  /** Every meter of endpoints that the flows name. */
  meters(): Meter[] {
    return [...this.#tenants.endpoints()].flatMap((endpoint) => policerOf(endpoint) ?? [])
  }

  /** Whether anything was touched since the last call of {@link take}. */
  get isTouched(): boolean {
    return this.#fragments.isTouched || this.#policies.isDirty
  }

  /** What changed since the last call. */
  take(): FragmentChange[] {
    this.#policies.settle()
    const changes = this.#fragments.take()
    for (const mirror of this.#mirrors) mirror.follow(changes)
    return changes
  }

  /** From now on this mirror is told of what is taken; at once, of all that there is. Returns the undo. */
  mirror(mirror: PolicyMirror): () => void {
    mirror.follow([...this.fragments()].map((after) => ({ key: after.key, before: NO_TABLES, after })))
    this.#mirrors.add(mirror)
    return () => void this.#mirrors.delete(mirror)
  }

  #addressesChanged(addresses: readonly Ip[]): void {
    if (addresses.length > 0) this.#peerChanges += 1
    this.#planAddresses(addresses)
    // Whose an address is decides about the external hosts there.
    for (const one of this.#peers.claimantsOf({ addresses })) if (one.machine.kind === 'external') this.#planPeer(one)
  }

  #planPeer(peer: NodeNetwork): void {
    const claimants = this.#peers.claimantsOf(peer)
    const { reach } = this.#placeOf(peer)
    this.#fragments.set(peerKey(peer.node), peerFragment(this.#context, peer, { claimants, reach }))
  }

  #placeOf(peer: NodeNetwork): PeerPlace {
    return this.#places.of(peer, fabricOf(this.#context.cluster).way)
  }

  #planAddresses(addresses: Iterable<Ip>): void {
    for (const address of addresses) {
      const claimants = this.#peers.claimants(address)
      const fragment = claimants.length === 0 ? undefined : addressFragment(this.#context, address, claimants)
      this.#fragments.set(addressKey(address), fragment)
    }
  }
}
