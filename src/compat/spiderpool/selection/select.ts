/**
 * Which pools an interface's addresses come from: the first source that names any counts, alone. The answer explains
 * itself: what was considered, and why each pool is not taken from.
 * @module
 */
import type { Family } from '../../../network/model/address.ts'
import type { AddressPool } from '../../../network/model/pool.ts'
import { definitionOf } from './definition.ts'
import { type InterfaceFacts, objectionTo } from './filter.ts'
import { applicationLabels, topOwner } from './owner.ts'
import { isPattern, parsePattern } from './pattern.ts'
import type {
  FamilyChoice,
  FilteredPool,
  KnownPools,
  PoolQuestion,
  PoolSelection,
  SelectionSettings,
} from './question.ts'
import { type Named, namedPools } from './sources.ts'

/** The pools for an interface. Throws what is wrong with what asks for them; that no pool is left is no error here. */
export function selectPools(question: PoolQuestion, pools: KnownPools, settings: SelectionSettings): PoolSelection {
  const { source, hasCleanGateway = question.hasCleanGateway, lists } = namedPools(question, pools, settings)
  const facts: InterfaceFacts = {
    question,
    installNamespace: settings.installNamespace,
    application: applicationLabels(question.pod, topOwner(question.pod)),
    definition: once(() => definitionOf(question, settings)),
    problemOf: (name) => pools.problemOf(name),
  }
  return { source, hasCleanGateway, choices: lists.map((list) => choiceOf(list, pools, facts)) }
}

function choiceOf({ family, names }: Named, pools: KnownPools, facts: InterfaceFacts): FamilyChoice {
  const filtered: FilteredPool[] = []
  const candidates: AddressPool[] = []
  for (const name of new Set(names.flatMap((one) => expand(one, family, pools)))) {
    const pool = pools.get(name)
    const reason = pool === undefined ? absence(name) : objectionTo(pool, family, facts)
    if (reason !== undefined) filtered.push({ pool: name, reason })
    else if (pool !== undefined) candidates.push(pool)
  }
  return { family, named: names, candidates: candidates.toSorted(byDemands), filtered }
}

/** A pattern as the names of the family's pools that it matches, in order; itself where it matches none. */
function expand(name: string, family: Family, pools: KnownPools): readonly string[] {
  if (!isPattern(name)) return [name]
  const pattern = parsePattern(name)
  const all = [...pools.values()].filter((pool) => pool.family === family && pattern?.(pool.name) === true)
  return all.length === 0 ? [name] : all.map((pool) => pool.name).toSorted()
}

function absence(name: string): string {
  return isPattern(name) ? 'matches no pool' : 'does not exist'
}

/** Pools that ask for more go first; else the order stays as the user wrote it. */
function byDemands(a: AddressPool, b: AddressPool): number {
  const [ours, theirs] = [demandsOf(a), demandsOf(b)]
  const at = ours.findIndex((demand, index) => demand !== theirs[index])
  return at < 0 ? 0 : ours[at] === true ? -1 : 1
}

/** From the one that counts most. */
function demandsOf(pool: AddressPool): readonly boolean[] {
  return [
    pool.podSelector !== undefined,
    pool.nodes.length > 0,
    pool.nodeSelector !== undefined,
    pool.namespaces.length > 0,
    pool.namespaceSelector !== undefined,
    pool.definitions.length > 0,
  ]
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
