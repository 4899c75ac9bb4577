/**
 * What is wrong with a pool by itself. What pools say against one another is another matter.
 * @module
 */
import { contains, familyOf, prefixLength } from './address.ts'
import { formatIpRange, isInRange, isWithin } from './ip-range.ts'
import type { AddressPool } from './pool.ts'

/** A field that cannot be as it is. */
export interface PoolFault {
  readonly field: 'family' | 'ranges' | 'excluded' | 'gateway' | 'podSelector' | `routes[${number}]`
  readonly reason: string
}

type Judged = Pick<AddressPool, 'family' | 'subnet' | 'ranges' | 'excluded' | 'gateway' | 'routes' | 'podSelector'>

/** Everything that is wrong with a pool; in a sound one nothing. The rules are those of Spiderpool's webhook. */
export function poolFaults(pool: Judged): readonly PoolFault[] {
  const { family, subnet, podSelector } = pool
  if (familyOf(subnet) !== family) return [{ field: 'family', reason: `${family} is not the family of ${subnet}` }]
  return [
    ...rangeFaults(pool, 'ranges'),
    ...rangeFaults(pool, 'excluded'),
    ...gatewayFaults(pool),
    ...routeFaults(pool),
    // It would select every pod, which is what none at all does.
    ...(podSelector?.length === 0
      ? [{ field: 'podSelector', reason: 'it selects nothing in particular' } as const]
      : []),
  ]
}

function rangeFaults(pool: Judged, field: 'ranges' | 'excluded'): readonly PoolFault[] {
  const { subnet } = pool
  return pool[field]
    .filter((range) => !isWithin(subnet, range))
    .map((range) => ({ field, reason: `${formatIpRange(range)} is not inside ${subnet}` }))
}

function gatewayFaults({ subnet, gateway, ranges, excluded }: Judged): readonly PoolFault[] {
  if (gateway === undefined) return []
  if (!contains(subnet, gateway)) return [{ field: 'gateway', reason: `${gateway} is not inside ${subnet}` }]
  const isIn = (range: (typeof ranges)[number]): boolean => isInRange(range, gateway)
  if (!ranges.some(isIn) || excluded.some(isIn)) return []
  return [{ field: 'gateway', reason: `${gateway} is among the addresses that are given out` }]
}

function routeFaults({ family, subnet, routes }: Judged): readonly PoolFault[] {
  const seen = new Set<string>()
  return routes.flatMap(({ destination, gateway }, index) => {
    const isSecond = seen.has(destination)
    seen.add(destination)
    const reason =
      familyOf(destination) !== family
        ? `${destination} is not of the family of ${subnet}`
        : prefixLength(destination) === 0
          ? `${destination} is the default route, which the gateway is for`
          : isSecond
            ? `${destination} is there twice`
            : contains(subnet, gateway)
              ? undefined
              : `the gateway ${gateway} is not inside ${subnet}`
    return reason === undefined ? [] : [{ field: `routes[${index}]`, reason } as const]
  })
}
