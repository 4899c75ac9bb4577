/**
 * The cases of the tables as this tier runs them.
 * @module
 */
import { CALICO_CASES } from '../tables/calico/cases.ts'
import { generatedWorlds } from '../tables/calico/generate.ts'
import { isAllowed } from '../tables/calico/oracle.ts'
import { calicoWorldOf, callOf, type Written, weftWorldOf } from '../tables/calico/world.ts'
import { caseOf, isExpected } from '../tables/policy/e2e.ts'
import { E2E_CASES } from '../tables/policy/e2e-cases.ts'
import { generatedCases } from '../tables/policy/generate.ts'
import { CONFLICTS } from './conflicts.ts'
import type { Options } from './options.ts'
import type { Entry } from './run.ts'

const TABLE_ALONE = '--cases 0 --no-mutations'

/** The table of the e2e suite with what it expects, and policies that contradict each other. */
export function tableEntries(): readonly Entry[] {
  return [
    ...e2eEntries(),
    ...CONFLICTS.map((one, seed) => ({ label: one.name, seed, repeat: TABLE_ALONE, policyCase: one })),
  ]
}

function e2eEntries(): readonly Entry[] {
  return E2E_CASES.map((one, seed) => ({
    label: one.name,
    seed,
    repeat: TABLE_ALONE,
    policyCase: caseOf(one),
    expects: (world, connection) => {
      const stage = one.stages[world]
      if (stage === undefined) throw new Error(`${one.name} has no stage ${world}`)
      return isExpected(stage, connection)
    },
  }))
}

/** Policies of Calico: the table, and worlds made at random, with what an oracle of their own expects. */
export function calicoEntries(count: number, seed: number): readonly Entry[] {
  const table = CALICO_CASES.map(({ name, allowed: _, denied: __, ...written }) => ({ name, written }))
  const generated = generatedWorlds(count, seed).map((written, i) => ({ name: `world ${i} of seed ${seed}`, written }))
  return [...table, ...generated].map(({ name, written }, at) => {
    const all: Written = { calico: [], kubernetes: [], sets: [], ...written }
    const calico = calicoWorldOf(all)
    return {
      label: `Calico: ${name}`,
      seed: at,
      repeat: `--cases 0 --no-table --no-mutations --calico ${count} --seed ${seed}`,
      policyCase: { name, start: weftWorldOf(all), changes: [] },
      expects: (_world, connection) => isAllowed(calico, callOf(connection)),
    }
  })
}

/** Generated cases, numbered from 0. */
export function generatedEntries({ cases, seed, only }: Pick<Options, 'cases' | 'seed' | 'only'>): readonly Entry[] {
  const [first, last] = only ?? [0, cases - 1]
  return generatedCases(last + 1, seed)
    .map((policyCase, i) => ({
      label: `generated case ${i} of seed ${seed}: ${policyCase.name}`,
      seed: i,
      repeat: `--seed ${seed} --only ${i}`,
      policyCase,
    }))
    .slice(first)
}
