/**
 * Cluster addresses and node ports of services. What is taken is what stored services have: nothing is kept beside them.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import {
  type Cidr,
  contains,
  type Family,
  familyOf,
  firstIp,
  formatIp,
  type Ip,
  ipValue,
  lastIp,
  parseIp,
} from '../../../network/model/address.ts'
import { type Change, objectOf } from '../store/change.ts'
import type { Index, Store } from '../store/store.ts'
import { arrayAt, numberAt, textAt } from './shape.ts'

/** Out of which addresses and ports are given. */
export interface ServiceRanges {
  /** One or two, of different families; the first family is that of services that ask for none. */
  readonly networks: readonly Cidr[]
  readonly nodePorts: { readonly first: number; readonly last: number }
}

/** Why an address or a port cannot be had. */
export type Refusal = 'taken' | 'outside'

/** Which addresses and node ports are taken, and which are next. */
export class ServiceAddresses implements Index {
  readonly ranges: ServiceRanges
  readonly #store: Store
  readonly #random: () => number
  readonly #ips = new Map<string, string>()
  readonly #ports = new Map<number, string>()

  constructor(store: Store, ranges: ServiceRanges, random: () => number) {
    this.#store = store
    this.ranges = ranges
    this.#random = random
  }

  /** The families that services can have, the default one first. */
  get families(): readonly Family[] {
    return this.ranges.networks.map(familyOf)
  }

  /** Why the service of this key cannot have an address; undefined when it can. */
  refusalOf(address: Ip, key: string): Refusal | undefined {
    if (!this.ranges.networks.some((network) => isUsable(network, address))) return 'outside'
    return isAnothers(this.#ips.get(address), key) ? 'taken' : undefined
  }

  /** Why the service of this key cannot have a node port; undefined when it can. */
  portRefusalOf(port: number, key: string): Refusal | undefined {
    const { first, last } = this.ranges.nodePorts
    if (!Number.isInteger(port) || port < first || port > last) return 'outside'
    return isAnothers(this.#ports.get(port), key) ? 'taken' : undefined
  }

  /** A free address; undefined when there is none. The low ones come last: people choose those by hand. */
  freeIp(family: Family): Ip | undefined {
    const network = this.ranges.networks.find((range) => familyOf(range) === family)
    if (network === undefined) return undefined
    const first = ipValue(firstIp(network)) + 1n
    const last = ipValue(lastIp(network)) - (family === 4 ? 1n : 0n)
    const count = Number(bounded(last - first + 1n, MAX_TRIED))
    const band = Math.min(Math.max(16, Math.floor(count / 16)), 256, Math.floor(count / 2))
    return this.#search(family, first + BigInt(band), count - band) ?? this.#search(family, first, band)
  }

  /** A free node port beside these; undefined when there is none. */
  freePort(beside: ReadonlySet<number>): number | undefined {
    const { first, last } = this.ranges.nodePorts
    const count = last - first + 1
    const start = Math.floor(this.#random() * count)
    for (let step = 0; step < count; step += 1) {
      const port = first + ((start + step) % count)
      if (!this.#ports.has(port) && !beside.has(port)) return port
    }
    return undefined
  }

  reset(): void {
    this.#ips.clear()
    this.#ports.clear()
    for (const entry of this.#store.collection(SERVICES).slice('')) this.#take(entry.key, objectOf(entry))
  }

  apply({ collection, type, entry, previous }: Change): void {
    if (collection !== SERVICES) return
    if (previous !== undefined) this.#release(entry.key, objectOf(previous))
    if (type !== 'DELETED') this.#take(entry.key, objectOf(entry))
  }

  #search(family: Family, first: bigint, count: number): Ip | undefined {
    const start = Math.floor(this.#random() * count)
    for (let step = 0; step < count; step += 1) {
      const address = formatIp(family, first + BigInt((start + step) % count))
      if (!this.#ips.has(address)) return address
    }
    return undefined
  }

  #take(key: string, service: KubeObject): void {
    for (const address of addressesOf(service)) this.#ips.set(address, key)
    for (const port of nodePortsOf(service)) this.#ports.set(port, key)
  }

  #release(key: string, service: KubeObject): void {
    for (const address of addressesOf(service)) if (this.#ips.get(address) === key) this.#ips.delete(address)
    for (const port of nodePortsOf(service)) if (this.#ports.get(port) === key) this.#ports.delete(port)
  }
}

/** Node ports that a service has or asks for. */
export function nodePortsOf(service: KubeObject): readonly number[] {
  const ports = arrayAt(service, 'spec', 'ports').map((port) => numberAt(port, 'nodePort') ?? 0)
  return ports.filter((port) => port > 0)
}

/** Cluster addresses that a service has or asks for, in canonical form. */
export function addressesOf(service: KubeObject): readonly Ip[] {
  const given = arrayAt(service, 'spec', 'clusterIPs')
  const texts = given.length > 0 ? given : [textAt(service, 'spec', 'clusterIP')]
  return texts.flatMap((text) => (typeof text === 'string' ? (parseIp(text) ?? []) : []))
}

const SERVICES = '/services'
/** A /64 is not searched to its end. */
const MAX_TRIED = 65_536n

function bounded(value: bigint, most: bigint): bigint {
  return value < most ? value : most
}

function isUsable(network: Cidr, address: Ip): boolean {
  if (familyOf(network) !== familyOf(address) || !contains(network, address)) return false
  return address !== firstIp(network) && (familyOf(network) === 6 || address !== lastIp(network))
}

function isAnothers(holder: string | undefined, key: string): boolean {
  return holder !== undefined && holder !== key
}
