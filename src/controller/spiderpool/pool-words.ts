/**
 * What is wrong with pools, subnets and reserved addresses, in the words of their objects.
 * @module
 */
import { APPLICATION_KEYS } from '../../compat/spiderpool/selection/owner.ts'
import { overlappingSubnets, poolProblems } from '../../ipam/pool-problems.ts'
import { isWithin, without } from '../../ipam/range-set.ts'
import type { Ip } from '../../network/model/address.ts'
import { formatIpRange, isInRange } from '../../network/model/ip-range.ts'
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

/** Why subnets are refused, by name: they have a pool's fields, and no address in common. */
export function refusedSubnets(subnets: readonly AddressPool[]): ReadonlyMap<string, string> {
  const own = subnets.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [[name, corrected(problem)] as const],
  )
  const sound = subnets.filter(({ problem }) => problem === undefined)
  const overlaps = [...overlappingSubnets(sound)].map(([name, other]) => {
    const reason = `overlaps ${other.subnet} of the SpiderSubnet ${other.name}, which is older`
    const remedy = 'give it a subnet that shares no address, or delete one of the two'
    return [name, problemLine({ field: FIELDS.subnet, reason, remedy })] as const
  })
  return new Map([...own, ...overlaps])
}

/** What pools give out that the SpiderSubnet of their network does not have, by the pool's name. */
export function outsideOfSubnets(
  pools: readonly AddressPool[],
  subnets: readonly AddressPool[],
): ReadonlyMap<string, string> {
  const bySubnet = new Map(subnets.filter(({ problem }) => problem === undefined).map((one) => [one.subnet, one]))
  const words = pools.flatMap((pool) => {
    const subnet = pool.problem === undefined ? bySubnet.get(pool.subnet) : undefined
    const [outside] = subnet === undefined ? [] : without(givenOut(pool), givenOut(subnet))
    if (subnet === undefined || outside === undefined) return []
    const reason = `${formatIpRange(outside)} is not among the addresses of the SpiderSubnet ${subnet.name}`
    const remedy = 'leave it out here, or add it there'
    return [[pool.name, problemLine({ field: FIELDS.ranges, reason, remedy })] as const]
  })
  return new Map(words)
}

/** An address that somebody has. */
export interface Holder {
  readonly address: Ip
  readonly namespace: string
  readonly pod: string
}

/** The addresses that a pool does not give out any more, although somebody has them; empty for none. */
export function strandedText(pool: AddressPool, holders: readonly Holder[]): string {
  const given = givenOut(pool)
  const stranded = holders.filter(({ address }) => !given.some((range) => isInRange(range, address)))
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

/** Whether two pools give the same addresses out. */
export function giveTheSame(a: AddressPool, b: AddressPool): boolean {
  return isWithin(givenOut(a), givenOut(b)) && isWithin(givenOut(b), givenOut(a))
}

function givenOut({ ranges, excluded }: AddressPool) {
  return without(ranges, excluded)
}

function corrected(problem: string): string {
  return `${problem}; correct it`
}
