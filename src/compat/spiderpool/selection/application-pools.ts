/**
 * Pools that were made for an application from a SpiderSubnet, found by their labels.
 * @module
 */
import { cniError } from '../../../cni/errors.ts'
import type { Family } from '../../../network/model/address.ts'
import type { AddressPool, PodOwner } from '../../../network/model/pool.ts'
import type { NamesByFamily, SUBNET, SUBNETS } from './annotations.ts'
import { topOwner } from './owner.ts'
import type { KnownPools, PoolQuestion } from './question.ts'
import type { Named } from './sources.ts'

/** Labels of such pools. */
export const APPLICATION_POOL_LABELS = {
  subnet: 'ipam.spidernet.io/owner-spider-subnet',
  /** Group and version, `apps_v1`. */
  groupVersion: 'ipam.spidernet.io/owner-application-gv',
  kind: 'ipam.spidernet.io/owner-application-kind',
  namespace: 'ipam.spidernet.io/owner-application-namespace',
  name: 'ipam.spidernet.io/owner-application-name',
  interface: 'ipam.spidernet.io/interface',
  /** `IPv4` or `IPv6`. */
  family: 'ipam.spidernet.io/ip-version',
} as const

/**
 * The pools for a pod's interface, of each family that a subnet is named for; of several subnets the first counts. Throws
 * `annotation-invalid` for a pod that nobody controls, and `pool-pending` where the pool is not made yet.
 */
export function poolsOfApplication(
  annotation: typeof SUBNET | typeof SUBNETS,
  subnets: NamesByFamily,
  { ifname, pod }: PoolQuestion,
  pools: KnownPools,
): readonly Named[] {
  const owner = topOwner(pod)
  if (owner === undefined) {
    const expected = "SpiderSubnet feature doesn't support no-controller pod"
    throw cniError('annotation-invalid', { annotation, field: 'value', expected })
  }
  return ([4, 6] as const).flatMap((family) => {
    const [subnet] = subnets[family]
    if (subnet === undefined) return []
    const wanted = labelsOf(owner, pod.namespace, { subnet, ifname, family })
    const names = [...pools.values()].filter((pool) => has(pool, wanted)).map(({ name }) => name)
    if (names.length > 0) return [{ family, names: names.toSorted() }]
    throw cniError('pool-pending', { owner: `${owner.kind} ${pod.namespace}/${owner.name}`, ifname, family, subnet })
  })
}

/** What labels the pool of an application for an interface has. */
export function labelsOf(
  { apiVersion, kind, name }: PodOwner,
  namespace: string,
  { subnet, ifname, family }: { readonly subnet: string; readonly ifname: string; readonly family: Family },
): ReadonlyMap<string, string> {
  return new Map([
    [APPLICATION_POOL_LABELS.subnet, subnet],
    [APPLICATION_POOL_LABELS.groupVersion, apiVersion.replace('/', '_')],
    [APPLICATION_POOL_LABELS.kind, kind],
    [APPLICATION_POOL_LABELS.namespace, namespace],
    [APPLICATION_POOL_LABELS.name, name],
    [APPLICATION_POOL_LABELS.interface, ifname],
    [APPLICATION_POOL_LABELS.family, `IPv${family}`],
  ])
}

function has({ labels = {} }: AddressPool, wanted: ReadonlyMap<string, string>): boolean {
  return [...wanted].every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
}
