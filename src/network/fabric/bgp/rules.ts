/**
 * Filters as BIRD's functions: the first rule that matches a route decides over it, none leaves it to what is usual.
 * @module
 */
import { BITS, type Cidr, contains, type Family, familyOf, firstIp, prefixLength } from '../../model/address.ts'
import type { BgpFilter, PrefixMatch, RouteChange, RouteRule } from './model.ts'
import { asNumber, communityText, indented, interfacePattern, networkText, symbolsFor, whole } from './text.ts'

/** The names of the functions of filters, by the filters' names. */
export function filterSymbols(filters: readonly BgpFilter[]): ReadonlyMap<string, string> {
  return symbolsFor(
    'filter',
    filters.map(({ name }) => name),
  )
}

/** Functions for those filters that have rules of a family. Each takes whether the peer is of the same AS. */
export function filterFunctions(filters: readonly BgpFilter[], family: Family): string {
  const symbols = filterSymbols(filters)
  const byName = new Map(filters.map((filter) => [filter.name, filter]))
  return [...symbols]
    .flatMap(([name, symbol]) => {
      const { imports, exports } = byName.get(name) ?? NOTHING
      return [
        functionText(`${symbol}_import${family}`, imports[family], 'import', family),
        functionText(`${symbol}_export${family}`, exports[family], 'export', family),
      ]
    })
    .join('')
}

/** The calls of a session's filters, in order. What names no filter is none. */
export function filterCalls(
  filters: readonly BgpFilter[],
  names: readonly string[],
  direction: Direction,
  family: Family,
  isInternal: boolean,
): readonly string[] {
  if (names.length === 0) return []
  const symbols = filterSymbols(filters)
  return names.flatMap((name) => {
    const symbol = symbols.get(name)
    const rules = filters.findLast((filter) => filter.name === name)?.[DIRECTIONS[direction]][family] ?? []
    return symbol === undefined || rules.length === 0 ? [] : [`${symbol}_${direction}${family}(${isInternal});`]
  })
}

const NOTHING: Pick<BgpFilter, 'imports' | 'exports'> = { imports: { 4: [], 6: [] }, exports: { 4: [], 6: [] } }

const DIRECTIONS = { import: 'imports', export: 'exports' } as const

type Direction = keyof typeof DIRECTIONS

function functionText(symbol: string, rules: readonly RouteRule[], direction: Direction, family: Family): string {
  if (rules.length === 0) return ''
  return `function ${symbol}(bool is_inner) {\n${indented(rules.map((rule) => ruleText(rule, direction, family)))}}\n`
}

function ruleText(rule: RouteRule, direction: Direction, family: Family): string {
  const conditions = conditionsOf(rule, family)
  // A rule that cannot be said in BIRD's words must not let through what it was to stop.
  if (conditions === undefined) return rule.action === 'accept' ? '' : 'reject;'
  // Ways to next hops are found by what came in: a default route, or one to the nodes' own networks, would lead all of them. What goes
  // out may be these when a rule names just that, not when it accepts "everything".
  const isPointed = direction === 'export' && rule.prefix?.operator === 'equal'
  const all = rule.action === 'reject' || isPointed ? conditions : [...conditions, `!weft_is_guarded${family}()`]
  const verdict = rule.action === 'reject' ? ['reject;'] : [...rule.changes.flatMap(changeLines), 'accept;']
  if (all.length === 0) return verdict.join(' ')
  return `if ${all.join(' && ')} then { ${verdict.join(' ')} }`
}

function conditionsOf(rule: RouteRule, family: Family): readonly string[] | undefined {
  const outgoing = rule.outgoing === undefined ? undefined : interfacePattern(rule.outgoing)
  if (rule.outgoing !== undefined && outgoing === undefined) return undefined
  if (rule.prefix !== undefined && familyOf(rule.prefix.cidr) !== family) return undefined
  const { community, pathStart, priority } = rule
  const communities = community === undefined ? undefined : communityText(community)
  return [
    ...(rule.prefix === undefined ? [] : [prefixCondition(rule.prefix, family)]),
    ...(rule.isLearned === undefined ? [] : ['source = RTS_BGP']),
    ...(outgoing === undefined ? [] : [`defined(ifname) && ifname ~ ${outgoing}`]),
    ...(rule.peers === undefined ? [] : [rule.peers === 'internal' ? 'is_inner' : '!is_inner']),
    ...(communities === undefined ? [] : [`${communities.value} ~ ${communities.attribute}`]),
    ...(pathStart === undefined || pathStart.length === 0
      ? []
      : [`defined(bgp_path) && bgp_path ~ [= ${pathStart.map(asNumber).join(' ')} * =]`]),
    ...(priority === undefined
      ? []
      : [`defined(bgp_local_pref) && bgp_local_pref = WEFT_TOP - ${whole(priority, 1, MAX_PRIORITY)}`]),
  ]
}

const MAX_PRIORITY = 2_147_483_646

function prefixCondition({ operator, cidr, lengths }: PrefixMatch, family: Family): string {
  const network = networkText(cidr)
  if (operator === 'equal') return `net = ${network}`
  if (operator === 'not-equal') return `net != ${network}`
  const own = prefixLength(cidr)
  const min = Math.max(lengths?.min ?? own, own)
  const max = Math.min(lengths?.max ?? BITS[family], BITS[family])
  const within = min > max ? 'false' : `net ~ [ ${network}{${min},${max}} ]`
  return operator === 'in' ? within : `!(${within})`
}

function changeLines(change: RouteChange): readonly string[] {
  switch (change.kind) {
    case 'add-community': {
      const { value, attribute } = communityText(change.community)
      return [`${attribute}.add(${value});`]
    }
    case 'prepend':
      return change.asNumbers.toReversed().map((number) => `bgp_path.prepend(${asNumber(number)});`)
    case 'priority':
      return [`bgp_local_pref = WEFT_TOP - ${whole(change.value, 1, MAX_PRIORITY)};`]
  }
}

/** A network of nodes' own addresses. `hasWithin`: what is in it is guarded as well. */
export interface GuardedNetwork {
  readonly network: Cidr
  readonly hasWithin: boolean
}

/** What covers the nodes' own addresses: a default route, and networks that they are in or that are in theirs. */
export function guardFunctions(networks: readonly GuardedNetwork[], family: Family): string {
  const covering = networks.map(({ network }) => `${networkText(network)}-`)
  const inside = networks.flatMap(({ network, hasWithin }) => (hasWithin ? [`${networkText(network)}+`] : []))
  const nothing = family === 4 ? '0.0.0.0/0' : '::/0'
  return `function weft_is_guarded${family}() {
  return net ~ [ ${[nothing, ...new Set([...covering, ...inside].toSorted())].join(', ')} ];
}
`
}

/** Whether a network is another one or a part of it. */
export function isInside(inner: Cidr, outer: Cidr): boolean {
  return prefixLength(inner) >= prefixLength(outer) && contains(outer, firstIp(inner))
}
