/** Calico's policies: an oracle of their own, the core's oracle and the simulated pipeline of two nodes agree. */
import { describe, expect, test } from 'bun:test'
import { networkSetKey } from '../../../src/network/model/network-set.ts'
import { policyKey } from '../../../src/network/model/policy.ts'
import type { NodePlanner } from '../../../src/network/planner.ts'
import { judge } from '../../../src/network/policy/oracle.ts'
import type { Connection } from '../../../src/network/policy/verdict.ts'
import { connectionsOf, someOf, textOf } from '../policy/connections.ts'
import { clusterPolicy, podsIn, rule } from '../policy/objects.ts'
import { ask } from '../policy/questions.ts'
import { SimulatedCluster } from '../policy/simulated-cluster.ts'
import { type Step, type World, worldWith } from '../policy/world.ts'
import { CALICO_CASES } from './cases.ts'
import { generatedWorlds } from './generate.ts'
import { type CalicoPolicy, isAllowed } from './oracle.ts'
import { calicoWorldOf, callOf, type Written, weftWorldOf } from './world.ts'

const NOTHING: Written = { calico: [], kubernetes: [], sets: [] }
/** Connections besides those that a case names. */
const OTHERS = 60
/** Worlds made at random; another seed makes others. */
const WORLDS = Number(process.env.WEFT_CALICO_WORLDS ?? 30)
const SEED = Number(process.env.WEFT_CALICO_SEED ?? 7)
const QUESTIONS = 50

describe('as its reference says', () => {
  for (const [seed, { name, allowed, denied, ...written }] of CALICO_CASES.entries()) {
    test(name, () => {
      const all = { ...NOTHING, ...written }
      const [world, calico] = [weftWorldOf(all), calicoWorldOf(all)]
      const said = [...allowed, ...denied].filter((question) => isAllowed(calico, callOf(ask(world, question))))
      expect(said).toEqual([...allowed])
      const asked = [...allowed, ...denied].map((question) => ask(world, question))
      expect(disagreements(all, [...asked, ...someOf(podsAndOutside(world), OTHERS, seed)])).toEqual([])
    })
  }
})

test('in worlds made at random', () => {
  const seen = { allowed: 0, denied: 0 }
  for (const [i, written] of generatedWorlds(WORLDS, SEED).entries()) {
    const asked = someOf(podsAndOutside(weftWorldOf(written)), QUESTIONS, i)
    const wrong = disagreements(written, asked)
    if (wrong.length > 0) throw new Error(`world ${i}: ${wrong.slice(0, 3).join('; ')}\n${JSON.stringify(written)}`)
    for (const one of asked) seen[isAllowed(calicoWorldOf(written), callOf(one)) ? 'allowed' : 'denied'] += 1
  }
  expect(Math.min(seen.allowed, seen.denied)).toBeGreaterThan(WORLDS * 5)
}, 300_000)

test('what a rule passes on is for the baseline', () => {
  const passing: CalicoPolicy = {
    name: 'default.p',
    namespace: 'x',
    types: ['Ingress'],
    ingress: [{ action: 'Pass', protocol: 'TCP' }],
  }
  const { policies } = weftWorldOf({ ...NOTHING, calico: [passing] })
  const baseline = clusterPolicy('BaselineAdminNetworkPolicy', 'baseline', 'default', 0, {
    ingress: [rule('deny', { peers: [podsIn('y')] })],
  })
  const world = worldWith([...policies, baseline])
  const cluster = new SimulatedCluster()
  cluster.start(world)
  const allowed = ['z/a -> x/a TCP/80', 'v6 z/a -> x/b TCP/81']
  const denied = ['y/a -> x/a TCP/80', 'z/a -> x/a UDP/80', 'y/b -> z/a TCP/80']
  const asked = [...allowed, ...denied].map((question) => ask(world, question))
  const expected = [true, true, false, false, false]
  expect(asked.map((one) => judge(world, one).allowed)).toEqual(expected)
  expect(cluster.verdicts(asked)).toEqual(expected)
})

test('a plan that is led from world to world is the plan made from scratch', () => {
  const cluster = new SimulatedCluster()
  let world = worldWith([])
  cluster.start(world)
  for (const written of generatedWorlds(25, SEED)) {
    const next = weftWorldOf(written)
    const [first, ...policies] = next.policies
    if (first === undefined) continue
    // Without its first policy, then with it: rules of the others may lie elsewhere then.
    for (const now of [{ ...next, policies }, next]) {
      const steps: readonly Step[] = now === next ? [{ op: 'put-policy', policy: first }] : stepsFrom(world, now)
      for (const step of steps) cluster.apply(step)
      world = now
      const anew = new SimulatedCluster()
      anew.start(now, 'policies-first')
      for (const [name, planner] of cluster.planners) {
        const other = anew.planners.get(name)
        if (other === undefined) throw new Error(name)
        expect(flowsIn(planner)).toEqual(flowsIn(other))
      }
    }
  }
}, 60_000)

/** Policies that deny, or pass on, what network sets hold, in front of all others. */
const OF_SETS: readonly CalicoPolicy[] = (['Deny', 'Pass'] as const).map((action, i) => {
  const sets = { selector: 'has(role)', ...(i === 0 ? {} : { notNets: ['10.128.0.0/23', '2001:db8::/32'] }) }
  const rules = { ingress: [{ action, source: sets }], egress: [{ action, destination: sets }] }
  return { name: `default.a${i}`, order: i - 10, selector: `pod == '${i === 0 ? 'a' : 'b'}'`, ...rules }
})

/** Worlds in which networks of sets are written so that nobody can read them; what they would be is in the true one. */
function garbledWorlds(count: number): readonly { readonly truth: Written; readonly garbled: Written }[] {
  const worlds = generatedWorlds(3 * count, SEED).filter(({ sets }) => sets.length > 0)
  return worlds.slice(0, count).map((written, n) => {
    const truth = { ...written, calico: [...OF_SETS, ...written.calico] }
    const sets = truth.sets.map(({ nets, ...set }, i) => ({
      ...set,
      nets: nets.map((net, j) => ((n + i + j) % 3 === 0 ? `${net}?` : net)),
    }))
    return { truth, garbled: { ...truth, sets } }
  })
}

test('whatever a network that nobody can read would be, nothing is allowed that it would forbid', () => {
  const seen = { allowed: 0, closed: 0 }
  for (const [i, { truth, garbled }] of garbledWorlds(WORLDS / 3).entries()) {
    const [world, calico] = [weftWorldOf(garbled), calicoWorldOf(truth)]
    const cluster = new SimulatedCluster()
    cluster.start(world)
    const asked = someOf(podsAndOutside(world), QUESTIONS, i)
    const told = asked.map((one) => judge(world, one).allowed)
    const would = asked.map((one) => isAllowed(calico, callOf(one)))
    expect(cluster.verdicts(asked)).toEqual(told)
    const opened = asked.filter((_, j) => told[j] && !would[j])
    expect([garbled, opened.map(textOf)]).toEqual([garbled, []])
    seen.allowed += told.filter((is) => is).length
    seen.closed += asked.filter((_, j) => would[j] && !told[j]).length
  }
  expect(Math.min(seen.allowed, seen.closed)).toBeGreaterThan(WORLDS / 2)
}, 300_000)

test('a set that comes to be unreadable, and readable again, is what it is from scratch', () => {
  for (const { truth, garbled } of garbledWorlds(6)) {
    const cluster = new SimulatedCluster()
    cluster.start(weftWorldOf(truth))
    for (const now of [weftWorldOf(garbled), weftWorldOf(truth)]) {
      for (const set of now.sets ?? []) cluster.apply({ op: 'put-set', set })
      const anew = new SimulatedCluster()
      anew.start(now, 'policies-first')
      for (const [name, planner] of cluster.planners) {
        expect(flowsIn(planner)).toEqual(flowsIn(anew.planners.get(name) ?? planner))
      }
    }
  }
}, 60_000)

function stepsFrom(before: World, after: World): readonly Step[] {
  return [
    ...before.policies.map((policy): Step => ({ op: 'remove-policy', key: policyKey(policy) })).slice(0, 2),
    ...after.policies.map((policy): Step => ({ op: 'put-policy', policy })),
    ...(before.sets ?? []).map((set): Step => ({ op: 'remove-set', key: networkSetKey(set) })),
    ...(after.sets ?? []).map((set): Step => ({ op: 'put-set', set })),
    ...before.policies
      .map(policyKey)
      .filter((key) => !after.policies.some((policy) => policyKey(policy) === key))
      .map((key): Step => ({ op: 'remove-policy', key })),
  ]
}

function flowsIn(planner: NodePlanner): readonly string[] {
  const text = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)
  return planner
    .flows()
    .map((flow) => JSON.stringify(flow, text))
    .toSorted()
}

/** Of nodes Calico has other ideas. */
function podsAndOutside(world: World): readonly Connection[] {
  return connectionsOf(world).filter(({ source, destination }) => source.type !== 'node' && destination.type !== 'node')
}

/** Where somebody has another idea than Calico's oracle. */
function disagreements(written: Written, connections: readonly Connection[]): readonly string[] {
  const [world, calico] = [weftWorldOf(written), calicoWorldOf(written)]
  const cluster = new SimulatedCluster()
  cluster.start(world)
  const seen = cluster.verdicts(connections)
  return connections.flatMap((connection, i) => {
    const expected = isAllowed(calico, callOf(connection))
    const told = judge(world, connection).allowed
    if (told === expected && seen[i] === expected) return []
    return [`${textOf(connection)}: Calico ${expected}, the core’s oracle ${told}, the pipeline ${seen[i]}`]
  })
}
