/**
 * Rules for routes from and to peers, as Calico's BGPFilter.
 * @module
 */
import type { KubeBinding } from '../../../kube/binding.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { BgpFilter, Community, PrefixMatch, RouteChange, RouteRule } from '../../../network/fabric/bgp/model.ts'
import { at, listAt, nameOf, optionalField } from '../../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../../merge.ts'
import { type FieldNames, fieldNamed } from './field-names.ts'
import { communityIn, wordIn, wordOf } from './reading.ts'
import { BGP_FILTERS } from './resources.ts'

/** Of a rule. Addresses' families are told apart by the list that a rule is in. */
const RULE_FIELDS: FieldNames = {
  'prefix.operator': 'matchOperator',
  'prefix.cidr': 'cidr',
  'prefix.lengths': 'prefixLength',
  isLearned: 'source',
  outgoing: 'interface',
  peers: 'peerType',
  community: 'communities.values',
  pathStart: 'asPathPrefix',
  'changes[].community': 'operations[].addCommunity.value',
  'changes[].asNumbers': 'operations[].prependASPath.prefix',
  'changes[].value': 'operations[].setPriority.value',
  changes: 'operations',
}

const LISTS = {
  'imports.4': 'spec.importV4',
  'imports.6': 'spec.importV6',
  'exports.4': 'spec.exportV4',
  'exports.6': 'spec.exportV6',
} as const

const FIELDS: FieldNames = Object.fromEntries(
  Object.entries(LISTS).flatMap(([ours, theirs]) => [
    [ours, theirs],
    ...Object.entries(RULE_FIELDS).map(([our, their]) => [`${ours}[].${our}`, `${theirs}[].${their}`]),
  ]),
)

/** BGPFilter ↔ BgpFilter. */
export const bgpFilterBinding: KubeBinding<'BgpFilter'> = {
  resource: BGP_FILTERS,
  isOptional: true,
  keepsLast: true,
  place: clusterPlace,
  nameOf,
  fieldOf: fieldNamed(FIELDS),
  decode,
  encode: (value) => objectOf(BGP_FILTERS, clusterPlace(value.name), patch(value)),
  patch,
}

const ACTIONS: Readonly<Record<string, RouteRule['action']>> = { Accept: 'accept', Reject: 'reject' }
const OPERATORS: Readonly<Record<string, PrefixMatch['operator']>> = {
  Equal: 'equal',
  NotEqual: 'not-equal',
  In: 'in',
  NotIn: 'not-in',
}
const PEERS: Readonly<Record<string, RouteRule['peers']>> = { iBGP: 'internal', eBGP: 'external' }
const SOURCES: Readonly<Record<string, true>> = { RemotePeers: true }
const KNOWN: ReadonlySet<string> = new Set([
  ...['action', 'cidr', 'matchOperator', 'prefixLength', 'source', 'interface'],
  ...['peerType', 'communities', 'asPathPrefix', 'priority', 'operations'],
])

function decode(object: KubeObject): unknown {
  const rules = (field: string, family: 4 | 6): unknown => {
    const found = at(object, 'spec', field) ?? []
    return Array.isArray(found) ? found.map((one) => ruleIn(one, family)) : found
  }
  return {
    name: nameOf(object),
    imports: { 4: rules('importV4', 4), 6: rules('importV6', 6) },
    exports: { 4: rules('exportV4', 4), 6: rules('exportV6', 6) },
  }
}

/** What of a rule nobody knows would make it match more than was meant: such fields stay, and the filter is refused. */
function ruleIn(input: unknown, family: 4 | 6): unknown {
  const foreign = Object.entries(Object(input)).filter(([key]) => !KNOWN.has(key))
  const cidr = at(input, 'cidr')
  const [community, ...more] = listAt(input, 'communities', 'values')
  return {
    ...Object.fromEntries(foreign),
    action: wordIn(ACTIONS, at(input, 'action')),
    ...optionalField(
      'prefix',
      cidr === undefined && at(input, 'matchOperator') === undefined ? undefined : prefixIn(input, family),
    ),
    ...optionalField('isLearned', wordIn(SOURCES, at(input, 'source'))),
    ...optionalField('outgoing', at(input, 'interface')),
    ...optionalField('peers', wordIn(PEERS, at(input, 'peerType'))),
    ...optionalField('community', more.length > 0 ? 'several' : communityIn(community)),
    ...optionalField('pathStart', at(input, 'asPathPrefix')),
    ...optionalField('priority', at(input, 'priority')),
    changes: listAt(input, 'operations').map(changeIn),
  }
}

function prefixIn(input: unknown, family: 4 | 6): unknown {
  const lengths = at(input, 'prefixLength')
  const most = family === 4 ? 32 : 128
  return {
    operator: wordIn(OPERATORS, at(input, 'matchOperator')),
    cidr: at(input, 'cidr'),
    ...(lengths === undefined ? {} : { lengths: { min: at(lengths, 'min') ?? 0, max: at(lengths, 'max') ?? most } }),
  }
}

function changeIn(input: unknown): unknown {
  const added = at(input, 'addCommunity')
  if (added !== undefined) return { kind: 'add-community', community: communityIn(at(added, 'value')) }
  const prepended = at(input, 'prependASPath')
  if (prepended !== undefined) return { kind: 'prepend', asNumbers: at(prepended, 'prefix') }
  return { kind: 'priority', value: at(input, 'setPriority', 'value') }
}

function patch({ imports, exports }: BgpFilter): MergePatch {
  return {
    spec: {
      importV4: imports[4].map(ruleObject),
      importV6: imports[6].map(ruleObject),
      exportV4: exports[4].map(ruleObject),
      exportV6: exports[6].map(ruleObject),
    },
  }
}

function ruleObject(rule: RouteRule): MergePatch {
  const { action, prefix, isLearned, outgoing, peers, community, pathStart, priority, changes } = rule
  return {
    action: wordOf(ACTIONS, action),
    ...(prefix === undefined ? {} : { cidr: prefix.cidr, matchOperator: wordOf(OPERATORS, prefix.operator) }),
    ...optionalField('prefixLength', prefix?.lengths),
    ...optionalField('source', isLearned === undefined ? undefined : 'RemotePeers'),
    ...optionalField('interface', outgoing),
    ...optionalField('peerType', peers === undefined ? undefined : (wordOf(PEERS, peers) ?? undefined)),
    ...optionalField('communities', community === undefined ? undefined : { values: [communityText(community)] }),
    ...optionalField('asPathPrefix', pathStart),
    ...optionalField('priority', priority),
    ...optionalField('operations', changes.length === 0 ? undefined : changes.map(changeObject)),
  }
}

function changeObject(change: RouteChange): MergePatch {
  switch (change.kind) {
    case 'add-community':
      return { addCommunity: { value: communityText(change.community) } }
    case 'prepend':
      return { prependASPath: { prefix: change.asNumbers } }
    case 'priority':
      return { setPriority: { value: change.value } }
  }
}

function communityText(community: Community): string {
  return community.join(':')
}
