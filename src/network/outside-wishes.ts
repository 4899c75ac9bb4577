/**
 * What administrators open to machines outside, in Calico's words. What would take a node's own ways away is left out and told.
 * @module
 */
import { LINK_LOCAL_V6, LOOPBACK, MULTICAST, podNetworks } from './context.ts'
import { fabricOf } from './fabric/way.ts'
import { type Cidr, cidr, contains, familyOf, type Ip, overlaps } from './model/address.ts'
import type { BgpConfiguration, BgpRange } from './model/bgp.ts'
import type { Cluster } from './model/cluster.ts'
import type { FieldProblem } from './model/problem.ts'
import { CLOSED, type Outside } from './outside.ts'

/** What administrators say of it. */
export interface OutsideWishes {
  readonly configuration?: BgpConfiguration | undefined
  readonly ranges: Iterable<BgpRange>
}

/** What is open of a cluster whose machines have these addresses: nothing where its fabric is not BGP. */
export function outsideOf(cluster: Cluster, machines: Iterable<Ip>, { configuration, ranges }: OutsideWishes): Outside {
  if (fabricOf(cluster).way !== 'bgp') return CLOSED
  const addresses = [...machines]
  const problems: FieldProblem[] = []
  const usable = (field: string, networks: readonly Cidr[] = [], taken: readonly Cidr[] = []): readonly Cidr[] =>
    [...new Set(networks)].toSorted().filter((network) => {
      const reason = objection(cluster, network, addresses, taken)
      if (reason === undefined) return true
      problems.push({
        field: `BGPConfiguration default spec.${field}`,
        reason,
        remedy: 'give a network of services alone',
      })
      return false
    })
  const untranslated = [...ranges].filter(({ isTranslated }) => isTranslated === false).map((range) => range.cidr)
  return {
    clusterIps: usable('serviceClusterIPs', configuration?.clusterIps),
    externalIps: usable('serviceExternalIPs', configuration?.externalIps, cluster.serviceNetworks),
    loadBalancerIps: usable('serviceLoadBalancerIPs', configuration?.loadBalancerIps, cluster.serviceNetworks),
    tellsEachLoadBalancer: configuration?.tellsEachLoadBalancer === true,
    untranslated: [...new Set(untranslated)].toSorted(),
    problems,
  }
}

const NOBODYS: readonly Cidr[] = [
  ...Object.values(LOOPBACK),
  ...Object.values(MULTICAST).flat(),
  cidr('169.254.0.0/16'),
  LINK_LOCAL_V6,
]

/** Packets for such a network are led to the switch: it must be nobody else's. */
function objection(
  cluster: Cluster,
  network: Cidr,
  machines: readonly Ip[],
  taken: readonly Cidr[],
): string | undefined {
  const machine = machines.find((address) => contains(network, address))
  if (machine !== undefined) return `${network} has the address ${machine} of a node in it`
  const pods = podNetworks(cluster, familyOf(network)).find((one) => overlaps(one, network))
  if (pods !== undefined) return `${network} and the pod network ${pods} overlap`
  const services = taken.find((one) => overlaps(one, network))
  if (services !== undefined) return `${network} and the service network ${services} overlap`
  return NOBODYS.some((one) => overlaps(one, network)) ? `${network} can be no network of services` : undefined
}
