import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { samplePlanner, samplePod } from '../../../test/tables/sample-node.ts'
import { flowContent, flowKey } from '../../flow/compare.ts'
import type { Flow, Group, Meter } from '../../flow/flow.ts'
import type { SwitchDiff } from '../../network/diff.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { MeterDiff } from '../../network/qos/meters.ts'
import type { InstalledFlow } from '../control/facts.ts'
import { type FlowTables, Forwarding } from './forwarding.ts'

/** A switch that fails when told to; a failed change is not applied, or, as `torn`, in part. */
class FaultySwitch implements FlowTables {
  readonly flows = new Map<string, Flow>()
  readonly groups = new Map<number, Group>()
  readonly meters = new Map<number, Meter>()
  readonly bundles: SwitchDiff[] = []
  fault: 'none' | 'refused' | 'torn' = 'none'

  failNext(fault: 'refused' | 'torn'): void {
    this.fault = fault
  }

  put(flow: Flow): void {
    this.flows.set(flowKey(flow), flow)
  }

  async dump(): Promise<readonly InstalledFlow[]> {
    return [...this.flows.values()].map((flow) => ({ flow, packets: 0n, bytes: 0n }))
  }

  async dumpGroups(): Promise<readonly Group[]> {
    return [...this.groups.values()]
  }

  async dumpMeters(): Promise<readonly Meter[]> {
    return [...this.meters.values()]
  }

  async changeMeters({ add, modify, remove }: MeterDiff): Promise<void> {
    for (const meter of add) {
      if (this.meters.has(meter.id)) throw new Error(`meter ${meter.id} exists`)
      this.meters.set(meter.id, meter)
    }
    for (const meter of modify) {
      if (!this.meters.has(meter.id)) throw new Error(`no meter ${meter.id}`)
      this.meters.set(meter.id, meter)
    }
    for (const id of remove) {
      this.meters.delete(id)
      for (const [key, flow] of this.flows) if (namesMeter(flow, id)) this.flows.delete(key)
    }
  }

  async removeOpaque(): Promise<void> {}

  async forgetUdp(): Promise<void> {}

  async forgetCalls(): Promise<void> {}

  async apply({ write, remove, groups }: SwitchDiff): Promise<void> {
    const { fault } = this
    this.fault = 'none'
    if (fault === 'refused') throw new Error('refused')
    this.bundles.push({ write, remove, groups })
    for (const group of [...groups.add, ...groups.modify]) this.groups.set(group.id, group)
    for (const id of groups.remove) this.groups.delete(id)
    const written = fault === 'torn' ? write.slice(0, write.length / 2) : write
    for (const { actions } of write) {
      for (const action of actions) {
        if (action.op === 'meter' && !this.meters.has(action.meter)) throw new Error(`no meter ${action.meter}`)
      }
    }
    for (const flow of remove) this.flows.delete(flowKey(flow))
    for (const flow of written) this.put(flow)
    if (fault === 'torn') throw new Error('torn')
  }
}

function byId(a: Meter, b: Meter): number {
  return a.id - b.id
}

function namesMeter({ actions }: Flow, id: number): boolean {
  return actions.some((action) => action.op === 'meter' && action.meter === id)
}

function contents(flows: Iterable<Flow>): string[] {
  return [...flows].map((flow) => `${flowKey(flow)} ${flowContent(flow)}`).sort()
}

interface Scene {
  readonly planner: NodePlanner
  readonly target: FaultySwitch
  readonly forwarding: Forwarding
}

type Step = keyof typeof STEPS

const STEPS = {
  add: ({ planner }: Scene, n: number) => planner.putEndpoint(samplePod(100 + n, 'shop', `pod${n}`)),
  limit: ({ planner }: Scene, n: number) =>
    planner.putEndpoint({ ...samplePod(100 + (n % 3), 'shop', `pod${n}`), limits: { fromPod: 1_000 * (n + 1) } }),
  remove: ({ planner }: Scene, n: number) => planner.removeEndpoint(`c${100 + n - 1}/eth0`),
  retenant: ({ planner }: Scene, n: number) => planner.putTenant('shop', 1000 + n),
  flush: ({ forwarding }: Scene) => forwarding.flush().catch(() => undefined),
  lost: ({ forwarding }: Scene) => forwarding.lost(),
  foreign: ({ target }: Scene, n: number) => target.put({ table: 7, priority: n, cookie: 1n, match: {}, actions: [] }),
  refused: ({ target }: Scene) => target.failNext('refused'),
  torn: ({ target }: Scene) => target.failNext('torn'),
}

async function take(step: Step, n: number, scene: Scene): Promise<void> {
  await STEPS[step](scene, n)
}

test('whatever fails on the way, the switch ends up equal to the plan', async () => {
  const steps = fc.array(fc.constantFrom(...(Object.keys(STEPS) as Step[])), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const planner = samplePlanner()
      const target = new FaultySwitch()
      const forwarding = new Forwarding(target)
      forwarding.follow(planner)
      for (const [n, step] of history.entries()) await take(step, n, { planner, target, forwarding })
      target.fault = 'none'
      await forwarding.sync()
      expect(contents(target.flows.values())).toEqual(contents(planner.flows()))
      expect([...target.meters.values()].sort(byId)).toEqual(planner.meters().sort(byId))
    }),
    { numRuns: 200 },
  )
})

test('changes of one turn travel in one bundle', async () => {
  const planner = samplePlanner()
  const target = new FaultySwitch()
  const forwarding = new Forwarding(target)
  forwarding.follow(planner)
  await forwarding.sync()
  target.bundles.length = 0
  const flushes = [10, 11, 12].map((n) => {
    planner.putEndpoint(samplePod(n, 'bank', `pod${n}`))
    return forwarding.flush()
  })
  await Promise.all(flushes)
  expect(target.bundles.length).toBe(1)
})

test('a tenant’s change is one bundle, and touches nothing of others', async () => {
  const planner = samplePlanner()
  const target = new FaultySwitch()
  const forwarding = new Forwarding(target)
  forwarding.follow(planner)
  await forwarding.sync()
  target.bundles.length = 0
  planner.putTenant('shop', 4242)
  await forwarding.flush()
  expect(target.bundles.length).toBe(1)
  const [bundle] = target.bundles
  // Per pod: its classification, and delivery and re-entry of each family; and the two tenant networks.
  expect(bundle?.write.length).toBe(2 * (1 + 2 * 2) + 1)
  expect(bundle?.remove.length).toBe(1)
})

test('a failed flush rejects everybody who waited for it, and readiness is gone until the next', async () => {
  const planner = samplePlanner()
  const target = new FaultySwitch()
  const forwarding = new Forwarding(target)
  forwarding.follow(planner)
  await forwarding.sync()
  planner.putEndpoint(samplePod(10, 'bank', 'pod10'))
  target.fault = 'refused'
  const results = await Promise.allSettled([forwarding.flush(), forwarding.flush()])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(forwarding.synced).toBe(false)
  await forwarding.flush()
  expect(forwarding.synced).toBe(true)
  expect(contents(target.flows.values())).toEqual(contents(planner.flows()))
})

test('a failed flush asks for the whole plan, whoever waited for it and whoever swallowed that', async () => {
  const planner = samplePlanner()
  const target = new FaultySwitch()
  let asked = 0
  const forwarding = new Forwarding(target, () => {
    asked += 1
  })
  forwarding.follow(planner)
  await forwarding.sync()
  await forwarding.flush()
  expect(asked).toBe(0)
  planner.putEndpoint(samplePod(10, 'bank', 'pod10'))
  target.failNext('refused')
  await forwarding.flush({ confirm: 'afterwards' }).catch(() => undefined)
  expect(asked).toBe(1)
})
