/** The short form of `npm run test:policy`: fewer connections of each case, and forty generated cases. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import pino from 'pino'
import { NODES } from '../tables/policy/objects.ts'
import { POLICY_CLUSTER } from '../tables/policy/simulated-cluster.ts'
import { calicoEntries, generatedEntries, tableEntries } from './cases.ts'
import { BrokenPlanner, MUTATIONS } from './mutations.ts'
import { RealSwitches } from './real.ts'
import { type Entry, runCases, type Tally } from './run.ts'
import { disagreementWords, repeatLine } from './words.ts'

const PATIENCE = 300_000
const GENERATED = 40
/** Made at random, after the table. */
const CALICO_WORLDS = 20
/** Of each world; the other engines are compared with the oracle by tests of their own. */
const EXTENT = { connections: 100, simulated: false }
/** A broken compiler that these few cases catch. */
const BROKEN = MUTATIONS.find(({ flow, name }) => flow !== undefined && name.startsWith('isolation of receivers'))

let real: RealSwitches

beforeAll(async () => {
  real = await RealSwitches.start(POLICY_CLUSTER, NODES, pino({ level: 'warn' }))
}, PATIENCE)

afterAll(() => real?.stop(), PATIENCE)

test('packets through two switches go the way of the table', () => agree(tableEntries()), PATIENCE)

test(
  'packets through two switches go the way of the oracle',
  () => agree(generatedEntries({ cases: GENERATED, seed: 1 })),
  PATIENCE,
)

test(
  'packets through two switches go the way of the oracle of Calico’s policies',
  () => agree(calicoEntries(CALICO_WORLDS, 1)),
  PATIENCE,
)

test(
  'a broken compiler is caught',
  async () => {
    if (BROKEN === undefined) throw new Error('there is no such mutation')
    const make = (context: ConstructorParameters<typeof BrokenPlanner>[0]) => new BrokenPlanner(context, BROKEN)
    const tally = await runCases(real, tableEntries().slice(0, 8), EXTENT, () => undefined, make)
    expect(tally.wrong.length).toBeGreaterThan(0)
  },
  PATIENCE,
)

async function agree(entries: readonly Entry[]): Promise<void> {
  const tally = await runCases(real, entries, EXTENT, () => undefined)
  expect(tally.cases).toBe(entries.length)
  expect(wordsOf(tally)).toEqual([])
}

function wordsOf({ wrong }: Tally): readonly string[] {
  return wrong.flatMap(({ entry, disagreements, others }) => [
    `${entry.label}: ${[...disagreements.map(disagreementWords), ...others].slice(0, 3).join('; ')}`,
    repeatLine(entry.repeat),
  ])
}
