/**
 * What ports of Neutron's are to a container runtime. Pure.
 * @module
 */
import { type CniResult, cniError, EMPTY_RESULT, type ResultRoute } from '../../../cni/index.ts'
import { familyOf, type Ip } from '../../../network/model/address.ts'
import type { PoolSubnet, PortAddress } from '../../../network/model/neutron.ts'
import type { Leasing } from '../../neutron/local-ports.ts'

const DEFAULT_ROUTE = { 4: '0.0.0.0/0', 6: '::/0' } as const

/** An address of a port, and the subnet that it is of. */
interface Located extends PortAddress {
  readonly subnet: PoolSubnet
}

/** The addresses of ports, IPv4 of each first, with the gateways of their subnets. */
export function addressesOf(leasings: readonly Leasing[]): CniResult['ips'] {
  return leasings.flatMap(locatedIn).map(({ address, subnet: { cidr, gateway } }) => ({
    address: `${address}/${cidr.slice(cidr.indexOf('/') + 1)}`,
    ...(gateway === undefined ? {} : { gateway }),
  }))
}

/** The addresses of an interface, the routes and the name servers of their subnets; with `isWayOut` a default route of each family. */
export function answerFor(leasing: Leasing, isWayOut: boolean): CniResult {
  const located = locatedIn(leasing)
  const subnets = [...new Set(located.map(({ subnet }) => subnet))]
  const defaults = isWayOut ? defaultRoutes(located) : []
  return {
    ...EMPTY_RESULT,
    ips: addressesOf([leasing]),
    routes: [
      ...defaults,
      ...subnets.flatMap(({ routes }) => routes.map(({ destination, gateway }) => ({ dst: destination, gw: gateway }))),
    ],
    dns: { ...EMPTY_RESULT.dns, nameservers: [...new Set<Ip>(subnets.flatMap(({ nameservers }) => nameservers))] },
  }
}

/** Of each family the first gateway. */
function defaultRoutes(located: readonly Located[]): readonly ResultRoute[] {
  return ([4, 6] as const).flatMap((family) => {
    const gateway = located.find(({ address, subnet }) => familyOf(address) === family && subnet.gateway !== undefined)
      ?.subnet.gateway
    return gateway === undefined ? [] : [{ dst: DEFAULT_ROUTE[family], gw: gateway }]
  })
}

function locatedIn({ pool, port }: Leasing): readonly Located[] {
  const found = port.addresses.map((one): Located => {
    const subnet = pool.subnets.find(({ id }) => id === one.subnetId)
    // The decoder of NodePorts sees to it.
    if (subnet === undefined) throw cniError('internal')
    return { ...one, subnet }
  })
  return found.toSorted((a, b) => familyOf(a.address) - familyOf(b.address))
}
