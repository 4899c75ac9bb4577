/**
 * What is wrong with pools, in the words of their objects.
 * @module
 */
import { APPLICATION_KEYS } from '../../compat/spiderpool/selection/owner.ts'
import { AddressSpace } from '../../ipam/address-space.ts'
import { poolProblems } from '../../ipam/pool-problems.ts'
import { without } from '../../ipam/range-set.ts'
import type { Ip } from '../../network/model/address.ts'
import type { AddressPool } from '../../network/model/pool.ts'
import { problemLine } from '../../network/model/problem.ts'

const FIELDS = { subnet: 'spec.subnet', ranges: 'spec.ips' } as const

/** Why pools give nothing out, by name. Those that are fine are not in it. */
export function refusedPools(pools: readonly AddressPool[]): ReadonlyMap<string, string> {
  const own = pools.flatMap(({ name, problem }) => (problem === undefined ? [] : [[name, corrected(problem)] as const]))
  const others = [...poolProblems(pools)].map(
    ([name, problem]) => [name, problemLine({ ...problem, field: FIELDS[problem.field] })] as const,
  )
  const mixed = pools.flatMap((pool) =>
    pool.problem === undefined && isMixed(pool) ? [[pool.name, MIXED] as const] : [],
  )
  return new Map(
    [...own, ...mixed, ...others].map(([name, text]) => [name, `${text}. Until then it gives no address out.`]),
  )
}

const MIXED = problemLine({
  field: 'spec.podAffinity',
  reason: 'selects an application and other labels beside it, which no pod has together',
  remedy: 'leave the labels out that do not begin with ipam.spidernet.io/app-',
})

/** Whether a pool's selector names an application, and something else. */
function isMixed({ podSelector = [] }: AddressPool): boolean {
  const isOfApplication = podSelector.map(({ key }) => APPLICATION.has(key))
  return isOfApplication.includes(true) && isOfApplication.includes(false)
}

const APPLICATION: ReadonlySet<string> = new Set(Object.values(APPLICATION_KEYS))

/** An address that somebody has. */
export interface Holder {
  readonly address: Ip
  readonly namespace: string
  readonly pod: string
}

/** The addresses that a pool does not give out any more, although somebody has them; empty for none. */
export function strandedText(pool: AddressPool, holders: readonly Holder[]): string {
  const given = new AddressSpace(pool.family, without(pool.ranges, pool.excluded))
  const stranded = holders.filter(({ address }) => given.numberOf(address) === undefined)
  const [first] = stranded
  if (first === undefined) return ''
  const more = stranded.length > 1 ? `, and ${stranded.length - 1} more of other pods,` : ''
  const reason = `${first.address} of the pod ${first.namespace}/${first.pod}${more} is not among the pool's addresses any more`
  return problemLine({
    field: FIELDS.ranges,
    reason,
    remedy: 'it stays with the pod as long as that is there; add it again, or delete the pod',
  })
}

function corrected(problem: string): string {
  return `${problem}; correct it`
}
