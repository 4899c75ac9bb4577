/** Pods on the physical network, in status, drops, audit, trace and explain. */
import { expect, test } from 'bun:test'
import { samplePlanner } from '../../test/tables/sample-node.ts'
import { linkName } from '../agent/attach/lease.ts'
import type { NodeFacts, UnderlayFact } from '../agent/control/facts.ts'
import { cidr, type Ip, ip, macFromIp } from '../network/model/address.ts'
import type { Endpoint } from '../network/model/endpoint.ts'
import type { Policy } from '../network/model/policy.ts'
import { parseCookie } from '../network/pipeline/cookie.ts'
import { DROPS } from '../network/pipeline/drops.ts'
import { WirePlan } from '../network/wire/plan.ts'
import { PLAIN } from '../text/look.ts'
import { audit } from './audit/audit.ts'
import { countNode } from './drops/drops.ts'
import { printDrops } from './drops/print.ts'
import { explainRequest } from './explain/explain.ts'
import { answerOf } from './explain/sentence.ts'
import { lookAtPolicies } from './policies/policies.ts'
import { printStatus } from './status/print.ts'
import { clusterStatus } from './status/status.ts'
import { sampleView } from './testing/sample-facts.ts'
import { trace } from './trace/trace.ts'
import type { ClusterView } from './view.ts'

const U1 = ip('172.18.30.131')
const U2 = ip('172.18.30.132')

function wired(namespace: string, pod: string, address: Ip, more: Partial<UnderlayFact> = {}): UnderlayFact {
  const id = `${pod}/eth0`
  const base = { id, namespace, pod, ifname: 'eth0', link: linkName(id), bridge: 'br1', vlan: '100' }
  return { ...base, mac: macFromIp(address), addresses: [address], guard: 'guarded', problem: undefined, ...more }
}

function endpointOf({ id, namespace, pod, ifname, addresses, mac }: UnderlayFact): Endpoint {
  if (mac === undefined) throw new Error('it has one')
  return { id, containerId: pod, ifname, namespace, pod, mac, addresses, ofport: 0x1777 }
}

/** `shop/u1` on node1, `bank/u2` on node2, where the bridge is somebody else's if `isOpen`. */
function view(policies: readonly Policy[] = [], isOpen = false): ClusterView {
  const sample = sampleView(policies)
  const [one, two] = sample.nodes
  if (one === undefined || two === undefined || sample.registry === undefined) throw new Error('two nodes')
  const u1 = wired('shop', 'u1', U1)
  const u2 = wired('bank', 'u2', U2, isOpen ? { guard: 'others' } : {})
  const pods = [u1, u2].map(({ namespace, pod: name, addresses }, i) => {
    return { namespace, name, uid: name, node: `node${i + 1}`, addresses, labels: { app: name } }
  })
  return {
    ...sample,
    nodes: [withWire(one, u1), isOpen ? { ...two, underlay: [u2] } : withWire(two, u2)],
    registry: { ...sample.registry, pods: [...sample.registry.pods, ...pods] },
  }
}

function withWire(facts: NodeFacts, pod: UnderlayFact): NodeFacts {
  const plan = new WirePlan(samplePlanner().context, () => undefined)
  plan.putEndpoint(endpointOf(pod))
  const installed = plan.flows().map((flow) => ({ flow, packets: 0n, bytes: 0n }))
  return {
    ...facts,
    underlay: [pod],
    wires: [{ bridge: 'br1', fragments: [...plan.fragments()], installed, strays: [] }],
  }
}

/** Changes the first node. */
function first(all: ClusterView, change: (facts: NodeFacts) => Partial<NodeFacts>): ClusterView {
  return { ...all, nodes: all.nodes.map((one, i) => (i === 0 ? { ...one, ...change(one) } : one)) }
}

const closed: Policy = {
  kind: 'NetworkPolicy',
  namespace: 'bank',
  name: 'closed',
  tier: 'namespace',
  priority: 0,
  subject: { namespaces: { name: 'bank' }, pods: [] },
  ingress: [],
  egress: [],
}

const { egress: _, ...intoOnly } = closed

test('an audit is as clean as without them', () => expect(audit(view())).toEqual([]))

test('an audit finds what is wrong on a guarded bridge, and where', () => {
  const [pod] = view().nodes[0]?.underlay ?? []
  const [wire] = view().nodes[0]?.wires ?? []
  if (pod === undefined || wire === undefined) throw new Error('a pod on a bridge')
  const foreign = { table: 0, priority: 9, cookie: 0n, match: {}, actions: [] } as const
  const cases: readonly (readonly [Partial<NodeFacts>, readonly unknown[]])[] = [
    [
      { wires: [{ ...wire, installed: wire.installed.slice(1) }] },
      ['flow-missing', 'every bridge on the physical network on br1', 'sync-flows'],
    ],
    [
      { wires: [{ ...wire, installed: [...wire.installed, { flow: foreign, packets: 0n, bytes: 0n }] }] },
      ['flow-foreign', 'stage classify on br1', 'sync-flows'],
    ],
    [
      { wires: [{ ...wire, strays: ['weft0123456789a'] }] },
      ['port-without-lease', 'port weft0123456789a', 'remove-port'],
    ],
    [{ underlay: [{ ...pod, guard: 'missing' }] }, ['underlay-unguarded', 'pod shop/u1, eth0', 'sync-flows']],
    [{ underlay: [{ ...pod, problem: 'it is gone' }] }, ['underlay-port-missing', 'pod shop/u1, eth0', undefined]],
  ]
  for (const [change, found] of cases) {
    const findings = audit(first(view(), () => change))
    expect(findings.map(({ code, object, step }) => [code, object, step?.op])).toEqual([found as never])
  }
})

test('a pod whose first network is the physical one has other addresses than its lease', () => {
  const all = view()
  const { registry } = all
  if (registry === undefined) throw new Error('a registry')
  const pods = registry.pods.map((pod) => (pod.name === 'web' ? { ...pod, addresses: [ip('172.18.30.140')] } : pod))
  expect(audit({ ...all, registry: { ...registry, pods } })).toEqual([])
})

test('drops of its bridge are counted with its name', () => {
  const all = first(view(), ({ wires }) => ({
    wires: wires.map((wire) => ({
      ...wire,
      installed: wire.installed.map((one) => {
        const isHit = parseCookie(one.flow.cookie)?.dropCode === DROPS['spoofed-ipv4'].code
        return isHit ? { ...one, packets: 3n, bytes: 180n } : one
      }),
    })),
  }))
  const counts = all.nodes.flatMap((facts) => countNode(facts)).filter(({ packets }) => packets > 0n)
  expect(counts).toMatchObject([
    {
      node: 'node1',
      bridge: 'br1',
      reason: 'spoofed-ipv4',
      object: 'pod shop/u1 on the physical network',
      packets: 3n,
    },
  ])
  expect(printDrops(counts, false, PLAIN).join('\n')).toMatch(/node1 +br1 +spoofed-ipv4 +pod shop\/u1/)
})

test('packets that a policy’s rule decided about there are counted', () => {
  const peers = [{ type: 'range', range: cidr('0.0.0.0/0'), except: [] }] as const
  const open: Policy = { ...closed, name: 'open', ingress: [{ action: 'allow', peers }] }
  const planner = samplePlanner()
  planner.putWireEndpoint(endpointOf(wired('bank', 'u2', U2)))
  planner.putPolicy(open)
  const plan = new WirePlan(planner.context, () => undefined)
  planner.mirror(plan)
  const installed = plan.flows().map((flow) => ({ flow, packets: 2n, bytes: 0n }))
  const all = first(view([open]), () => ({
    wires: [{ bridge: 'br1', fragments: [...plan.fragments()], installed, strays: [] }],
  }))
  expect(lookAtPolicies(all).policies[0]?.rules[0]?.packets).toBeGreaterThan(0n)
})

test('the status lists them, with bridge, VLAN and addresses', () => {
  const status = clusterStatus(view([], true))
  expect(status.underlay).toMatchObject([
    { pod: 'shop/u1', node: 'node1', bridge: 'br1', vlan: '100', guard: 'guarded' },
    { pod: 'bank/u2', node: 'node2', bridge: 'br1', guard: 'others' },
  ])
  const bridges = new Map(status.nodes.map(({ node, guardedBridges }) => [node, guardedBridges]))
  expect([bridges.get('node1'), bridges.get('node2')]).toEqual([['br1'], []])
  const text = printStatus(status, false, 0, PLAIN).join('\n')
  expect(text).toMatch(/shop\/u1 +eth0 +node1 +br1 \(guarded\) +100 +172\.18\.30\.131/)
  expect(text).toMatch(/bank\/u2 +eth0 +node2 +br1 +100 +172\.18\.30\.132/)
  expect(printStatus(status, true, 0, PLAIN).join('\n')).toMatch(/guarded +br1/)
})

test('a trace says that it does not follow them, and that an address is theirs', () => {
  const probe = { protocol: 'tcp', port: 80, size: 60 } as const
  expect(() => trace(view(), { from: 'shop/u1', to: 'shop/web', ...probe })).toThrow(/physical network.*not traced/)
  expect(trace(view(), { from: 'shop/web', to: U1, ...probe }).to.name).toBe('shop/u1 on the physical network')
})

function explained(all: ClusterView, from: string, to: string) {
  const explanation = explainRequest(all, { from, to, protocol: 'tcp', port: 80, family: 4 })
  const steps = new Map(explanation.ways[0]?.steps.map((step) => [step.name, `${step.outcome}: ${step.says}`]))
  return { reachable: explanation.reachable, says: answerOf(explanation).says, steps, ways: explanation.ways }
}

test('an explanation names the policy that decides, and what nobody traces', () => {
  const open = explained(view(), 'shop/u1', 'bank/u2')
  expect(open.reachable).toBe(true)
  expect(open.steps.get('route')).toBe(
    'unknown: the way beyond bridge br1 of node1 is the physical network’s, and is not traced',
  )
  expect(open.steps.get('spoof guard')).toStartWith('passes: 172.18.30.131 with')
  expect(open.ways[0]?.flows.agrees).toBeUndefined()
  const shut = explained(view([closed]), 'shop/u1', 'bank/u2')
  expect([shut.reachable, shut.says.includes('NetworkPolicy bank/closed isolates bank/u2')]).toEqual([false, true])
})

test('where the bridge is somebody else’s no policy holds, and it says so', () => {
  const { reachable, steps } = explained(view([closed], true), 'shop/u1', 'bank/u2')
  expect(reachable).toBe(true)
  expect(steps.get('ingress policies')).toStartWith(
    'passes: not enforced here: bridge br1 of node2 is none of Weft’s; the objects refuse it',
  )
})

test('by its node a guest is judged as its node, and not for egress', () => {
  const into = explained(
    view([{ ...closed, namespace: 'shop', subject: { namespaces: { name: 'shop' }, pods: [] } }]),
    'shop/u1',
    'shop/web',
  )
  expect(into.steps.get('egress policies')).toStartWith('passes: not enforced here: what shop/u1 sends by its node')
  expect([into.reachable, into.says.includes('isolates shop/web')]).toEqual([false, true])
  const other = explained(view(), 'shop/u1', 'bank/vault')
  expect([other.reachable, other.steps.get('tenant')?.startsWith('stops')]).toEqual([false, true])
})

test('from the overlay it is judged as any pod on its own node', () => {
  const { reachable, says } = explained(view([intoOnly]), 'shop/web', 'bank/u2')
  expect([reachable, says.includes('isolates bank/u2')]).toEqual([false, true])
})

test('they are counted among the pods, once each', () => {
  const status = clusterStatus(view())
  const before = clusterStatus(sampleView())
  expect(status.nodes.map(({ pods }) => pods)).toEqual(before.nodes.map(({ pods, agent }) => pods + (agent ? 1 : 0)))
  const last = printStatus(status, false, 1_700_090_000, PLAIN).at(-1)
  expect(last).toEndWith(', 8 pods, 2 of them on the physical network')
  const both = first(sampleView(), ({ leases }) => {
    const { namespace = '', pod = '' } = leases[0]?.endpoint ?? {}
    return { underlay: [wired(namespace, pod, U1, { ifname: 'net1' })] }
  })
  expect(printStatus(clusterStatus(both), false, 1_700_090_000, PLAIN).at(-1)).toContain(', 6 pods, 1 of them on')
})
