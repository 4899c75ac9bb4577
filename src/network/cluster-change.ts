/**
 * Whether a running cluster can follow another configuration: judged by every agent and by the controller alike, from
 * what all of them see.
 * @module
 */
import { mtuProblem } from './host.ts'
import { type Cidr, contains, familyOf, firstIp, lastIp } from './model/address.ts'
import type { Cluster } from './model/cluster.ts'
import type { NodeNetwork } from './model/node.ts'
import { type Service, serviceKey } from './model/service.ts'
import { nodeAddressProblems } from './model/validate-cluster.ts'

/** What lives in a cluster, as far as it is known. */
export interface Inhabitants {
  readonly machines: Iterable<NodeNetwork>
  readonly services: Iterable<Service>
}

/**
 * What a change of the configuration would take away from those who live by it, for people; empty when it can be
 * followed. What did not fit before either is no reason.
 */
export function changeObstacles(before: Cluster, after: Cluster, inhabitants: Inhabitants): readonly string[] {
  const machines = [...inhabitants.machines].filter(({ ranges }) => ranges.length > 0)
  const services = [...inhabitants.services]
  const known = new Set(obstacles(before, machines, services))
  return obstacles(after, machines, services).filter((obstacle) => !known.has(obstacle))
}

function obstacles(cluster: Cluster, machines: readonly NodeNetwork[], services: readonly Service[]): string[] {
  return [
    ...machines.flatMap((machine) => obstaclesOf(cluster, machine)),
    ...services.flatMap((service) => unreachable(cluster, service)),
  ]
}

/** Whether all of a range is inside one of the cluster's pod networks. */
export function hasRange({ networks }: Cluster, range: Cidr): boolean {
  return networks.some(({ cidr }) => contains(cidr, firstIp(range)) && contains(cidr, lastIp(range)))
}

function obstaclesOf(cluster: Cluster, { node, ranges, addresses, status }: NodeNetwork): string[] {
  const stranded = ranges.filter((range) => !hasRange(cluster, range))
  const mtu = status === undefined ? undefined : mtuProblem(cluster, status.uplinkMtu)
  const isReachable = addresses.some((address) => familyOf(address) === cluster.underlay)
  return [
    ...stranded.map((range) => `pods of ${node} live in ${range}, which would be in none of the networks`),
    ...(isReachable ? [] : [`${node} has no IPv${cluster.underlay} address for tunnels`]),
    ...nodeAddressProblems(cluster, addresses).map(({ problem }) => `${node}: ${problem}`),
    ...(mtu === undefined ? [] : [`${node}: ${mtu}`]),
  ]
}

function unreachable({ services, serviceNetworks }: Cluster, { namespace, name, clusterIps }: Service): string[] {
  if (services !== 'weft') return []
  return clusterIps
    .filter((address) => !serviceNetworks.some((network) => contains(network, address)))
    .map((address) => `service ${serviceKey(namespace, name)} has ${address}, which would be in no service network`)
}
