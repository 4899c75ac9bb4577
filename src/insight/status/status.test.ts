import { expect, test } from 'bun:test'
import type { AgentStatus } from '../../agent/control/facts.ts'
import type { Policy } from '../../network/model/policy.ts'
import { lookFor, PLAIN } from '../../text/look.ts'
import { sampleView } from '../testing/sample-facts.ts'
import type { ClusterView } from '../view.ts'
import { printStatus } from './print.ts'
import { clusterStatus, type MeshSummary } from './status.ts'

const NOW = 1_700_090_000

test('a healthy cluster is ready, and all of it is told', () => {
  const status = clusterStatus(sampleView())
  expect(status.ready).toBe(true)
  expect(status.nodes.map(({ node, state, pods }) => [node, state, pods])).toEqual([
    ['balancer', 'unmanaged', 0],
    ['monitor', 'unmanaged', 0],
    ['node1', 'ready', 4],
    ['node2', 'ready', 2],
  ])
  expect(status.tenants.map(({ vni, namespaces, pods }) => [vni, namespaces, pods.map(({ pod }) => pod)])).toEqual([
    [0, ['default'], ['default/dns']],
    [42, ['shop'], ['shop/web', 'shop/api', 'shop/cart']],
    [77, ['bank'], ['bank/vault', 'bank/safe']],
  ])
})

test('a node that waits, has a problem, or says nothing makes the cluster not ready', () => {
  const cases: readonly ClusterView[] = [
    changed({ ready: false, waitingFor: ['a range from the controller'] }),
    changed({ problems: ['the uplink’s MTU of 1400 is too small'] }),
    { ...sampleView(), silent: [{ name: 'node3', cause: 'no agent answers', remedy: 'start it' }] },
    { ...sampleView(), nodes: sampleView().nodes.slice(1) },
    { ...sampleView(), registryProblem: 'nothing answers' },
    withNamespaceProblem('no VNI is free'),
    withUnreadable('Cluster default: /k8s.ovs.com/ovs/network/config: is not a JSON object (correct it)'),
  ]
  for (const view of cases) {
    const status = clusterStatus(view)
    expect(status.ready).toBe(false)
    expect(printStatus(status, false, NOW, PLAIN).some((line) => line.startsWith('! '))).toBe(true)
  }
})

test('a limit that somebody asked for in vain is told, and the cluster is ready all the same', () => {
  const view = sampleView()
  const problem = 'kubernetes.io/ingress-bandwidth "1": resource is unreasonably small (< 1kbit)'
  const fact = { endpoint: 'c/eth0', namespace: 'shop', pod: 'web', link: 'weft0123456789a', limits: {}, inForce: {} }
  const nodes = view.nodes.map((facts) => ({ ...facts, limits: [{ ...fact, wanted: { toPod: { problem } } }] }))
  const status = clusterStatus({ ...view, nodes })
  expect(status.ready).toBe(true)
  const page = printStatus(status, false, NOW, PLAIN).join(' ').replace(/\s+/g, ' ')
  expect(page).toContain(`! pod shop/web: ${problem} (in force stays: no limit) → write a quantity`)
})

test('what of Calico is not done is told, and the cluster is ready all the same', () => {
  const view = sampleView()
  const { registry } = view
  if (registry === undefined) throw new Error('the sample has one')
  const policy: Policy = {
    ...{ kind: 'GlobalNetworkPolicy', name: 'default.edge', tier: 'namespace', priority: 0 },
    subject: { namespaces: { labels: [] }, pods: [] },
    problems: [
      { field: 'spec.preDNAT', reason: 'is about interfaces of hosts, of which no policy speaks here' },
      { field: 'spec.ingress[0].http', reason: 'nobody here looks into HTTP' },
    ],
  }
  const refused = ['HostEndpoint n1-eth0: no policy is enforced at interfaces of hosts → guard hosts by a firewall']
  const status = clusterStatus({ ...view, registry: { ...registry, policies: [policy], refused } })
  expect(status.ready).toBe(true)
  expect(status.refused).toEqual([
    ...refused,
    'GlobalNetworkPolicy default.edge: spec.preDNAT: is about interfaces of hosts, of which no policy speaks here',
  ])
  const page = printStatus(status, false, NOW, PLAIN).join('\n')
  expect(page).toContain('! HostEndpoint n1-eth0: no policy is enforced')
  expect(page).toContain('! GlobalNetworkPolicy default.edge: spec.preDNAT')
})

test('the last line counts nodes apart from hosts outside', () => {
  const lines = printStatus(clusterStatus(sampleView()), false, NOW, PLAIN)
  expect(lines.at(-1)).toBe('2 of 2 nodes ready, 2 hosts outside, 3 virtual networks, 6 pods')
})

test('the last line says whose pods it counts where not every node was asked', () => {
  const view = sampleView()
  const lines = printStatus(clusterStatus({ ...view, nodes: view.nodes.slice(0, 1) }), false, NOW, PLAIN)
  expect(lines.at(-1)).toEndWith(', 4 pods of node1 only')
})

test('a silent node of the registry is listed once', () => {
  const view = sampleView()
  const silent = [{ name: 'node2', cause: 'no agent answers', remedy: 'start it' }]
  const { nodes } = clusterStatus({ ...view, nodes: view.nodes.slice(0, 1), silent })
  expect(nodes.slice(2).map(({ node, state }) => [node, state])).toEqual([
    ['node1', 'ready'],
    ['node2', 'silent'],
  ])
})

test.each([
  { title: 'ready', said: { status: { ready: true } }, state: 'ready', problems: [] },
  {
    title: 'waiting',
    said: { status: { ready: false, reason: 'no range' } },
    state: 'waiting',
    problems: ['no range'],
  },
  {
    title: 'silent',
    said: { status: { ready: true }, silence: 'nothing since noon' },
    state: 'silent',
    problems: ['nothing since noon'],
  },
])('a machine whose agent is elsewhere shows what it reported: $title', ({ said, state, problems }) => {
  const view = sampleView()
  const { registry } = view
  if (registry === undefined) throw new Error('the sample has a registry')
  const networks = registry.networks.map((network) =>
    network.node === 'node2' || network.node === 'balancer'
      ? ({ ...network, ...said, status: { uplinkMtu: 1500, datapath: 'netdev', ...said.status } } as const)
      : network,
  )
  const status = clusterStatus({ ...view, registry: { ...registry, networks }, nodes: view.nodes.slice(0, 1) })
  const rows = status.nodes.filter(({ node }) => node === 'node2' || node === 'balancer')
  expect(rows.map((row) => [row.node, row.externalVni, row.state, row.problems])).toEqual([
    ['balancer', 42, state, problems],
    ['node2', undefined, state, problems],
  ])
  expect(status.ready).toBe(state === 'ready')
})

test('what the controller says of a machine is told with what the machine is', () => {
  const view = sampleView()
  if (view.registry === undefined) throw new Error('a registry')
  const networks = view.registry.networks.map((network) => ({ ...network, problem: 'its address is shared' }))
  const { problems, ready } = clusterStatus({ ...view, registry: { ...view.registry, networks } })
  const wanted = ['host balancer', 'host monitor', 'node node1', 'node node2']
  expect(problems.toSorted()).toEqual(wanted.map((who) => `${who}: its address is shared`))
  expect(ready).toBe(false)
})

test('an agent that has no facts yet is listed with what it waits for', () => {
  const view = sampleView()
  const [first, second] = view.nodes
  if (first === undefined || second === undefined) throw new Error('two nodes')
  const status = { ...second.status, ready: false, waitingFor: ['its range'] }
  const silent = [{ name: 'node2', cause: 'it waits', remedy: 'see weft status', status }]
  const { nodes, ready } = clusterStatus({ ...view, nodes: [first], silent })
  expect(nodes.slice(2).map(({ node, state, problems }) => [node, state, problems])).toEqual([
    ['node1', 'ready', []],
    ['node2', 'waiting', ['waiting for its range']],
  ])
  expect(ready).toBe(false)
})

test('pages are no wider than a page', () => {
  const long = changed({ ready: false, waitingFor: ['x '.repeat(90)], problems: ['y '.repeat(90)] })
  for (const view of [sampleView(), long]) {
    for (const details of [true, false]) {
      for (const columns of [100, 80]) {
        const lines = printStatus(clusterStatus(view), details, NOW, lookFor({ columns }, false))
        expect(lines.filter((line) => line.length > columns)).toEqual([])
      }
    }
  }
})

function withUnreadable(problem: string): ClusterView {
  const view = sampleView()
  return view.registry === undefined ? view : { ...view, registry: { ...view.registry, unreadable: [problem] } }
}

function withNamespaceProblem(problem: string): ClusterView {
  const view = sampleView()
  if (view.registry === undefined) throw new Error('a registry')
  return { ...view, registry: { ...view.registry, namespaces: [{ name: 'shop', uid: 'u', problem }] } }
}

function changed(status: Partial<AgentStatus>): ClusterView {
  const view = sampleView()
  return {
    ...view,
    nodes: view.nodes.map((facts, i) => (i === 0 ? { ...facts, status: { ...facts.status, ...status } } : facts)),
  }
}

test('how many tunnels carry is told of each node, and which do not', () => {
  const view = sampleView()
  const [first] = view.nodes
  const [peer] = first?.status.peers ?? []
  if (first === undefined || peer === undefined) throw new Error('the sample has a node with a peer')
  const since = NOW - 120
  const tunnels = [
    { ...peer, node: 'node2', tunnel: { state: 'up', since, roundTripMs: 2.04 } },
    { ...peer, node: 'node3', tunnel: { state: 'down', since, problem: 'no answer' } },
    { ...peer, node: 'node4', tunnel: { state: 'asked', since } },
  ] as const
  const status = clusterStatus(changed({ peers: tunnels }))
  expect(status.nodes.find(({ node }) => node === 'node1')?.tunnels['node3']).toMatchObject({ state: 'down', since })
  const page = printStatus(status, true, NOW, lookFor({}, false))
  expect(
    page.some((line) =>
      /^ {2}tunnels +1 of 3 answer, the slowest answers in 2\.0 ms; node3 not for 2 minutes$/.test(line),
    ),
  ).toBe(true)
})

test('a mesh that is not whole makes the state of things not ready, and is told where it is shown', () => {
  const mesh = { host: 'node1', peers: 4, up: 4, isWhole: true }
  const pageOf = (view: ClusterView, one: MeshSummary): string[] =>
    printStatus(clusterStatus(view, one), false, NOW, lookFor({}, false))
  const both = pageOf(sampleView(), mesh)
  expect(both[0]).toBe('mesh of Docker hosts: node1 and 4 other machines, 4 up → weft mesh status')
  expect(both.some((line) => line.startsWith('NODE'))).toBe(true)
  const alone: ClusterView = { nodes: [], silent: [], registry: undefined }
  expect(pageOf(alone, { ...mesh, up: 3, isWhole: false })).toEqual([
    '! mesh of Docker hosts: node1 and 4 other machines, 3 up → weft mesh status',
  ])
  expect([clusterStatus(alone, mesh).ready, clusterStatus(alone, { ...mesh, isWhole: false }).ready]).toEqual([
    true,
    false,
  ])
})
