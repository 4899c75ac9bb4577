/**
 * What names an interface's pools: the first of these that does, and none of the others (Spiderpool 1.2,
 * `docs/usage/spider-ippool`): SpiderSubnets of the pod, its pools by interface, its pools, its namespace's, the
 * network configuration's, those that are marked as default.
 * @module
 */
import { cniError } from '../../../cni/errors.ts'
import type { Family } from '../../../network/model/address.ts'
import {
  type InterfaceWish,
  IPPOOL,
  IPPOOLS,
  type NamesByFamily,
  parseByInterface,
  parseForAll,
  parseNamespaceDefaults,
  SUBNET,
  SUBNETS,
} from './annotations.ts'
import { poolsOfApplication } from './application-pools.ts'
import type { KnownPools, PoolQuestion, PoolSource, SelectionSettings } from './question.ts'

/** Pools that something names, of a family. */
export interface Named {
  readonly family: Family
  readonly names: readonly string[]
}

/** What named pools, and which; only families that it names any of. */
export interface NamedPools {
  readonly source: PoolSource
  readonly lists: readonly Named[]
  /** Absent: as the network's configuration has it. */
  readonly hasCleanGateway?: boolean
}

/** The pools that the first source names. Throws what is wrong with that source. */
export function namedPools(question: PoolQuestion, pools: KnownPools, settings: SelectionSettings): NamedPools {
  const named =
    bySubnet(question, pools, settings) ??
    byInterface(question) ??
    ofPod(question) ??
    ofNamespace(question) ??
    ofConfiguration(question) ??
    byDefault(pools, settings)
  const off = named.lists.find(({ family }) => !settings.families.has(family))
  if (off === undefined) return named
  throw cniError('pool-family-disabled', {
    source: SOURCE_TEXTS[named.source],
    family: off.family,
    ifname: question.ifname,
  })
}

/** Sources as people know them. */
export const SOURCE_TEXTS: { readonly [S in PoolSource]: string } = {
  subnets: `annotation ${SUBNETS} of the pod`,
  subnet: `annotation ${SUBNET} of the pod`,
  ippools: `annotation ${IPPOOLS} of the pod`,
  ippool: `annotation ${IPPOOL} of the pod`,
  namespace: 'annotation of the namespace',
  configuration: 'network configuration',
  'default pools': 'spec.default of pools',
}

function bySubnet(
  question: PoolQuestion,
  pools: KnownPools,
  { hasSubnets }: SelectionSettings,
): NamedPools | undefined {
  const { wishes = {} } = question.pod
  const annotation = wishes[SUBNETS] === undefined ? SUBNET : SUBNETS
  const text = wishes[annotation]
  // What is not said by interface is of the pod's first.
  if (text === undefined || (annotation === SUBNET && question.ordinal > 0)) return undefined
  if (!hasSubnets)
    throw cniError('annotation-invalid', { annotation, field: 'value', expected: 'SpiderSubnets are off' })
  const names =
    annotation === SUBNETS
      ? wishOf(annotation, parseByInterface(annotation, text), question).names
      : parseForAll(annotation, text)
  const source = annotation === SUBNETS ? 'subnets' : 'subnet'
  return { source, lists: poolsOfApplication(annotation, names, question, pools) }
}

function byInterface(question: PoolQuestion): NamedPools | undefined {
  const text = question.pod.wishes?.[IPPOOLS]
  if (text === undefined) return undefined
  const { names, hasCleanGateway } = wishOf(IPPOOLS, parseByInterface(IPPOOLS, text), question)
  const lists = listsOf(names)
  return { source: 'ippools', lists, ...(hasCleanGateway === undefined ? {} : { hasCleanGateway }) }
}

function ofPod({ pod }: PoolQuestion): NamedPools | undefined {
  const text = pod.wishes?.[IPPOOL]
  return text === undefined ? undefined : { source: 'ippool', lists: listsOf(parseForAll(IPPOOL, text)) }
}

function ofNamespace({ namespace: { name, defaultPools } }: PoolQuestion): NamedPools | undefined {
  const read = (family: Family, text: string | undefined): readonly string[] =>
    text === undefined ? [] : parseNamespaceDefaults(family, name, text)
  const lists = listsOf({ 4: read(4, defaultPools?.ipv4), 6: read(6, defaultPools?.ipv6) })
  return lists.length === 0 ? undefined : { source: 'namespace', lists }
}

function ofConfiguration({ defaults }: PoolQuestion): NamedPools | undefined {
  const lists = listsOf(defaults)
  return lists.length === 0 ? undefined : { source: 'configuration', lists }
}

/** Only these are not asked for by anybody: a family that is off has none. */
function byDefault(pools: KnownPools, { families }: SelectionSettings): NamedPools {
  const marked = [...pools.values()].filter(({ isDefault, family }) => isDefault && families.has(family))
  const named = (family: Family): readonly string[] =>
    marked
      .filter((pool) => pool.family === family)
      .map(({ name }) => name)
      .toSorted()
  return { source: 'default pools', lists: listsOf({ 4: named(4), 6: named(6) }) }
}

/** The item for an interface: the one with its name, or, where none has a name, the one in its place. */
function wishOf(
  annotation: typeof IPPOOLS | typeof SUBNETS,
  wishes: readonly InterfaceWish[],
  { ifname, ordinal }: PoolQuestion,
): InterfaceWish {
  const isNamed = wishes[0]?.ifname !== undefined
  const wish = isNamed ? wishes.find((one) => one.ifname === ifname) : wishes[ordinal]
  if (wish !== undefined) return wish
  throw cniError('annotation-invalid', {
    annotation,
    field: isNamed ? 'interface' : `[${ordinal}]`,
    expected: `interface ${ifname} must be specified`,
  })
}

function listsOf(names: NamesByFamily): readonly Named[] {
  return ([4, 6] as const)
    .map((family) => ({ family, names: names[family] }))
    .filter(({ names: { length } }) => length > 0)
}
