/**
 * What of a cluster is open to machines outside that routers lead here: addresses of services, and pods that keep their own
 * addresses.
 * @module
 */
import { type Cidr, contains, type Ip } from './model/address.ts'
import type { FieldProblem } from './model/problem.ts'

/** What is open. */
export interface Outside {
  /** Networks of services' addresses, by the kind of address. */
  readonly clusterIps: readonly Cidr[]
  readonly externalIps: readonly Cidr[]
  readonly loadBalancerIps: readonly Cidr[]
  /** Peers are told of each address of a load balancer, and not of the networks these are of. */
  readonly tellsEachLoadBalancer: boolean
  /** Networks of pods that everybody may call, and whose packets leave as they are. */
  readonly untranslated: readonly Cidr[]
  /** What was asked for and is left out. */
  readonly problems: readonly FieldProblem[]
}

/** Nothing is. */
export const CLOSED: Outside = {
  clusterIps: [],
  externalIps: [],
  loadBalancerIps: [],
  tellsEachLoadBalancer: false,
  untranslated: [],
  problems: [],
}

/** All networks of services that are open, each once. */
export function openServices({ clusterIps, externalIps, loadBalancerIps }: Outside): readonly Cidr[] {
  return [...new Set([...clusterIps, ...externalIps, ...loadBalancerIps])].toSorted()
}

/** Whether an address is in one of these networks. */
export function isIn(networks: readonly Cidr[], address: Ip): boolean {
  return networks.some((network) => contains(network, address))
}
