import { afterAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { SAMPLE_CLUSTER, sampleNode } from '../../../test/tables/sample-node.ts'
import type { Flow } from '../../flow/flow.ts'
import { nodeContext } from '../../network/context.ts'
import { ENDPOINT_GROUP } from '../../network/host.ts'
import { ip, parseMac } from '../../network/model/address.ts'
import type { Pod } from '../../network/model/pod.ts'
import { linkName } from '../attach/lease.ts'
import { easingFlows } from './ease.ts'
import { hostLocalRecords } from './host-local.ts'
import type { ForeignBridge, FoundPod, Observed } from './observed.ts'
import { type AdoptionTerms, planAdoption } from './plan.ts'

const context = nodeContext(SAMPLE_CLUSTER, sampleNode(1), 1450)
if (context === undefined) throw new Error('the sample node has ranges')

function found(n: number, name = `veth${n}`, more: Partial<FoundPod['inside']> = {}): FoundPod {
  const inside = { name: 'eth0', mac: `0e:00:00:00:00:0${n}`, mtu: 1450, addresses: [`10.128.0.${n}/23`], ...more }
  return { host: { index: 100 + n, name, group: 0 }, inside, netns: `/run/netns/p${n}` }
}

function pod(n: number, namespace = 'shop'): Pod {
  return { namespace, name: `p${n}`, uid: `uid-${n}`, node: 'node1', addresses: [ip(`10.128.0.${n}`)] }
}

function port(name: string, more: Partial<ForeignBridge['ports'][number]> = {}): ForeignBridge['ports'][number] {
  return { name, hasLink: true, sandbox: undefined, address: undefined, ...more }
}

const BRIDGE: ForeignBridge = { uuid: 'u', datapath: 'system', qos: [], ports: [port('veth2'), port('veth3')] }

const OBSERVED: Observed = {
  bridge: BRIDGE,
  pods: [found(2), found(3)],
  records: [2, 3].map((n) => ({ address: `10.128.0.${n}`, containerId: `c${n}`, ifname: undefined })),
  daemons: [],
  leases: [],
}

function plan(change: Partial<Observed> = {}, more: Partial<AdoptionTerms> = {}) {
  let ofport = 0x1000
  const terms: AdoptionTerms = {
    context: context as NonNullable<typeof context>,
    datapath: 'system',
    pods: [pod(2), pod(3, 'bank')],
    hasTenant: () => true,
    freeOfport: () => ofport++,
    network: 'weft',
    ...more,
  }
  return planAdoption({ ...OBSERVED, ...change }, terms)
}

test('every pod is recorded as if it had been attached here, with its own address and MAC address', () => {
  const { pods, obstacles, stale, unfinished, removesBridge } = plan()
  expect([obstacles, stale, unfinished, removesBridge]).toEqual([[], [], [], true])
  expect(pods[1]).toEqual({
    host: { index: 103, name: 'veth3', group: 0 },
    shrinkTo: undefined,
    lease: {
      link: linkName('c3/eth0'),
      network: 'weft',
      netns: '/run/netns/p3',
      mtu: 1450,
      endpoint: {
        id: 'c3/eth0',
        containerId: 'c3',
        ifname: 'eth0',
        namespace: 'bank',
        pod: 'p3',
        podUid: 'uid-3',
        mac: parseMac('0e:00:00:00:00:03') as never,
        addresses: [ip('10.128.0.3')],
        ofport: 0x1001,
      },
    },
  })
})

const CASES: readonly (readonly [string, Partial<Observed>, Partial<AdoptionTerms>, RegExp])[] = [
  ['their daemon runs', { daemons: ['/run/x.sock'] }, {}, /still runs/],
  ['another datapath', {}, { datapath: 'netdev' }, /uses the datapath system/],
  [
    'an address of another range',
    { pods: [found(2, 'veth2', { addresses: ['10.1.0.2/24'] }), found(3)] },
    {},
    /no address of this node.*10\.1\.0\.2/,
  ],
  ['no address', { pods: [found(2, 'veth2', { addresses: [] }), found(3)] }, {}, /it has none/],
  [
    'no record of the container',
    { records: OBSERVED.records.slice(1) },
    {},
    /nobody recorded which container has 10\.128\.0\.2/,
  ],
  ['a pod that the cluster does not know', {}, { pods: [pod(2)] }, /knows no pod with 10\.128\.0\.3/],
  ['a namespace without a network', {}, { hasTenant: (namespace) => namespace === 'shop' }, /namespace bank/],
  [
    'a port that is nobody’s',
    { bridge: { ...BRIDGE, ports: [...BRIDGE.ports, port('eth9')] } },
    {},
    /belongs to no pod/,
  ],
  [
    'one container twice',
    { records: OBSERVED.records.map((one) => ({ ...one, containerId: 'c' })) },
    {},
    /the same container/,
  ],
  [
    'one address twice',
    { pods: [found(2), { ...found(3), inside: found(2).inside }] },
    {},
    /has 10\.128\.0\.2|the same container/,
  ],
]

test.each(CASES)('in the way: %s', (_, observed, terms, cause) => {
  const { obstacles } = plan(observed, terms)
  expect(obstacles).toHaveLength(1)
  expect(obstacles[0]?.cause).toMatch(cause)
  expect(obstacles[0]?.remedy).not.toBe('')
})

test('OpenShift SDN recorded the container beside the port', () => {
  const ports = [
    port('veth2', { sandbox: 's2', address: '10.128.0.2' }),
    port('veth3', { sandbox: 's3', address: '10.128.0.3' }),
  ]
  const ids = (change: Partial<Observed>) =>
    plan({ records: [], ...change }).pods.map(({ lease }) => lease.endpoint.containerId)
  expect(ids({ bridge: { ...BRIDGE, ports } })).toEqual(['s2', 's3'])
  // Renamed by a call that was killed before its transaction: the port has its old name.
  const renamed = [found(2, linkName('s2/eth0')), found(3)]
  const lost = ports.map((one) => (one.name === 'veth2' ? { ...one, hasLink: false } : one))
  expect(ids({ pods: renamed, bridge: { ...BRIDGE, ports: lost } })).toEqual(['s2', 's3'])
  expect(plan({ records: [], pods: renamed, bridge: { ...BRIDGE, ports: lost } }).stale).toEqual(['veth2'])
})

test('a larger MTU is lowered', () => {
  const { pods } = plan({ pods: [found(2, 'veth2', { mtu: 8950 }), found(3)] })
  expect(pods.map(({ shrinkTo, lease }) => [shrinkTo, lease.mtu])).toEqual([
    [1450, 1450],
    [undefined, 1450],
  ])
})

test('links that are none of theirs are left alone; ports without a link go', () => {
  const { pods, stale, obstacles } = plan({
    pods: [...OBSERVED.pods, found(9, 'vethdocker')],
    bridge: { ...BRIDGE, ports: [...BRIDGE.ports, port('vethdead', { hasLink: false })] },
  })
  expect([pods.length, stale, obstacles]).toEqual([2, ['vethdead'], []])
})

test('what an earlier call took over is only finished', () => {
  const [first] = plan().pods
  if (first === undefined) throw new Error('there is one')
  const taken = (group: number) => ({
    ...found(2, first.lease.link),
    host: { index: 102, name: first.lease.link, group },
  })
  const again = plan({
    leases: [first.lease],
    pods: [taken(0), found(3)],
    bridge: undefined,
    records: OBSERVED.records,
  })
  expect([again.pods.length, again.unfinished, again.removesBridge]).toEqual([
    0,
    [{ lease: first.lease, host: taken(0).host }],
    false,
  ])
  // Killed before the link got its name.
  const unnamed = plan({ leases: [first.lease], pods: [found(2), found(3)], bridge: undefined })
  expect([unnamed.pods.length, unnamed.unfinished]).toEqual([0, [{ lease: first.lease, host: found(2).host }]])
  const done = plan({ leases: [first.lease], pods: [taken(ENDPOINT_GROUP)], bridge: undefined })
  expect([done.pods, done.unfinished, done.obstacles]).toEqual([[], [], []])
})

const root = mkdtempSync(join(tmpdir(), 'weft-adopt-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

test('host-local’s files, of old and new versions, and what is none', () => {
  const write = (path: string, text: string) => {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  write('k8s-ovs/172.11.0.5', 'abc')
  write('openshift-sdn/10.128.0.7', 'def\r\neth0')
  write('openshift-sdn/last_reserved_ip.0', '10.128.0.7')
  write('openshift-sdn/lock', '')
  write('openshift-sdn/10.128.0.8', 'x'.repeat(5000))
  expect(hostLocalRecords(root)).toEqual([
    { address: '172.11.0.5', containerId: 'abc', ifname: undefined },
    { address: '10.128.0.7', containerId: 'def', ifname: 'eth0' },
  ])
  expect(hostLocalRecords(join(root, 'nowhere'))).toEqual([])
})

const TAKES: Flow = {
  table: 0,
  priority: 200,
  cookie: 0n,
  match: { in_port: 1, eth_type: 0x800, ipv4_src: '10.128.0.0/14', ipv4_dst: '10.128.0.0/23' },
  actions: [{ op: 'goto_table', table: 1 } as never],
}

test('their flows for the tunnel are repeated for every pod, with its MAC address written first', () => {
  const others: readonly Flow[] = [
    { ...TAKES, match: { ...TAKES.match, eth_type: 0x806 } },
    { ...TAKES, match: { ...TAKES.match, in_port: 2 } },
    { ...TAKES, match: { ...TAKES.match, ipv4_dst: '10.200.0.0/16' } },
    { ...TAKES, actions: [] },
  ]
  const [eased, ...more] = easingFlows([TAKES, ...others], new Set([1]), [
    { address: ip('10.128.0.2'), mac: parseMac('0e:00:00:00:00:02') as never },
  ])
  expect(more).toEqual([])
  expect(eased).toEqual({
    ...TAKES,
    priority: 201,
    cookie: expect.any(BigInt),
    match: { ...TAKES.match, ipv4_dst: '10.128.0.2' },
    actions: [{ op: 'set', field: 'eth_dst', value: '0e:00:00:00:00:02' }, ...TAKES.actions],
  })
  // A second call does not repeat its own.
  expect(
    easingFlows(eased === undefined ? [] : [eased], new Set([1]), [
      { address: ip('10.128.0.2'), mac: parseMac('0e:00:00:00:00:02') as never },
    ]),
  ).toEqual([])
})

test('whatever was found, a pod is taken over or in the way, and nothing twice', () => {
  const index = fc.integer({ min: 2, max: 5 })
  const pods = fc.array(
    index.map((n) => found(n)),
    { maxLength: 5 },
  )
  const records = fc.array(index.map((n) => ({ address: `10.128.0.${n}`, containerId: `c${n}`, ifname: undefined })))
  fc.assert(
    fc.property(pods, records, fc.array(index.map((n) => pod(n))), (seen, written, known) => {
      const bridge = { ...BRIDGE, ports: [...new Set(seen.map(({ host }) => host.name))].map((name) => port(name)) }
      const adoption = plan({ pods: seen, records: written, bridge }, { pods: known })
      if (adoption.obstacles.length > 0) return
      expect(adoption.pods).toHaveLength(seen.length)
      expect(new Set(adoption.pods.map(({ lease }) => lease.link)).size).toBe(seen.length)
      expect(new Set(adoption.pods.map(({ lease }) => lease.endpoint.ofport)).size).toBe(seen.length)
    }),
  )
})
