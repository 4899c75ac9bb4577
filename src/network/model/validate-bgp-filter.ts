/**
 * What filters of BGP routes must be.
 * @module
 */
import type { BgpFilter, Community, PrefixMatch, RouteChange, RouteRule } from '../fabric/bgp/model.ts'
import { BITS, familyOf } from './address.ts'
import { below, type Decode, type Decoded, decodeWith, reject, shown } from './decode.ts'
import { checked, integer, list, literal, network, optional, record, text, variant } from './decoders.ts'
import { objectName } from './names.ts'

/** The most rules of one direction and family, and changes of a rule. */
export const MAX_FILTER_RULES = 1000
const MAX_CHANGES = 10
const MAX_METRIC = 2_147_483_646

const asNumbers = list(integer(1, 0xffff_ffff), MAX_CHANGES)
const metric = integer(1, MAX_METRIC)

/** Two numbers of 16 bits, or three of 32. */
const community: Decode<Community> = (input, at) => {
  if (!Array.isArray(input) || (input.length !== 2 && input.length !== 3)) {
    return reject(at, `${shown(input)} is no community`, 'give one such as 65000:100 or 65000:1:2')
  }
  const most = input.length === 2 ? 0xffff : 0xffff_ffff
  const parts = list(integer(0, most), 3)(input, at)
  return parts === undefined ? undefined : (parts as unknown as Community)
}

const prefix: Decode<PrefixMatch> = checked(
  record<PrefixMatch>({
    operator: literal('equal', 'not-equal', 'in', 'not-in'),
    cidr: network,
    lengths: optional(
      record<{ readonly min: number; readonly max: number }>({ min: integer(0, BITS[6]), max: integer(0, BITS[6]) }),
    ),
  }),
  ({ cidr, lengths }, at) => {
    const bits = BITS[familyOf(cidr)]
    if (lengths !== undefined && lengths.max > bits) {
      reject(below(at, 'lengths'), `prefixes of ${cidr} have no more than ${bits} bits`, 'give fewer')
    }
  },
)

const change: Decode<RouteChange> = variant<RouteChange>('kind', [
  ['add-community', record({ kind: literal('add-community'), community })],
  ['prepend', record({ kind: literal('prepend'), asNumbers })],
  ['priority', record({ kind: literal('priority'), value: metric })],
])

const rule: Decode<RouteRule> = record<RouteRule>({
  action: literal('accept', 'reject'),
  prefix: optional(prefix),
  isLearned: optional(literal(true)),
  outgoing: optional(text(1, 15)),
  peers: optional(literal('internal', 'external')),
  community: optional(community),
  pathStart: optional(asNumbers),
  priority: optional(metric),
  changes: list(change, MAX_CHANGES),
})

function rulesOf(family: 4 | 6): Decode<readonly RouteRule[]> {
  return checked(list(rule, MAX_FILTER_RULES), (rules, at) => {
    for (const [index, { prefix: match }] of rules.entries()) {
      if (match !== undefined && familyOf(match.cidr) !== family) {
        reject(below(at, index), `${match.cidr} is no IPv${family} network`, 'give one')
      }
    }
  })
}

const direction = record<BgpFilter['imports']>({ 4: rulesOf(4), 6: rulesOf(6) })
const filter: Decode<BgpFilter> = record<BgpFilter>({ name: objectName, imports: direction, exports: direction })

/** The filter in this input, or what is wrong with it. */
export function decodeBgpFilter(input: unknown): Decoded<BgpFilter> {
  return decodeWith(filter, input)
}
