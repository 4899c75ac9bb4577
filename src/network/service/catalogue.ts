/**
 * The cluster's services with their slices of endpoints, as they were last heard of. A slice may come before its
 * service, and outlive it.
 * @module
 */
import type { Ip } from '../model/address.ts'
import { type EndpointSlice, type Protocol, type Service, type ServicePort, serviceKey } from '../model/service.ts'
import { Claims } from './claims.ts'

/** A port that every node publishes a service under. */
export interface NodePort {
  readonly protocol: Protocol
  readonly port: number
  /** Endpoints of other nodes serve as well: they would answer a client past the node it called. */
  readonly anyNode: boolean
}

/** Services and slices, found by the service's `<namespace>/<name>`. */
export class Catalogue {
  readonly #services = new Map<string, Service>()
  readonly #slices = new Map<string, EndpointSlice>()
  readonly #slicesOf = new Map<string, Map<string, EndpointSlice>>()
  /** Services' keys by namespace. */
  readonly #inNamespace = new Map<string, Set<string>>()
  readonly #nodePorts = new Map<string, readonly NodePort[]>()
  /** Addresses of those that endpoints of one node answer for. */
  readonly #local = new Map<string, readonly Ip[]>()
  readonly #claims = new Claims()
  /** Cluster IPs, and whose they are. */
  readonly #clusterIps = new Map<Ip, string>()
  readonly #clusterIpsOf = new Map<string, readonly Ip[]>()
  #publicationChanges = 0
  #changes = 0

  services(): Iterable<Service> {
    return this.#services.values()
  }

  service(key: string): Service | undefined {
    return this.#services.get(key)
  }

  /** Keys of a namespace's services. */
  inNamespace(namespace: string): Iterable<string> {
    return this.#inNamespace.get(namespace) ?? []
  }

  slicesOf(key: string): readonly EndpointSlice[] {
    return [...(this.#slicesOf.get(key)?.values() ?? [])]
  }

  /** The ports that nodes publish services under, in order. */
  nodePorts(): readonly NodePort[] {
    return [...this.#nodePorts.values()].flat().sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1))
  }

  /** Addresses of services of which endpoints of the node alone that is called answer those outside. */
  localAddresses(): readonly Ip[] {
    return [...new Set([...this.#local.values()].flat())].toSorted()
  }

  /** Whether a service has this address outside, for one of its ports. */
  has(key: string, address: Ip, port: Pick<ServicePort, 'protocol' | 'port'>): boolean {
    return this.#claims.has(key, address, port)
  }

  /** How often {@link nodePorts} or {@link localAddresses} became another: for whoever only wants to look when they did. */
  get publicationChanges(): number {
    return this.#publicationChanges
  }

  /** How often anything of services or their endpoints became another. */
  get changes(): number {
    return this.#changes
  }

  /** Keys of the services that this changes. */
  putService(service: Service): readonly string[] {
    this.#changes += 1
    const key = serviceKey(service.namespace, service.name)
    this.#services.set(key, service)
    const siblings = this.#inNamespace.get(service.namespace)
    if (siblings === undefined) this.#inNamespace.set(service.namespace, new Set([key]))
    else siblings.add(key)
    const others = this.#claims.put(service)
    this.#publish(this.#nodePorts, key, nodePortsOf(service))
    this.#publishLocal([key, ...others, ...this.#ownClusterIps(key, service.clusterIps)])
    return [key, ...others]
  }

  /** Keys of the services that this changes. */
  removeService(key: string): readonly string[] {
    this.#changes += 1
    const namespace = this.#services.get(key)?.namespace ?? ''
    this.#services.delete(key)
    const siblings = this.#inNamespace.get(namespace)
    siblings?.delete(key)
    if (siblings?.size === 0) this.#inNamespace.delete(namespace)
    const others = this.#claims.remove(key)
    this.#publish(this.#nodePorts, key, [])
    this.#publishLocal([key, ...others, ...this.#ownClusterIps(key, [])])
    return [key, ...others]
  }

  /** Keys of the services that this changes: a slice may move from one to another. */
  putSlice(slice: EndpointSlice): readonly string[] {
    const name = serviceKey(slice.namespace, slice.name)
    const before = this.removeSlice(name)
    this.#changes += 1
    const key = serviceKey(slice.namespace, slice.service)
    this.#slices.set(name, slice)
    const siblings = this.#slicesOf.get(key)
    if (siblings === undefined) this.#slicesOf.set(key, new Map([[name, slice]]))
    else siblings.set(name, slice)
    return before.includes(key) ? before : [...before, key]
  }

  /** Keys of the services that this changes. `name` is the slice's `<namespace>/<name>`. */
  removeSlice(name: string): readonly string[] {
    const slice = this.#slices.get(name)
    if (slice === undefined) return []
    this.#changes += 1
    const key = serviceKey(slice.namespace, slice.service)
    this.#slices.delete(name)
    const siblings = this.#slicesOf.get(key)
    siblings?.delete(name)
    if (siblings?.size === 0) this.#slicesOf.delete(key)
    return [key]
  }

  /** Notes whose cluster IPs these are. Returns the keys of those that claim one of them, or one that it had. */
  #ownClusterIps(key: string, now: readonly Ip[]): readonly string[] {
    const before = this.#clusterIpsOf.get(key) ?? []
    if (before.join() === now.join()) return []
    for (const address of before) if (this.#clusterIps.get(address) === key) this.#clusterIps.delete(address)
    for (const address of now) this.#clusterIps.set(address, key)
    if (now.length === 0) this.#clusterIpsOf.delete(key)
    else this.#clusterIpsOf.set(key, now)
    return [...before, ...now].flatMap((address) => this.#claims.claimantsOf(address))
  }

  #publishLocal(keys: readonly string[]): void {
    for (const key of new Set(keys)) {
      const service = this.#services.get(key)
      this.#publish(this.#local, key, service === undefined ? [] : this.#localAddressesOf(key, service))
    }
  }

  /** An address that is only claimed, and is somebody else's, is none of the service's. */
  #localAddressesOf(key: string, service: Service): readonly Ip[] {
    const { clusterIps, externalIps = [], loadBalancerIps = [], ports } = service
    const isLocal = service.externalPolicy === 'Local'
    const isOwn = (address: Ip): boolean =>
      !this.#clusterIps.has(address) && ports.some((port) => this.#claims.has(key, address, port))
    return [
      ...(isLocal || service.internalPolicy === 'Local' ? clusterIps : []),
      ...(isLocal ? [...externalIps, ...loadBalancerIps].filter(isOwn) : []),
    ]
  }

  #publish<T>(published: Map<string, readonly T[]>, key: string, now: readonly T[]): void {
    const before = published.get(key) ?? []
    if (JSON.stringify(before) === JSON.stringify(now)) return
    if (now.length === 0) published.delete(key)
    else published.set(key, now)
    this.#publicationChanges += 1
  }
}

function nodePortsOf({ ports, clusterIps, externalPolicy }: Service): readonly NodePort[] {
  if (clusterIps.length === 0) return []
  return ports.flatMap(({ protocol, nodePort }) =>
    nodePort === undefined ? [] : [{ protocol, port: nodePort, anyNode: externalPolicy === 'Cluster' }],
  )
}
