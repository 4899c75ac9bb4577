/**
 * Which addresses and networks of services a node tells its peers of, as Calico does: networks by every node, and beyond them the
 * addresses whose endpoints are chosen by where they are, by nodes that have one.
 * @module
 */
import { BITS, type Cidr, familyOf, hostCidr, type Ip, prefixLength } from '../../model/address.ts'
import { type EndpointSlice, type Service, type ServicePort, serviceKey } from '../../model/service.ts'
import { isIn, type Outside } from '../../outside.ts'
import { backendsOf, type Scope } from '../../service/backends.ts'

/** What is known of services. */
export interface KnownServices {
  services(): Iterable<Service>
  slicesOf(key: string): readonly EndpointSlice[]
  has(key: string, address: Ip, port: ServicePort): boolean
}

/** What a node tells, in order. A network of one address stands for that address: it is told where it leads somewhere. */
export function announcedServices(outside: Outside, known: KnownServices, node: string): readonly Cidr[] {
  const { clusterIps, externalIps, loadBalancerIps, tellsEachLoadBalancer } = outside
  if (clusterIps.length + externalIps.length + loadBalancerIps.length === 0) return []
  const wide = [...externalIps, ...(tellsEachLoadBalancer ? [] : loadBalancerIps)].filter((one) => !isSingle(one))
  const single = [...known.services()].flatMap((service) => addressesOf(outside, known, service, node))
  return [...new Set([...clusterIps, ...wide, ...single.map(hostCidr)])].toSorted()
}

function addressesOf(outside: Outside, known: KnownServices, service: Service, node: string): readonly Ip[] {
  const { clusterIps, externalIps = [], loadBalancerIps = [], internalPolicy, externalPolicy, ports } = service
  if (clusterIps.length === 0) return []
  const key = serviceKey(service.namespace, service.name)
  const slices = known.slicesOf(key)
  const leads = (address: Ip, scope: Scope, its: readonly ServicePort[] = ports): boolean =>
    its.some((port) => backendsOf(slices, port, familyOf(address), scope, node).length > 0)
  const isNear = internalPolicy === 'Local' || externalPolicy === 'Local'
  const isTold = (address: Ip, networks: readonly Cidr[], isEach: boolean): boolean => {
    if (!isIn(networks, address)) return false
    const isOwn = isEach || networks.some((network) => isSingle(network) && network === hostCidr(address))
    if (externalPolicy !== 'Local' && !isOwn) return false
    return leads(
      address,
      externalPolicy,
      ports.filter((port) => known.has(key, address, port)),
    )
  }
  return [
    ...(isNear ? clusterIps.filter((address) => isIn(outside.clusterIps, address) && leads(address, 'Local')) : []),
    ...externalIps.filter((address) => isTold(address, outside.externalIps, false)),
    ...loadBalancerIps.filter((address) => isTold(address, outside.loadBalancerIps, outside.tellsEachLoadBalancer)),
  ]
}

function isSingle(network: Cidr): boolean {
  return prefixLength(network) === BITS[familyOf(network)]
}
