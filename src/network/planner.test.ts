import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { SAMPLE_CLUSTER, sampleNode, samplePod } from '../../test/tables/sample-node.ts'
import { flowKey } from '../flow/compare.ts'
import type { Flow } from '../flow/flow.ts'
import { formatGroup } from '../flow/groups.ts'
import { type NodeContext, nodeContext } from './context.ts'
import { diffFragments, together } from './diff.ts'
import { NO_TABLES, type SwitchTables } from './fragments/fragment.ts'
import { ip } from './model/address.ts'
import type { Machine, NodeNetwork } from './model/node.ts'
import type { EndpointSlice, Service } from './model/service.ts'
import { NodePlanner } from './planner.ts'

type Event =
  | { readonly type: 'tenant'; readonly namespace: string; readonly vni: number | undefined }
  | { readonly type: 'endpoint'; readonly n: number; readonly namespace: string | undefined }
  | {
      readonly type: 'peer'
      readonly n: number
      readonly at: number | undefined
      readonly machine: Machine
      readonly hasRanges: boolean
    }
  | { readonly type: 'service'; readonly n: number; readonly change: Partial<Service> | undefined }
  | { readonly type: 'slice'; readonly n: number; readonly service: number | undefined; readonly ready: number }
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
  fc.record({
    type: fc.constant('peer' as const),
    n: fc.integer({ min: 2, max: 5 }),
    // Machines exchange addresses, also with this one.
    at: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    machine: fc.constantFrom<Machine>(
      { kind: 'node', uid: 'u' },
      { kind: 'external', vni: 0 },
      { kind: 'external', vni: 10 },
    ),
    hasRanges: fc.boolean(),
  }),
  fc.record({
    type: fc.constant('service' as const),
    n: fc.integer({ min: 1, max: 3 }),
    change: fc.option(
      fc.record({
        internalPolicy: fc.constantFrom('Cluster' as const, 'Local' as const),
        externalPolicy: fc.constantFrom('Cluster' as const, 'Local' as const),
        clusterIps: fc.constantFrom([ip('172.30.0.1')], [ip('172.30.0.1'), ip('fd02::1')], []),
      }),
      { nil: undefined },
    ),
  }),
  fc.record({
    type: fc.constant('slice' as const),
    n: fc.integer({ min: 1, max: 4 }),
    service: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    ready: fc.integer({ min: 0, max: 7 }),
  }),
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
  else if (one.type === 'peer' && one.at !== undefined) planner.putPeer(peer(one.n, one.at, one.machine, one.hasRanges))
  else if (one.type === 'peer') planner.removePeer(`node${one.n}`)
  else if (one.type === 'context') planner.setContext(context(one.mtu))
  else if (one.type === 'service' && one.change !== undefined) planner.putService(service(one.n, one.change))
  else if (one.type === 'service') planner.removeService(`alpha/svc${one.n}`)
  else if (one.type === 'slice' && one.service !== undefined)
    planner.putEndpointSlice(slice(one.n, one.service, one.ready))
  else if (one.type === 'slice') planner.removeEndpointSlice(`alpha/slice${one.n}`)
}

function peer(n: number, at: number, machine: Machine, hasRanges: boolean): NodeNetwork {
  const { addresses } = sampleNode(at)
  return { ...sampleNode(n), addresses, machine, ...(hasRanges ? {} : { ranges: [] }) }
}

function service(n: number, change: Partial<Service>): Service {
  return {
    namespace: 'alpha',
    name: `svc${n}`,
    ports: [
      { name: 'http', protocol: 'TCP', port: 80 + n, nodePort: 30_000 + n },
      { name: 'dns', protocol: 'UDP', port: 53 + n },
    ],
    clusterIps: [],
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
    ...change,
  }
}

/** Endpoints on two nodes; bit n of `ready` says whether the n-th is. */
function slice(n: number, of: number, ready: number): EndpointSlice {
  const endpoints = [0, 1, 2].map((i) => ({
    address: ip(`10.128.${i}.${n}`),
    ready: ((ready >> i) & 1) === 1,
    serving: true,
    terminating: i === 2,
    node: `node${(i % 2) + 1}`,
  }))
  const ports = [{ name: 'http', protocol: 'TCP', port: 8080 } as const]
  return { namespace: 'alpha', name: `slice${n}`, service: `svc${of}`, ports, endpoints }
}

/** The state that a history leads to, in the order of its kind. */
function replay(events: readonly Event[]): NodePlanner {
  const last = new Map<string, Event>()
  for (const one of events) {
    const id = one.type === 'tenant' ? one.namespace : 'n' in one ? one.n : ''
    last.set(`${one.type} ${id}`, one)
  }
  const mtu = last.get('context ')
  const planner = new NodePlanner(context(mtu?.type === 'context' ? mtu.mtu : 1450))
  for (const one of last.values()) if (one.type !== 'context') apply(planner, one)
  return planner
}

const text = (flow: Flow) => JSON.stringify(flow, (_, value) => (typeof value === 'bigint' ? value.toString() : value))
const texts = ({ flows, groups }: SwitchTables) => [...flows.map(text), ...groups.map(formatGroup)].sort()
const tablesOf = (planner: NodePlanner): SwitchTables => ({ flows: planner.flows(), groups: planner.groups() })

test('a plan kept current event by event equals a plan made at once', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const planner = new NodePlanner(context(1450))
      for (const one of events) apply(planner, one)
      expect(texts(tablesOf(planner))).toEqual(texts(tablesOf(replay(events))))
    }),
  )
})

test('the changes handed out add up to the plan', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const planner = new NodePlanner(context(1450))
      const installed = new Map<string, SwitchTables>()
      for (const one of [...events, { type: 'take' as const }]) {
        apply(planner, one)
        if (one.type !== 'take') continue
        for (const { key, before, after } of planner.take()) {
          expect(texts(before)).toEqual(texts(installed.get(key) ?? NO_TABLES))
          installed.set(key, after)
        }
      }
      expect(texts(together([...installed.values()]))).toEqual(texts(tablesOf(planner)))
    }),
  )
})

test('a switch that is given every change ends with the plan: no fragment takes another’s rows along', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const planner = new NodePlanner(context(1450))
      const rows = new Map<string, Flow>()
      for (const one of [...events, { type: 'take' as const }]) {
        apply(planner, one)
        if (one.type !== 'take') continue
        const { write, remove } = diffFragments(planner.take())
        for (const flow of remove) rows.delete(flowKey(flow))
        for (const flow of write) rows.set(flowKey(flow), flow)
      }
      expect([...rows.values()].map(text).sort()).toEqual(planner.flows().map(text).sort())
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
