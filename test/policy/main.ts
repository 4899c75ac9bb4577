/**
 * `npm run test:policy`: what policies say, by the oracle, by the simulated pipeline and by packets through two real
 * switches with a tunnel between them. Then compilers that are broken on purpose, each of which must be caught.
 */
import pino from 'pino'
import { judge } from '../../src/network/policy/oracle.ts'
import { NODES } from '../tables/policy/objects.ts'
import { POLICY_CLUSTER } from '../tables/policy/simulated-cluster.ts'
import { calicoEntries, generatedEntries, tableEntries } from './cases.ts'
import { BrokenPlanner, MUTATIONS } from './mutations.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import { Progress } from './progress.ts'
import { RealSwitches } from './real.ts'
import { type Entry, runCases, type Tally, type Wrong } from './run.ts'
import { shrink } from './shrink.ts'
import { disagreementWords, policyWords, repeatLine } from './words.ts'

/** As many disagreements are made small and shown; the rest are counted. */
const SHOWN = 5
/** Generated cases that broken compilers are tried on, after the table. */
const MUTATION_CASES = 40
/** Connections asked about in each world that a broken compiler is tried on. */
const MUTATION_CONNECTIONS = 100

const options = readOptions(process.argv.slice(2))
if (options === undefined) process.stdout.write(USAGE)
else process.exit(await run(options))

async function run(chosen: Options): Promise<number> {
  const real = await RealSwitches.start(POLICY_CLUSTER, NODES, pino({ level: 'warn' }))
  try {
    let failures = 0
    if (chosen.table) failures += await judged(real, 'the table', tableEntries(), 0)
    if (chosen.calico >= 0) {
      const entries = calicoEntries(chosen.calico, chosen.seed)
      failures += await judged(real, 'policies of Calico', entries, chosen.connections)
    }
    if (chosen.cases > 0)
      failures += await judged(real, 'generated cases', generatedEntries(chosen), chosen.connections)
    if (chosen.mutations) failures += await mutated(real, chosen)
    say(failures === 0 ? 'policies: all engines agree' : `policies: ${failures} wrong`)
    return failures === 0 ? 0 : 1
  } finally {
    await real.stop()
  }
}

/** Runs cases through all engines. Returns how many worlds they disagree about. */
async function judged(
  real: RealSwitches,
  title: string,
  entries: readonly Entry[],
  connections: number,
): Promise<number> {
  const progress = new Progress(title, entries.length)
  let told = 0
  const tally = await runCases(real, entries, { connections, simulated: true }, ({ cases, wrong }) => {
    progress.at(cases, wrong.length)
    for (const one of wrong.slice(told)) {
      progress.end()
      say(`✗ ${one.entry.label}: ${firstWords(one)}; more at the end`)
    }
    told = wrong.length
  })
  progress.end()
  say(`${title}: ${tallyWords(tally)}`)
  for (const wrong of tally.wrong.slice(0, SHOWN)) await explain(real, wrong)
  if (tally.wrong.length > SHOWN) say(`  and ${tally.wrong.length - SHOWN} more`)
  return tally.wrong.length
}

function firstWords({ disagreements: [first], others }: Wrong): string {
  return first === undefined ? (others[0] ?? '') : disagreementWords(first)
}

function tallyWords(tally: Tally): string {
  const { cases, worlds, asked, followed, simulated, milliseconds, lostOnce, late, outdated, wrong } = tally
  const rate = Math.round((asked + followed) / (milliseconds / 1000))
  return [
    `${cases} cases, ${worlds} worlds`,
    `${asked} connections by packets, ${followed} later packets and answers, ${simulated} connections simulated`,
    `${(milliseconds / 1000).toFixed(1)} s (${rate} packets/s, simulation included)`,
    `${lostOnce} lost once and not again, ${late} late, ${outdated} by flows that had just gone and not again`,
    `${wrong.length} disagreements`,
  ].join('; ')
}

/** Says what is wrong with a world, with as few policies as it takes. */
async function explain(real: RealSwitches, { entry, world, disagreements, others }: Wrong): Promise<void> {
  say(`\n✗ ${entry.label}`)
  for (const text of others.slice(0, 3)) say(`  ${text}`)
  const first = disagreements[0]
  for (const one of disagreements.slice(0, 3)) say(`  ${disagreementWords(one)}`)
  if (disagreements.length > 3) say(`  and ${disagreements.length - 3} more connections`)
  if (first?.moment === 'first packet') {
    const { connection } = first
    const isWrong = async (policies: Wrong['world']['policies']): Promise<boolean> => {
      const smaller = { ...world, policies }
      await real.begin()
      await real.become(smaller, 'policies-first')
      const { allowed } = await real.ask([connection])
      return allowed[0] !== judge(smaller, connection).allowed
    }
    if (await isWrong(world.policies)) {
      say('  with these policies alone:')
      for (const line of (await shrink(world.policies, isWrong)).flatMap(policyWords)) say(`    ${line}`)
    } else say('  not when the switches begin with this world: it takes the cases before')
  }
  say(`  again: ${repeatLine(entry.repeat)}`)
}

/** Tries each broken compiler. Returns how many nobody caught. */
async function mutated(real: RealSwitches, { seed }: Options): Promise<number> {
  const entries = [...tableEntries(), ...generatedEntries({ seed, cases: MUTATION_CASES })]
  const extent = { connections: MUTATION_CONNECTIONS, simulated: false }
  const progress = new Progress('broken compilers', MUTATIONS.length)
  const lines: string[] = []
  let missed = 0
  for (const [i, mutation] of MUTATIONS.entries()) {
    const make = (context: ConstructorParameters<typeof BrokenPlanner>[0]) => new BrokenPlanner(context, mutation)
    const { wrong, cases } = await runCases(real, entries, extent, () => undefined, make)
    const caught = new Set(wrong.map(({ entry }) => entry)).size
    if (caught === 0) missed += 1
    lines.push(`${caught === 0 ? '✗' : '✓'} ${mutation.name}: caught by ${caught} of ${cases} cases`)
    progress.at(i + 1, missed)
  }
  progress.end()
  say(`\nbroken compilers: ${MUTATIONS.length - missed} of ${MUTATIONS.length} caught`)
  for (const line of lines) say(`  ${line}`)
  return missed
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
