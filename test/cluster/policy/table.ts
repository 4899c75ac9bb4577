/**
 * Cases of policies on a real cluster, one after the other: everybody asks everybody, until all is as the oracle says of
 * the objects that the API server has, and as the table says that it should be.
 * @module
 */
import type { Pod } from '../../../src/network/model/pod.ts'
import { caseOf, type E2eCase, isExpected, type Stage } from '../../tables/policy/e2e.ts'
import { podKey, worldsOf } from '../../tables/policy/world.ts'
import type { Cluster } from '../cluster.ts'
import type { Report } from '../report.ts'
import { type ApiWorld, readWorld } from './api-world.ts'
import { Prober } from './prober.ts'
import { oracleSays, type Question, questionsOf, textOf } from './questions.ts'
import { NOTHING, type Parts, steer } from './steering.ts'

/** So long everything may take to be as it should be: a busy machine is no policy. */
const PATIENCE = 60_000
/** So many of what was not are shown. */
const SHOWN = 6

/** A pod, what it asks, and what should come of it. */
interface Asker {
  readonly prober: Prober
  readonly questions: readonly Question[]
  readonly expected: readonly boolean[]
}

/** What became of a stage. */
interface Outcome {
  readonly asked: number
  readonly denied: number
  /** From kubectl's end until all was as it should be, in milliseconds; undefined when it never was. */
  readonly milliseconds: number | undefined
  readonly wrong: readonly string[]
  /** Where the oracle, with the objects of the API server, does not say what the table says. */
  readonly disagreements: readonly string[]
}

/** Runs cases. Always `stop()` it. */
export class Table {
  readonly #rig: Cluster
  readonly #probers = new Map<string, Prober>()
  readonly #milliseconds: number[] = []
  #parts: Parts = NOTHING
  #world: ApiWorld | undefined
  #asked = 0

  constructor(rig: Cluster) {
    this.#rig = rig
  }

  /** What the API server had after the last stage. */
  get world(): ApiWorld {
    if (this.#world === undefined) throw new Error('no case was run yet')
    return this.#world
  }

  /** Runs a case, and writes a line. */
  async run(one: E2eCase, report: Report): Promise<void> {
    const outcomes: { readonly stage: Stage; readonly outcome: Outcome }[] = []
    for (const [i, parts] of worldsOf(caseOf(one)).entries()) {
      const stage = one.stages[i]
      if (stage !== undefined) outcomes.push({ stage, outcome: await this.#stage(stage, parts) })
    }
    const sum = (count: (outcome: Outcome) => number): number =>
      outcomes.reduce((all, { outcome }) => all + count(outcome), 0)
    const isRight = ({ milliseconds, disagreements }: Outcome): boolean =>
      milliseconds !== undefined && disagreements.length === 0
    const times = outcomes.map(({ outcome: { milliseconds } }) => milliseconds ?? '∞').join(', ')
    report.check(
      outcomes.every(({ outcome }) => isRight(outcome)),
      `${one.name}: ${sum(({ asked }) => asked)} asked, ${sum(({ denied }) => denied)} denied, after ${times} ms`,
    )
    for (const { stage, outcome } of outcomes.filter((all) => !isRight(all.outcome))) {
      report.note(`${stage.about}:`)
      for (const line of [...outcome.disagreements, ...outcome.wrong].slice(0, SHOWN)) report.note(`  ${line}`)
    }
  }

  /** Takes all policies away, and says how long things took. */
  async sumUp(report: Report): Promise<void> {
    await this.clear()
    const sorted = this.#milliseconds.toSorted((a, b) => a - b)
    const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
    const times = `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms`
    report.note(`${sorted.length} changes, ${this.#asked} questions; from kubectl’s end until all was right: ${times}`)
  }

  /** Takes all policies of cases away. */
  async clear(): Promise<void> {
    const parts = { ...this.#parts, policies: [] }
    await steer(this.#rig, this.#parts, parts, this.world)
    this.#parts = parts
    this.#world = await readWorld(this.#rig)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#probers.values()].map((prober) => prober.stop()))
  }

  async #stage(stage: Stage, parts: Parts): Promise<Outcome> {
    const known = this.#world ?? (await readWorld(this.#rig))
    const { at, remade } = await steer(this.#rig, this.#parts, parts, known)
    this.#parts = parts
    const world = remade.length > 0 ? await readWorld(this.#rig) : known
    await this.#renew(remade)
    const pods = parts.pods.flatMap((pod) => world.pods.filter((one) => podKey(one) === podKey(pod)))
    const askers = pods.map((pod) => this.#askerOf(world, pod, pods, stage))
    for (const { prober, questions, expected } of askers) prober.aim(questions, expected)
    const [fresh] = await Promise.all([readWorld(this.#rig), settle(askers)])
    this.#world = fresh
    return this.#judge(askers, fresh, at)
  }

  #askerOf(world: ApiWorld, pod: Pod, pods: readonly Pod[], stage: Stage): Asker {
    const questions = questionsOf(world, pod, pods)
    const expected = questions.map(({ connection }) => isExpected(stage, connection))
    return { prober: this.#proberOf(pod), questions, expected }
  }

  #judge(askers: readonly Asker[], world: ApiWorld, at: number): Outcome {
    const ends = askers.map(({ prober }) => prober.matching?.at)
    const isRight = ends.every((end) => end !== undefined)
    const milliseconds = isRight ? Math.max(0, ...ends.map((end) => (end ?? 0) - at)) : undefined
    const wrong = askers.flatMap(({ prober, questions, expected }) => {
      const { results = '' } = prober.latest ?? {}
      if (prober.matching !== undefined) return []
      if (results === '')
        return [`nothing was heard of ${questions[0] === undefined ? 'nobody' : textOf(questions[0])}`]
      return questions.flatMap((question, i) =>
        results[i] === (expected[i] === true ? 'y' : 'n') ? [] : `${textOf(question)}: ${results[i]}`,
      )
    })
    const disagreements = askers.flatMap(({ questions, expected }) => {
      const said = oracleSays(
        world,
        questions.map((question) => fresh(question, world)),
      )
      return questions.flatMap((question, i) =>
        said[i] === expected[i] ? [] : `${textOf(question)}: the oracle says ${said[i] ? 'yes' : 'no'}`,
      )
    })
    for (const { prober } of askers) prober.aim([], [])
    const asked = askers.reduce((sum, { questions }) => sum + questions.length, 0)
    const denied = askers.reduce((sum, { expected }) => sum + expected.filter((one) => !one).length, 0)
    if (milliseconds !== undefined) this.#milliseconds.push(milliseconds)
    this.#asked += asked
    return { asked, denied, milliseconds, wrong, disagreements }
  }

  #proberOf(pod: Pod): Prober {
    const key = podKey(pod)
    const prober = this.#probers.get(key) ?? new Prober(this.#rig, pod)
    this.#probers.set(key, prober)
    return prober
  }

  /** Pods that are others have programs that are others. */
  async #renew(pods: readonly Pod[]): Promise<void> {
    for (const pod of pods) {
      await this.#probers.get(podKey(pod))?.stop()
      this.#probers.delete(podKey(pod))
      this.#proberOf(pod)
    }
  }
}

/** Waits until everybody heard what was expected, or patience ends. */
async function settle(askers: readonly Asker[]): Promise<void> {
  const end = performance.now() + PATIENCE
  while (performance.now() < end && askers.some(({ prober }) => prober.matching === undefined)) await Bun.sleep(20)
}

/** The question with its parties as the API server has them now: their labels may be others. */
function fresh(question: Question, { pods }: ApiWorld): Question {
  const { source, destination } = question.connection
  const now = <T extends typeof source>(party: T): T => {
    const pod = party.type === 'pod' ? pods.find((one) => podKey(one) === podKey(party.pod)) : undefined
    return pod === undefined ? party : { ...party, pod }
  }
  return { ...question, connection: { ...question.connection, source: now(source), destination: now(destination) } }
}
