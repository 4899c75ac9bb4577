/**
 * A node's plan, kept current event by event. Pure bookkeeping: no clock, no I/O. An event recomputes the fragments it
 * touches; {@link NodePlanner.take} hands out what changed since the last call.
 * @module
 */
import type { Flow, Group, Meter } from '../flow/flow.ts'
import type { NodeContext } from './context.ts'
import { baseFragment } from './fragments/base.ts'
import { endpointFragment } from './fragments/endpoint.ts'
import {
  addressKey,
  BASE_KEY,
  endpointKey,
  type Fragment,
  NO_TABLES,
  peerKey,
  type SwitchTables,
  serviceFragmentKey,
  vniKey,
} from './fragments/fragment.ts'
import { addressFragment, peerFragment, tunnelEnd } from './fragments/peer.ts'
import { type ServiceInputs, serviceFragment } from './fragments/service.ts'
import { vniFragment } from './fragments/vni.ts'
import type { Publication } from './host.ts'
import type { Ip } from './model/address.ts'
import type { Endpoint } from './model/endpoint.ts'
import type { NodeNetwork } from './model/node.ts'
import { type EndpointSlice, type Service, serviceKey } from './model/service.ts'
import { GLOBAL_VNI } from './model/tenant.ts'
import { Peers } from './peers.ts'
import { policerOf } from './qos/shaping.ts'
import { Catalogue } from './service/catalogue.ts'
import { GroupIds } from './service/ids.ts'

/** A fragment that changed: what it had in the switch and what it should have. */
export interface FragmentChange {
  readonly key: string
  readonly before: SwitchTables
  readonly after: SwitchTables
}

/** A node's plan, kept current. */
export class NodePlanner {
  #context: NodeContext
  readonly #fragments = new Map<string, Fragment>()
  readonly #endpoints = new Map<string, Endpoint>()
  readonly #endpointsByNamespace = new Map<string, Set<string>>()
  readonly #vnis = new Map<string, number>()
  readonly #peers = new Peers()
  /** Endpoints per VNI on this node. */
  readonly #members = new Map<number, number>()
  readonly #catalogue: Catalogue
  readonly #groupIds = new GroupIds()
  #peerChanges = 0
  /** Fragments as they were when last taken, for those that were touched since. */
  readonly #touched = new Map<string, SwitchTables>()

  /** A plan that starts with these services, and keeps the catalogue current from now on. */
  constructor(context: NodeContext, catalogue: Catalogue = new Catalogue()) {
    this.#context = context
    this.#catalogue = catalogue
    this.#set(BASE_KEY, baseFragment(context))
    this.#planServices()
  }

  get context(): NodeContext {
    return this.#context
  }

  /** The cluster, the node's own ranges or the MTU changed: everything is recomputed. */
  setContext(context: NodeContext): void {
    this.#context = context
    this.#set(BASE_KEY, baseFragment(context))
    for (const peer of this.#peers.values()) this.#planPeer(peer)
    this.#planAddresses(this.#peers.addresses())
    for (const endpoint of this.#endpoints.values()) this.#planEndpoint(endpoint)
    this.#planServices()
  }

  /** A remote machine appeared or changed. The node itself is no peer and is ignored. */
  putPeer(peer: NodeNetwork): void {
    if (peer.node === this.#context.self.node) return
    this.#addressesChanged(this.#peers.put(peer))
    this.#planPeer(peer)
  }

  /** A remote machine is gone. */
  removePeer(node: string): void {
    this.#addressesChanged(this.#peers.remove(node))
    this.#set(peerKey(node), undefined)
  }

  /** A namespace got this VNI; its endpoints here are replanned. */
  putTenant(namespace: string, vni: number): void {
    const endpoints = this.#endpointsOf(namespace)
    for (const endpoint of endpoints) this.#leave(endpoint)
    this.#vnis.set(namespace, vni)
    for (const endpoint of endpoints) this.#enter(endpoint)
    for (const key of this.#catalogue.inNamespace(namespace)) this.#planService(key)
  }

  /** A namespace is gone. Endpoints that outlive it are unplugged: nobody may reach them. */
  removeTenant(namespace: string): void {
    const endpoints = this.#endpointsOf(namespace)
    for (const endpoint of endpoints) this.#leave(endpoint)
    this.#vnis.delete(namespace)
    for (const endpoint of endpoints) this.#enter(endpoint)
    for (const key of this.#catalogue.inNamespace(namespace)) this.#planService(key)
  }

  /** The VNI of a namespace, or undefined while it has none. */
  vniOf(namespace: string): number | undefined {
    return this.#vnis.get(namespace)
  }

  /** An endpoint was attached or changed. Without a VNI for its namespace it has no flows. */
  putEndpoint(endpoint: Endpoint): void {
    this.removeEndpoint(endpoint.id)
    this.#endpoints.set(endpoint.id, endpoint)
    const siblings = this.#endpointsByNamespace.get(endpoint.namespace)
    if (siblings === undefined) this.#endpointsByNamespace.set(endpoint.namespace, new Set([endpoint.id]))
    else siblings.add(endpoint.id)
    this.#enter(endpoint)
  }

  /** An endpoint is gone. */
  removeEndpoint(id: string): void {
    const endpoint = this.#endpoints.get(id)
    if (endpoint === undefined) return
    this.#leave(endpoint)
    this.#endpoints.delete(id)
    const siblings = this.#endpointsByNamespace.get(endpoint.namespace)
    siblings?.delete(id)
    if (siblings?.size === 0) this.#endpointsByNamespace.delete(endpoint.namespace)
  }

  /** A service appeared or changed. */
  putService(service: Service): void {
    this.#catalogue.putService(service)
    this.#planService(serviceKey(service.namespace, service.name))
  }

  /** A service is gone. Connections that stand go on. */
  removeService(key: string): void {
    this.#catalogue.removeService(key)
    this.#planService(key)
  }

  /** Endpoints of a service appeared or changed. */
  putEndpointSlice(slice: EndpointSlice): void {
    for (const key of this.#catalogue.putSlice(slice)) this.#planService(key)
  }

  /** Endpoints of a service are gone. The slice goes by its `<namespace>/<name>`. */
  removeEndpointSlice(name: string): void {
    for (const key of this.#catalogue.removeSlice(name)) this.#planService(key)
  }

  /** How often what the node's own stack publishes, or to whom, became another: for whoever only looks when it did. */
  get publicationChanges(): number {
    return this.#catalogue.nodePortChanges + this.#peerChanges
  }

  /** What the node's own stack publishes. */
  publication(): Publication {
    return {
      ports: this.#catalogue.nodePorts(),
      peers: [...this.#peers.values()].flatMap(({ machine, addresses }) => (machine.kind === 'node' ? addresses : [])),
    }
  }

  /** Services with their endpoints. */
  get catalogue(): Omit<Catalogue, 'putService' | 'removeService' | 'putSlice' | 'removeSlice'> {
    return this.#catalogue
  }

  endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values()
  }

  peers(): Iterable<NodeNetwork> {
    return this.#peers.values()
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
    return this.#fragments.values()
  }

  /** Every flow of the plan. */
  flows(): Flow[] {
    return [...this.#fragments.values()].flatMap((fragment) => fragment.flows)
  }

  /** Every group of the plan. */
  groups(): Group[] {
    return [...this.#fragments.values()].flatMap((fragment) => fragment.groups)
  }

  /** Every meter of endpoints that the flows name. */
  meters(): Meter[] {
    return [...this.#endpoints.values()].flatMap((endpoint) => policerOf(endpoint) ?? [])
  }

  /** What changed since the last call. */
  take(): FragmentChange[] {
    const changes = [...this.#touched].map(([key, before]) => ({
      key,
      before,
      after: this.#fragments.get(key) ?? NO_TABLES,
    }))
    this.#touched.clear()
    return changes
  }

  #addressesChanged(addresses: readonly Ip[]): void {
    if (addresses.length > 0) this.#peerChanges += 1
    this.#planAddresses(addresses)
    // Whose an address is decides about the external hosts there.
    for (const one of this.#peers.claimantsOf({ addresses })) if (one.machine.kind === 'external') this.#planPeer(one)
  }

  #planPeer(peer: NodeNetwork): void {
    this.#set(peerKey(peer.node), peerFragment(this.#context, peer, this.#peers.claimantsOf(peer)))
  }

  #planAddresses(addresses: Iterable<Ip>): void {
    for (const address of addresses) {
      const claimants = this.#peers.claimants(address)
      const fragment = claimants.length === 0 ? undefined : addressFragment(this.#context, address, claimants)
      this.#set(addressKey(address), fragment)
    }
  }

  #endpointsOf(namespace: string): readonly Endpoint[] {
    const ids = this.#endpointsByNamespace.get(namespace) ?? []
    return [...ids].flatMap((id) => this.#endpoints.get(id) ?? [])
  }

  #enter(endpoint: Endpoint): void {
    const vni = this.#vnis.get(endpoint.namespace)
    if (vni !== undefined) this.#count(vni, 1)
    this.#planEndpoint(endpoint)
  }

  #leave(endpoint: Endpoint): void {
    const vni = this.#vnis.get(endpoint.namespace)
    if (vni !== undefined) this.#count(vni, -1)
    this.#set(endpointKey(endpoint.id), undefined)
  }

  #planEndpoint(endpoint: Endpoint): void {
    const vni = this.#vnis.get(endpoint.namespace)
    const fragment = vni === undefined ? undefined : endpointFragment(this.#context, endpoint, vni)
    this.#set(endpointKey(endpoint.id), fragment)
  }

  #planServices(): void {
    for (const { namespace, name } of this.#catalogue.services()) this.#planService(serviceKey(namespace, name))
  }

  #planService(key: string): void {
    const service = this.#catalogue.service(key)
    const name = serviceFragmentKey(key)
    const before = this.#fragments.get(name)?.groups ?? []
    const fragment =
      service === undefined ? undefined : serviceFragment(this.#context, this.#inputsOf(key, service), this.#groupIds)
    this.#set(name, fragment)
    const kept = new Set(fragment?.groups.map(({ id }) => id))
    for (const { id } of before) if (!kept.has(id)) this.#groupIds.release(id)
  }

  #inputsOf(key: string, service: Service): ServiceInputs {
    return { service, slices: this.#catalogue.slicesOf(key), vni: this.#vnis.get(service.namespace) }
  }

  #count(vni: number, by: 1 | -1): void {
    const members = (this.#members.get(vni) ?? 0) + by
    if (members === 0) this.#members.delete(vni)
    else this.#members.set(vni, members)
    if (vni !== GLOBAL_VNI) this.#set(vniKey(vni), members === 0 ? undefined : vniFragment(vni))
  }

  #set(key: string, fragment: Fragment | undefined): void {
    if (!this.#touched.has(key)) this.#touched.set(key, this.#fragments.get(key) ?? NO_TABLES)
    if (fragment === undefined) this.#fragments.delete(key)
    else this.#fragments.set(key, fragment)
  }
}
