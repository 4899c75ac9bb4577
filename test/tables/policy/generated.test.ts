/** Cases made at random, run by the oracle and by the simulated pipeline of two nodes. */
import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Flow } from '../../../src/flow/flow.ts'
import { policyKey } from '../../../src/network/model/policy.ts'
import { hashKey, parseCookie } from '../../../src/network/pipeline/cookie.ts'
import type { DropName } from '../../../src/network/pipeline/drops.ts'
import type { NodePlanner } from '../../../src/network/planner.ts'
import { judge, partyOf } from '../../../src/network/policy/oracle.ts'
import { ruleKey } from '../../../src/network/policy/rule-names.ts'
import type { Connection, Decision, Verdict } from '../../../src/network/policy/verdict.ts'
import { drawnFrom, textOf } from './connections.ts'
import { policyCases } from './generate.ts'
import { type Call, type Outcome, SimulatedCluster } from './simulated-cluster.ts'
import { type PolicyCase, type World, worldsOf } from './world.ts'

/** The same cases every time; another seed makes others. `npm run test:policy` runs thousands, with packets, too. */
const SEED = Number(process.env.WEFT_POLICY_SEED ?? 5)
const CASES = Number(process.env.WEFT_POLICY_CASES ?? 100)
const QUESTIONS = 30
/** Machines are busy at times. */
const LONG = 300_000

test(
  'whether a connection is allowed, by which rule it is not, and whether its answers arrive',
  () => {
    const asked = { allowed: 0, denied: 0 }
    check(CASES, (one, cluster) => {
      for (const [i, world] of worldsThrough(one, cluster)) {
        for (const connection of drawnFrom(world, QUESTIONS, i + 1)) {
          const verdict = judge(world, connection)
          const call = cluster.call(connection)
          const outcome = cluster.send(call, 'question')
          complain(one, i, connection, verdict, outcome)
          if (verdict.allowed) complain(one, i, connection, verdict, cluster.send(call, 'answer'))
          asked[verdict.allowed ? 'allowed' : 'denied'] += 1
        }
      }
    })
    expect(Math.min(asked.allowed, asked.denied)).toBeGreaterThan(CASES)
  },
  LONG,
)

test(
  'connections that stand are cut in both directions when they are no longer allowed, and go on when they are',
  () => {
    const seen = { cut: 0, kept: 0 }
    check(Math.floor(CASES / 5), (one, cluster) => {
      let standing: readonly Call[] = []
      for (const [i, world] of worldsThrough(one, cluster)) {
        standing = standing.filter(({ connection }) => isThere(world, connection))
        for (const call of standing) {
          const verdict = judge(world, asOf(world, call.connection))
          complain(one, i, call.connection, verdict, cluster.send(call, 'question'))
          const answer = cluster.send(call, 'answer')
          const expected: Outcome['kind'] = verdict.allowed ? 'arrived' : 'dropped'
          if (answer.kind !== expected) throw new Error(`${textOf(call.connection)}: an answer has ${answer.kind}`)
          seen[verdict.allowed ? 'kept' : 'cut'] += 1
        }
        const fresh = drawnFrom(world, QUESTIONS, i + 1).map((connection) => cluster.call(connection))
        const opened = fresh.filter((call) => cluster.send(call, 'question').kind === 'arrived')
        standing = [...standing, ...opened.filter((call) => cluster.send(call, 'answer').kind === 'arrived')]
      }
    })
    expect(seen.cut).toBeGreaterThan(0)
    expect(seen.kept).toBeGreaterThan(CASES)
  },
  LONG,
)

test(
  'a plan kept event by event is the plan made from scratch, whatever came first, and what changed is told',
  () => {
    check(Math.floor(CASES / 5), (one, cluster) => {
      const told = new Map<NodePlanner, Map<string, string>>()
      for (const [, world] of worldsThrough(one, cluster)) {
        const anew = new SimulatedCluster()
        anew.start(world, 'policies-first')
        for (const [name, planner] of cluster.planners) {
          const kept = planner.flows()
          const plan = textsOf(kept)
          expectSame(plan, textsOf(anew.planners.get(name)?.flows() ?? []))
          expect(new Set(kept.map(rowOf)).size).toBe(kept.length)
          const switchHas = told.get(planner) ?? new Map()
          told.set(planner, switchHas)
          applyChanges(switchHas, planner)
          expectSame([...switchHas.values()].sort(), plan)
        }
      }
    })
  },
  LONG,
)

/** The comparison of long lists is dear: only where they differ. */
function expectSame(one: readonly string[], other: readonly string[]): void {
  if (one.length !== other.length || one.some((text, i) => text !== other[i])) {
    expect(one.filter((text) => !other.includes(text))).toEqual(other.filter((text) => !one.includes(text)))
  }
}

/** What a switch has after it was told of the changes. */
function applyChanges(rows: Map<string, string>, planner: NodePlanner): void {
  const changes = planner.take()
  for (const { before } of changes) for (const flow of before.flows) rows.delete(rowOf(flow))
  for (const { after } of changes) for (const flow of after.flows) rows.set(rowOf(flow), textOfFlow(flow))
}

/** Runs cases; one that fails is made as small as it still fails. */
function check(cases: number, run: (one: PolicyCase, cluster: SimulatedCluster) => void): void {
  const property = fc.property(policyCases(), (one) => run(one, new SimulatedCluster()))
  const { failed, errorInstance, counterexamplePath } = fc.check(property, { seed: SEED, numRuns: cases })
  if (!failed) return
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance)
  throw new Error(`${why}\nfast-check: seed ${SEED}, path ${counterexamplePath}`)
}

/** The worlds of a case; the cluster is told of what changes from one to the next. */
function* worldsThrough(one: PolicyCase, cluster: SimulatedCluster): Generator<readonly [number, World]> {
  cluster.start(one.start)
  for (const [i, world] of worldsOf(one).entries()) {
    for (const step of i === 0 ? [] : (one.changes[i - 1]?.steps ?? [])) cluster.apply(step)
    yield [i, world]
  }
}

function complain(one: PolicyCase, i: number, connection: Connection, verdict: Verdict, outcome: Outcome): void {
  const told = outcome.kind === 'lost' ? outcome.why : outcome.kind === 'dropped' ? outcome.drop : outcome.kind
  const { endings, rule } = expectedOf(verdict)
  const why = (sentence: string) =>
    new Error(`world ${i}: ${textOf(connection)} ${sentence}\n${JSON.stringify(worldsOf(one)[i]?.policies)}`)
  if (!endings.includes(told)) throw why(`is to end as ${endings.join(' or ')}, not ${told}`)
  if (rule === undefined || outcome.kind !== 'dropped') return
  if (parseCookie(outcome.cookie)?.hash !== hashKey(rule)) throw why(`is not denied by ${rule}`)
}

/** How a packet of a connection is to end, and the fragment of the rule that is to deny it. */
function expectedOf({ egress, ingress }: Verdict): { readonly endings: readonly string[]; readonly rule?: string } {
  if (!egress.allowed) return endOf(egress, 'egress')
  return ingress.allowed ? { endings: ['arrived'] } : endOf(ingress, 'ingress')
}

function endOf(decision: Decision, direction: 'egress' | 'ingress'): ReturnType<typeof expectedOf> {
  if (decision.because === 'firewall') return { endings: FIREWALL }
  if (decision.because !== 'rule') return { endings: [`${direction}-isolated`] }
  const { policy, index, tier } = decision.rule
  const rule = ruleKey(policyKey(policy), direction, index)
  return { endings: [tier === 'firewall' ? 'firewall-denied' : `${direction}-denied`], rule }
}

const FIREWALL: readonly DropName[] = ['firewall-ambiguous', 'firewall-unresolved']

/** The same connection, between what its ends are now. */
function asOf(world: World, connection: Connection): Connection {
  const { source, destination } = connection
  return {
    ...connection,
    source: partyOf(world, source.address),
    destination: partyOf(world, destination.address),
  }
}

/** Whether both ends are who they were. */
function isThere({ pods }: World, { source, destination }: Connection): boolean {
  return [source, destination].every(
    (party) =>
      party.type !== 'pod' ||
      pods.some(({ uid, addresses }) => uid === party.pod.uid && addresses.includes(party.address)),
  )
}

function textsOf(flows: readonly Flow[]): readonly string[] {
  return flows.map(textOfFlow).sort()
}

/** Fragments that did not change keep their flows. */
const TEXTS = new WeakMap<Flow, string>()

function textOfFlow(flow: Flow): string {
  const text = TEXTS.get(flow) ?? textOfValue(flow)
  TEXTS.set(flow, text)
  return text
}

function textOfValue(value: unknown): string {
  return JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part))
}

function rowOf({ table, priority, match }: Flow): string {
  return textOfValue([table, priority, Object.entries(match).sort()])
}
