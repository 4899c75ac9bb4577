/**
 * Why an interface gets no address, with what would mend it.
 * @module
 */
import { type CniError, cniError } from '../../../cni/index.ts'
import type { FamilyChoice } from '../../../compat/spiderpool/selection/question.ts'
import { SOURCE_TEXTS } from '../../../compat/spiderpool/selection/sources.ts'
import type { AddressClaim } from '../../../network/model/pool.ts'
import { RegistryError } from '../../../registry/registry.ts'
import type { ClusterPools } from './cluster-pools.ts'
import type { ClaimOrder } from './order.ts'

/** Nothing names a pool. */
export function noPool({ ifname, namespace, pod }: ClaimOrder): CniError {
  return cniError('pool-none', { ifname, pod: `${namespace}/${pod}` })
}

/** Pools are named, and none of them may be taken from. */
export function allFiltered({ ifname, source }: ClaimOrder, { family, named, filtered }: FamilyChoice): CniError {
  return cniError('pool-filtered', {
    family,
    ifname,
    pools: few(named),
    reasons: few(
      filtered.map(({ pool, reason }) => `${pool} ${reason}`),
      '; ',
    ),
    source: SOURCE_TEXTS[source],
  })
}

/** Pools may be taken from, and have nothing left. */
export function usedOut(
  { ifname }: ClaimOrder,
  { family, candidates, filtered }: FamilyChoice,
  pools: ClusterPools,
): CniError {
  const counts = candidates.map(({ name }) => {
    const { total = 0n, leased = 0, reserved = 0n } = pools.counts(name) ?? {}
    return `${name} (${total} addresses, ${leased} in use, ${reserved} reserved)`
  })
  const others = filtered.map(({ pool, reason }) => `${pool} ${reason}`)
  return cniError('pool-used-out', {
    family,
    ifname,
    counts: few([...counts, ...others], '; '),
    pools: few(candidates.map(({ name }) => name)),
  })
}

/** What a failed write of a claim means for the runtime. */
export function writeFailure(error: unknown, { address, pool }: Pick<AddressClaim, 'address' | 'pool'>): unknown {
  if (!(error instanceof RegistryError)) return error
  const reason = error.message
  return error.code === 'REGISTRY_INVALID'
    ? cniError('claim-refused', { address, pool, reason })
    : cniError('claims-unreachable', { reason })
}

/** Characters of a list: an error's words have an end. */
const MOST = 200

/** As many of a list as there is room for, one at least. */
function few(texts: readonly string[], separator = ' '): string {
  let length = 0
  const fitting = texts.filter((text, index) => {
    length += text.length + separator.length
    return index === 0 || length <= MOST
  })
  const left = texts.length - fitting.length
  return [...fitting, ...(left === 0 ? [] : [`and ${left} more`])].join(separator)
}
