/**
 * What a port's addresses are to a container runtime. Pure.
 * @module
 */
import {
  type CniResult,
  type CniVersion,
  cniError,
  isAtLeast,
  type ResultDns,
  type ResultIp,
  type ResultRoute,
} from '../../cni/index.ts'
import { type Family, familyOf, ipValue, parseIp } from '../../network/model/address.ts'
import type { FixedIp, Port, Subnet } from '../../openstack/neutron/model.ts'

/** What the configuration adds. */
export interface ResultParts {
  readonly routes: readonly ResultRoute[]
  readonly dns: ResultDns
}

/**
 * All addresses of all ports, in the order of the networks; of a port IPv4 first, as Neutron keeps no order. Throws
 * `neutron-subnet-hidden`, and `result-too-small` where the version holds one address of a family and there are more.
 */
export function resultOf(
  ports: readonly Port[],
  subnets: ReadonlyMap<string, Subnet>,
  { routes, dns }: ResultParts,
  version: CniVersion,
): CniResult {
  const ips = ports.flatMap((port) => port.fixedIps.toSorted(inOrder).map((ip) => ipOf(ip, port, subnets)))
  checkFits(ips, version)
  return { interfaces: [], ips, routes, dns }
}

/** Throws `result-too-small` where a version holds one address of a family, and there are more: the others would be lost. */
export function checkFits(ips: readonly Pick<ResultIp, 'address'>[], version: CniVersion): void {
  const most = isAtLeast(version, '0.3.0') ? Number.POSITIVE_INFINITY : 1
  for (const family of [4, 6] as const) {
    const count = ips.filter(({ address }) => address.includes(':') === (family === 6)).length
    if (count > most) throw cniError('result-too-small', { version, count, family })
  }
}

function ipOf({ subnetId, address }: FixedIp, port: Port, subnets: ReadonlyMap<string, Subnet>): ResultIp {
  const subnet = subnets.get(subnetId)
  if (subnet === undefined) {
    throw cniError('neutron-subnet-hidden', { subnet: subnetId, network: port.networkId, address })
  }
  const gateway = subnet.gateway
  const length = subnet.cidr.slice(subnet.cidr.indexOf('/') + 1)
  return { address: `${address}/${length}`, ...(gateway === undefined ? {} : { gateway }) }
}

function inOrder(one: FixedIp, other: FixedIp): number {
  const [a, b] = [parseIp(one.address), parseIp(other.address)]
  if (a === undefined || b === undefined) return 0
  const families: readonly Family[] = [familyOf(a), familyOf(b)]
  if (families[0] !== families[1]) return (families[0] ?? 4) - (families[1] ?? 4)
  return ipValue(a) < ipValue(b) ? -1 : 1
}
