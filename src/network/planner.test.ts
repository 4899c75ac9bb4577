import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { SAMPLE_CLUSTER, sampleNode, samplePod } from '../../test/tables/sample-node.ts'
import type { Flow } from '../flow/flow.ts'
import { type NodeContext, nodeContext } from './context.ts'
import { NodePlanner } from './planner.ts'

type Event =
  | { readonly type: 'tenant'; readonly namespace: string; readonly vni: number | undefined }
  | { readonly type: 'endpoint'; readonly n: number; readonly namespace: string | undefined }
  | { readonly type: 'peer'; readonly n: number; readonly present: boolean }
  | { readonly type: 'context'; readonly mtu: number }
  | { readonly type: 'take' }

const namespace = fc.constantFrom('alpha', 'bravo', 'charlie')
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({
    type: fc.constant('tenant' as const),
    namespace,
    vni: fc.option(fc.constantFrom(0, 10, 11), { nil: undefined }),
  }),
  fc.record({
    type: fc.constant('endpoint' as const),
    n: fc.integer({ min: 2, max: 6 }),
    namespace: fc.option(namespace, { nil: undefined }),
  }),
  fc.record({ type: fc.constant('peer' as const), n: fc.integer({ min: 1, max: 4 }), present: fc.boolean() }),
  fc.record({ type: fc.constant('context' as const), mtu: fc.constantFrom(1400, 1450) }),
  fc.constant({ type: 'take' as const }),
)

function context(mtu: number): NodeContext {
  const made = nodeContext(SAMPLE_CLUSTER, sampleNode(1), mtu)
  if (made === undefined) throw new Error('the sample node has ranges')
  return made
}

function apply(planner: NodePlanner, one: Event): void {
  if (one.type === 'tenant' && one.vni !== undefined) planner.putTenant(one.namespace, one.vni)
  else if (one.type === 'tenant') planner.removeTenant(one.namespace)
  else if (one.type === 'endpoint' && one.namespace !== undefined)
    planner.putEndpoint(samplePod(one.n, one.namespace, `pod${one.n}`))
  else if (one.type === 'endpoint') planner.removeEndpoint(`c${one.n}/eth0`)
  else if (one.type === 'peer' && one.present) planner.putPeer(sampleNode(one.n))
  else if (one.type === 'peer') planner.removePeer(`node${one.n}`)
  else if (one.type === 'context') planner.setContext(context(one.mtu))
}

/** The state that a history leads to, in the order of its kind. */
function replay(events: readonly Event[]): NodePlanner {
  const last = new Map<string, Event>()
  for (const one of events) {
    const id = one.type === 'tenant' ? one.namespace : one.type === 'endpoint' || one.type === 'peer' ? one.n : ''
    last.set(`${one.type} ${id}`, one)
  }
  const mtu = last.get('context ')
  const planner = new NodePlanner(context(mtu?.type === 'context' ? mtu.mtu : 1450))
  for (const one of last.values()) if (one.type !== 'context') apply(planner, one)
  return planner
}

const text = (flow: Flow) => JSON.stringify(flow, (_, value) => (typeof value === 'bigint' ? value.toString() : value))
const sorted = (flows: Iterable<Flow>) => [...flows].map(text).sort()

test('a plan kept current event by event equals a plan made at once', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const planner = new NodePlanner(context(1450))
      for (const one of events) apply(planner, one)
      expect(sorted(planner.flows())).toEqual(sorted(replay(events).flows()))
    }),
  )
})

test('the changes handed out add up to the plan', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const planner = new NodePlanner(context(1450))
      const installed = new Map<string, readonly Flow[]>()
      for (const one of [...events, { type: 'take' as const }]) {
        apply(planner, one)
        if (one.type !== 'take') continue
        for (const { key, before, after } of planner.take()) {
          expect(sorted(before)).toEqual(sorted(installed.get(key) ?? []))
          installed.set(key, after)
        }
      }
      expect(sorted([...installed.values()].flat())).toEqual(sorted(planner.flows()))
    }),
  )
})

test('an event touches its own fragments only, however many endpoints there are', () => {
  const planner = new NodePlanner(context(1450))
  for (const name of ['alpha', 'bravo']) planner.putTenant(name, name === 'alpha' ? 10 : 11)
  for (let n = 2; n < 200; n += 1) planner.putEndpoint(samplePod(n, n % 2 === 0 ? 'alpha' : 'bravo', `pod${n}`))
  planner.take()
  planner.putEndpoint(samplePod(200, 'alpha', 'late'))
  expect(
    planner
      .take()
      .map(({ key }) => key)
      .sort(),
  ).toEqual(['endpoint/c200/eth0', 'vni/10'])
})
