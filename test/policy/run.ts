/**
 * Runs cases through all engines and counts: what the oracle says, the simulated pipeline must say, and real switches do.
 * @module
 */
import { judge } from '../../src/network/policy/oracle.ts'
import type { Connection } from '../../src/network/policy/verdict.ts'
import { connectionsOf, otherConnections, podConnections, someOf, textOf } from '../tables/policy/connections.ts'
import { oracleEngine } from '../tables/policy/engine.ts'
import { SimulatedCluster } from '../tables/policy/simulated-cluster.ts'
import { type PolicyCase, type World, worldsOf } from '../tables/policy/world.ts'
import type { MakePlanner, RealSwitches } from './real.ts'
import { Court, type Disagreement } from './trial.ts'

/** A case to be run. */
export interface Entry {
  /** Which it is, for people. */
  readonly label: string
  /** Chooses among the connections: the same ones whenever the case is run. */
  readonly seed: number
  /** Arguments of the tier that run it alone. */
  readonly repeat: string
  readonly policyCase: PolicyCase
  /** What a table says about a connection between pods in the n-th world, besides the oracle. */
  readonly expects?: (world: number, connection: Connection) => boolean
}

/** How much is asked. */
export interface Extent {
  /** Connections of each world; 0: all between pods, and {@link OTHERS} of the rest. */
  readonly connections: number
  /** Whether the simulated pipeline is asked too. */
  readonly simulated: boolean
}

/** A world about which engines disagree. */
export interface Wrong {
  readonly entry: Entry
  readonly world: World
  /** Of the real switches with the oracle. */
  readonly disagreements: readonly Disagreement[]
  /** Of anybody else, for people. */
  readonly others: readonly string[]
}

/** What was counted. */
export interface Tally {
  cases: number
  worlds: number
  asked: number
  followed: number
  lostOnce: number
  late: number
  outdated: number
  simulated: number
  milliseconds: number
  readonly wrong: Wrong[]
}

/** Of connections with nodes and the world outside, beside all of those between pods. */
const OTHERS = 120
const LARGE_PRIME = 7_919
/** Every so many cases the switches begin anew: in between their plans only change by what is different. */
const FRESH = 40

/** Runs cases. `make` makes the planners. */
export async function runCases(
  real: RealSwitches,
  entries: Iterable<Entry>,
  extent: Extent,
  onCase: (tally: Tally) => void,
  make?: MakePlanner,
): Promise<Tally> {
  const tally = {
    cases: 0,
    worlds: 0,
    asked: 0,
    followed: 0,
    lostOnce: 0,
    late: 0,
    outdated: 0,
    simulated: 0,
    milliseconds: 0,
    wrong: [],
  }
  const start = performance.now()
  const court = new Court(real)
  for (const entry of entries) {
    if (tally.cases % FRESH === 0) {
      court.clear()
      await real.begin(make)
    }
    await runCase(court, entry, extent, tally)
    tally.cases += 1
    tally.milliseconds = performance.now() - start
    onCase(tally)
  }
  return tally
}

async function runCase(court: Court, entry: Entry, { connections, simulated }: Extent, tally: Tally): Promise<void> {
  const pipeline = simulated ? new SimulatedCluster() : undefined
  const order = tally.cases % 2 === 0 ? 'policies-first' : 'pods-first'
  for (const [i, world] of worldsOf(entry.policyCase).entries()) {
    const asked = questions(world, connections, entry.seed + i * LARGE_PRIME)
    const outcome = await court.try({ name: entry.label, world, connections: asked }, order)
    const others = [...outcome.strays]
    if (pipeline !== undefined) {
      follow(pipeline, entry.policyCase, i)
      others.push(...disagreementsOf(pipeline, world, asked))
      tally.simulated += asked.length
    }
    others.push(...contradictions(entry, i, world, asked))
    tally.worlds += 1
    tally.asked += outcome.asked
    tally.followed += outcome.followed
    tally.lostOnce += outcome.lostOnce
    tally.late += outcome.late
    tally.outdated += outcome.outdated
    if (outcome.disagreements.length + others.length > 0) {
      tally.wrong.push({ entry, world, disagreements: outcome.disagreements, others })
    }
  }
}

function questions(world: World, count: number, seed: number): readonly Connection[] {
  if (count > 0) return someOf(connectionsOf(world), count, seed)
  return [...podConnections(world), ...someOf(otherConnections(world), OTHERS, seed)]
}

function follow(pipeline: SimulatedCluster, { start, changes }: PolicyCase, i: number): void {
  if (i === 0) pipeline.start(start)
  for (const step of i === 0 ? [] : (changes[i - 1]?.steps ?? [])) pipeline.apply(step)
}

function disagreementsOf(pipeline: SimulatedCluster, world: World, asked: readonly Connection[]): readonly string[] {
  const oracle = oracleEngine()
  oracle.start(world)
  try {
    const [said, seen] = [oracle.verdicts(asked), pipeline.verdicts(asked)] as (readonly boolean[])[]
    const wrong = asked.filter((_, i) => said?.[i] !== seen?.[i])
    return wrong.map((connection) => `the simulated pipeline decides otherwise: ${textOf(connection)}`)
  } catch (error) {
    return [`the simulated pipeline: ${error instanceof Error ? error.message : String(error)}`]
  }
}

/** Where the table itself has another idea than the oracle. */
function contradictions({ expects }: Entry, i: number, world: World, asked: readonly Connection[]): readonly string[] {
  if (expects === undefined) return []
  const between = asked.filter(({ source, destination }) => source.type === 'pod' && destination.type === 'pod')
  const wrong = between.filter((connection) => expects(i, connection) !== judge(world, connection).allowed)
  return wrong.map((connection) => `the table expects otherwise: ${textOf(connection)}`)
}
