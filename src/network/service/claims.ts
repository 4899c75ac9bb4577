/**
 * Who has which address outside. Whoever writes services can claim any address as an external one; those of load balancers
 * come from their controllers. So nobody takes an address of a load balancer by claiming it, and of two namespaces that claim
 * one neither has it.
 * @module
 */
import type { Ip } from '../model/address.ts'
import { type Service, type ServicePort, serviceKey } from '../model/service.ts'

type Port = Pick<ServicePort, 'protocol' | 'port'>

interface Claim {
  readonly by: 'balancer' | 'owner'
  readonly namespace: string
  readonly ports: ReadonlySet<string>
}

/**
 * Claims of services. Many may share one address, as where every node's address is every service's: a change is compared with
 * those alone that claim the same port, unless it changes whether claims count at all.
 */
export class Claims {
  readonly #byAddress = new Map<Ip, Claimants>()
  readonly #addresses = new Map<string, readonly Ip[]>()

  /** A service appeared or changed. Returns the keys of others that have more or less than before. */
  put(service: Service): readonly string[] {
    const key = serviceKey(service.namespace, service.name)
    const wanted = claimsOf(service)
    const addresses = new Set([...(this.#addresses.get(key) ?? []), ...wanted.keys()])
    if (wanted.size === 0) this.#addresses.delete(key)
    else this.#addresses.set(key, [...wanted.keys()])
    const others = [...addresses].flatMap((address) => this.#set(address, key, wanted.get(address)))
    return [...new Set(others)]
  }

  /** A service is gone. Returns the keys of others that have more than before. */
  remove(key: string): readonly string[] {
    const addresses = this.#addresses.get(key) ?? []
    this.#addresses.delete(key)
    return [...new Set(addresses.flatMap((address) => this.#set(address, key, undefined)))]
  }

  /** Whether a service has this address, for one of its ports. */
  has(key: string, address: Ip, port: Port): boolean {
    return this.#byAddress.get(address)?.winnerOf(textOf(port)) === key
  }

  /** Keys of the services that claim an address, whether they have it or not. */
  claimantsOf(address: Ip): readonly string[] {
    return this.#byAddress.get(address)?.keys() ?? []
  }

  #set(address: Ip, key: string, claim: Claim | undefined): readonly string[] {
    const claimants = this.#byAddress.get(address) ?? new Claimants()
    const changed = claimants.set(key, claim)
    if (claimants.size === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, claimants)
    return changed
  }
}

/** Those that claim one address. */
class Claimants {
  readonly #claims = new Map<string, Claim>()
  readonly #byPort = new Map<string, Map<string, Claim>>()
  /** How many claims there are of load balancers, and of each namespace that only claims. */
  #balancers = 0
  readonly #owners = new Map<string, number>()
  /** Who has a port, as far as it was asked. */
  readonly #winners = new Map<string, string | undefined>()

  get size(): number {
    return this.#claims.size
  }

  keys(): readonly string[] {
    return [...this.#claims.keys()]
  }

  /** Returns the keys of others that have more or less than before. */
  set(key: string, claim: Claim | undefined): readonly string[] {
    const before = this.#claims.get(key)
    if (isSame(before, claim)) return []
    const kind = this.#whoCounts()
    const ports = new Set([...(before?.ports ?? []), ...(claim?.ports ?? [])])
    const was = new Map([...ports].map((port) => [port, this.winnerOf(port)]))
    if (before !== undefined) this.#count(key, before, -1)
    if (claim !== undefined) this.#count(key, claim, 1)
    if (kind !== this.#whoCounts()) {
      // Every port's answer may be another. Those that nobody asked for matter to nobody yet.
      for (const [port, winner] of this.#winners) was.set(port, winner)
    }
    for (const port of was.keys()) this.#winners.delete(port)
    const changed = [...was].flatMap(([port, winner]) => {
      const is = this.winnerOf(port)
      return winner === is ? [] : [winner, is]
    })
    return changed.filter((one): one is string => one !== undefined && one !== key)
  }

  winnerOf(port: string): string | undefined {
    if (this.#winners.has(port)) return this.#winners.get(port)
    const winner = this.#judge(port)
    if (this.#byPort.has(port)) this.#winners.set(port, winner)
    return winner
  }

  #judge(port: string): string | undefined {
    const isBalanced = this.#balancers > 0
    if (!isBalanced && this.#owners.size > 1) return undefined
    let first: string | undefined
    let namespace: string | undefined
    for (const [key, claim] of this.#byPort.get(port) ?? []) {
      if (isBalanced && claim.by !== 'balancer') continue
      if (namespace !== undefined && claim.namespace !== namespace) return undefined
      namespace = claim.namespace
      if (first === undefined || key < first) first = key
    }
    return first
  }

  /** Changes only where every port's answer may. */
  #whoCounts(): string {
    return this.#balancers > 0 ? 'balancers' : this.#owners.size > 1 ? 'nobody' : 'all'
  }

  #count(key: string, { by, namespace, ports }: Claim, step: 1 | -1): void {
    if (by === 'balancer') this.#balancers += step
    else {
      const count = (this.#owners.get(namespace) ?? 0) + step
      if (count === 0) this.#owners.delete(namespace)
      else this.#owners.set(namespace, count)
    }
    if (step === 1) this.#claims.set(key, { by, namespace, ports })
    else this.#claims.delete(key)
    for (const port of ports) {
      const claims = this.#byPort.get(port) ?? new Map<string, Claim>()
      if (step === 1) claims.set(key, { by, namespace, ports })
      else claims.delete(key)
      if (claims.size === 0) this.#byPort.delete(port)
      else this.#byPort.set(port, claims)
    }
  }
}

/** What a service claims, by address. One that a load balancer gave it is not only claimed. */
function claimsOf(service: Service): ReadonlyMap<Ip, Claim> {
  const { externalIps = [], loadBalancerIps = [], namespace } = service
  if (externalIps.length + loadBalancerIps.length === 0 || service.clusterIps.length === 0) return new Map()
  const ports = new Set(service.ports.map(textOf))
  return new Map<Ip, Claim>([
    ...externalIps.map((address) => [address, { by: 'owner', namespace, ports }] as const),
    ...loadBalancerIps.map((address) => [address, { by: 'balancer', namespace, ports }] as const),
  ])
}

function isSame(one: Claim | undefined, other: Claim | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  const isAlike = one.by === other.by && one.namespace === other.namespace && one.ports.size === other.ports.size
  return isAlike && [...one.ports].every((port) => other.ports.has(port))
}

function textOf({ protocol, port }: Port): string {
  return `${protocol} ${port}`
}
