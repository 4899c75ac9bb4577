/**
 * Pools of the same network belong to its SpiderSubnet: they say so, and have its gateway and routes unless they have
 * their own. And what the subnet says of them.
 * @module
 */
import type { ObjectMeta } from '../../../kube/object.ts'
import { formatIpRange, type IpRange, isInRange } from '../../../network/model/ip-range.ts'
import { at } from '../../fields.ts'
import type { MergePatch } from '../../merge.ts'
import { routeOf } from '../ip-pool.ts'
import { countOf, isTooLong } from '../pool-status/pool-status.ts'
import { APPLICATION_POOL_LABELS } from '../selection/application-pools.ts'
import { applicationPoolIn, ownerOf, type Subnet } from './pool-object.ts'

/** A pool of the subnet's network. */
export interface PoolOfNetwork {
  readonly metadata: ObjectMeta
  /** As it is written. */
  readonly spec: unknown
  readonly ranges: readonly IpRange[]
  readonly excluded: readonly IpRange[]
}

/** Whether a pool says that it is this subnet's. */
export function isOfSubnet({ labels }: ObjectMeta, subnet: string): boolean {
  return labels?.[APPLICATION_POOL_LABELS.subnet] === subnet
}

/** The merge patch that makes a pool the subnet's; undefined: it is. Its lists are whole: name the revision that it is of. */
export function adoption(pool: PoolOfNetwork, subnet: Subnet): MergePatch | undefined {
  const { metadata, spec } = pool
  const { gateway, routes } = subnet.value
  const owner = ownerOf(subnet)
  const owners = metadata.ownerReferences ?? []
  const isLabelled = isOfSubnet(metadata, owner.name)
  // Another controller's pool stays its own.
  const isOwned = owners.some(({ uid, controller }) => uid === owner.uid || controller === true)
  const holds = (range: IpRange): boolean => gateway !== undefined && isInRange(range, gateway)
  const isGivenOut = pool.ranges.some(holds) && !pool.excluded.some(holds)
  const inherits = gateway !== undefined && at(spec, 'gateway') === undefined && !isGivenOut
  // An empty list says that there are to be none.
  const inheritsRoutes = routes.length > 0 && at(spec, 'routes') === undefined
  if (isLabelled && isOwned && !inherits && !inheritsRoutes) return undefined
  return {
    metadata: {
      ...(isLabelled ? {} : { labels: { [APPLICATION_POOL_LABELS.subnet]: owner.name } }),
      ...(isOwned ? {} : { ownerReferences: [...owners, owner] }),
    },
    ...(inherits || inheritsRoutes
      ? { spec: { ...(inherits ? { gateway } : {}), ...(inheritsRoutes ? { routes: routes.map(routeOf) } : {}) } }
      : {}),
  }
}

/** A SpiderSubnet's `status`. */
export function subnetStatus(
  total: bigint,
  given: bigint,
  pools: readonly PoolOfNetwork[],
): Readonly<Record<string, unknown>> {
  const entries = pools
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map(({ metadata, ranges }) => {
      const application = applicationPoolIn(metadata.labels)?.application
      return [metadata.name, { ips: ranges.map(formatIpRange), ...(application === undefined ? {} : { application }) }]
    })
  const text = JSON.stringify(Object.fromEntries(entries))
  return {
    controlledIPPools: isTooLong(text) ? null : text,
    totalIPCount: countOf(total),
    allocatedIPCount: countOf(given),
  }
}
