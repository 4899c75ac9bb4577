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

/** Claims of services. */
export class Claims {
  readonly #byAddress = new Map<Ip, Map<string, Claim>>()
  readonly #addresses = new Map<string, readonly Ip[]>()

  /** A service appeared or changed. Returns the keys of others that this may concern. */
  put(service: Service): readonly string[] {
    const key = serviceKey(service.namespace, service.name)
    const before = this.remove(key)
    const { externalIps = [], loadBalancerIps = [], namespace } = service
    if (externalIps.length + loadBalancerIps.length === 0 || service.clusterIps.length === 0) return before
    const ports = new Set(service.ports.map(textOf))
    for (const address of externalIps) this.#claim(address, key, { by: 'owner', namespace, ports })
    for (const address of loadBalancerIps) this.#claim(address, key, { by: 'balancer', namespace, ports })
    this.#addresses.set(key, [...new Set([...externalIps, ...loadBalancerIps])])
    return [...new Set([...before, ...this.#others(key)])]
  }

  /** A service is gone. Returns the keys of others that this may concern. */
  remove(key: string): readonly string[] {
    const others = this.#others(key)
    for (const address of this.#addresses.get(key) ?? []) {
      const claims = this.#byAddress.get(address)
      claims?.delete(key)
      if (claims?.size === 0) this.#byAddress.delete(address)
    }
    this.#addresses.delete(key)
    return others
  }

  /** Whether a service has this address, for one of its ports. */
  has(key: string, address: Ip, port: Port): boolean {
    const claims = [...(this.#byAddress.get(address) ?? [])]
    const balanced = claims.filter(([, { by }]) => by === 'balancer')
    const counted = balanced.length > 0 ? balanced : claims
    const rivals = counted.filter(([, { ports }]) => ports.has(textOf(port)))
    const disputed = balanced.length > 0 ? rivals : counted
    if (new Set(disputed.map(([, { namespace }]) => namespace)).size > 1) return false
    return rivals.map(([name]) => name).toSorted()[0] === key
  }

  #claim(address: Ip, key: string, claim: Claim): void {
    const claims = this.#byAddress.get(address)
    if (claims === undefined) this.#byAddress.set(address, new Map([[key, claim]]))
    else claims.set(key, claim)
  }

  #others(key: string): readonly string[] {
    const all = (this.#addresses.get(key) ?? []).flatMap((address) => [...(this.#byAddress.get(address)?.keys() ?? [])])
    return [...new Set(all)].filter((other) => other !== key)
  }
}

function textOf({ protocol, port }: Port): string {
  return `${protocol} ${port}`
}
