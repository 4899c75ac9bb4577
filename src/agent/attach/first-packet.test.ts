/** Policies are there before a pod's first packet: a real Open vSwitch without devices is asked after every bundle. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { SAMPLE_PODS, samplePlanner } from '../../../test/tables/sample-node.ts'
import { type AddRequest, parseRequest } from '../../cni/index.ts'
import { type Scratch, scratch } from '../../linux/testing/scratch.ts'
import { BRIDGE } from '../../network/host.ts'
import { cidr } from '../../network/model/address.ts'
import type { Endpoint } from '../../network/model/endpoint.ts'
import type { Peer, Policy } from '../../network/model/policy.ts'
import { STAGES } from '../../network/pipeline/stages.ts'
import type { NodePlanner } from '../../network/planner.ts'
import { connectOvsdb, type OvsdbClient } from '../../ovs/ovsdb/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../../ovs/testing/ovs-sandbox.ts'
import { unixctl } from '../../ovs/unixctl.ts'
import { type FlowTables, Forwarding } from '../switch/forwarding.ts'
import { Switch } from '../switch/switch.ts'
import { Attachments } from './attachments.ts'
import { EndpointLinks } from './endpoint-links.ts'
import { AddressPools } from './pools.ts'
import { Ports } from './ports.ts'

const { api } = SAMPLE_PODS
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const stop = new AbortController()

let ovs: OvsSandbox
let client: OvsdbClient
let host: Scratch
let pod: Scratch
let links: EndpointLinks
let bridge: Switch

beforeEach(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  await ovs.vsctl('add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, 'protocols=OpenFlow15', 'fail_mode=secure')
  await ovs.vsctl(
    'add-port',
    BRIDGE,
    'api',
    '--',
    'set',
    'interface',
    'api',
    'type=dummy',
    `ofport_request=${api.ofport}`,
  )
  client = await connectOvsdb({ path: ovs.dbSocket })
  host = scratch()
  pod = scratch()
  links = new EndpointLinks(host.rtnl, 'system')
  const listener = { connected: () => undefined, disconnected: () => undefined, mtu: () => 1450 }
  bridge = await Switch.open(ovs.dir, 'netdev', listener, SILENT, stop.signal)
  await bridge.ensureMeters()
})

afterEach(async () => {
  links[Symbol.dispose]()
  client.close()
  for (const place of [host, pod]) place[Symbol.dispose]()
  await ovs.stop()
})

const deny: Policy = {
  kind: 'NetworkPolicy',
  namespace: 'shop',
  name: 'cart',
  tier: 'namespace',
  priority: 0,
  subject: { namespaces: { name: 'shop' }, pods: [{ key: 'app', operator: 'In', values: ['cart'] }] },
  ingress: [],
  egress: [],
}

/** More than what is sent in one piece where no policy is. */
const ranges = Array.from(
  { length: 3_000 },
  (_, n): Peer => ({
    type: 'range',
    range: cidr(`172.${16 + (n >> 8)}.${n & 0xff}.0/24`),
    except: [],
  }),
)
const largeIngress: Policy = { ...deny, ingress: [{ action: 'allow', peers: ranges }] }
const largeEgress: Policy = { ...deny, egress: [{ action: 'allow', peers: ranges }] }

test.each<[string, Policy | undefined, boolean]>([
  ['no policy', undefined, true],
  ['a policy that lets nothing through', deny, true],
  ['a policy that lets nothing through, and a pod that nobody has told of yet', deny, false],
  ['a policy of ingress with thousands of ranges', largeIngress, true],
  ['a policy of egress with thousands of ranges', largeEgress, true],
])('%s', async (_, policy, isKnown) => {
  const planner = samplePlanner()
  if (policy !== undefined) planner.putPolicy(policy)
  const known = (name: string) => ({
    namespace: 'shop',
    name,
    uid: name,
    node: 'node1',
    addresses: [],
    labels: { app: name },
  })
  planner.putPod(known('api'))
  if (isKnown) planner.putPod(known('cart'))
  const seen: boolean[] = []
  const forwarding = new Forwarding(
    watched(async () => {
      seen.push(await isReached(planner, 'to'), await isReached(planner, 'from'))
    }),
  )
  forwarding.follow(planner)
  await forwarding.sync()
  seen.length = 0
  const ports = await Ports.open(client, 'system', stop.signal)
  await attach(planner, forwarding, ports)
  expect(seen).toHaveLength(2)
  const end = [await isReached(planner, 'to'), await isReached(planner, 'from')]
  if (policy === undefined) expect(end).toEqual([true, true])
  else expect(new Set([...seen, ...end])).toEqual(new Set([false]))
})

/** The bridge; `look` is called when it has taken a bundle, and before it gets the next. */
function watched(look: () => Promise<void>): FlowTables {
  const bound = (name: keyof FlowTables) => (bridge[name] as (...all: unknown[]) => unknown).bind(bridge)
  const names = [
    'dump',
    'dumpGroups',
    'dumpMeters',
    'changeMeters',
    'removeOpaque',
    'forgetUdp',
    'forgetCalls',
  ] as const
  return {
    ...Object.fromEntries(names.map((name) => [name, bound(name)])),
    apply: async (diff, confirm) => {
      await bridge.apply(diff, confirm)
      await look()
    },
  } as FlowTables
}

/** Whether the first packet of a connection between `api` and the new pod gets to the last stage. */
async function isReached(planner: NodePlanner, way: 'to' | 'from'): Promise<boolean> {
  const cart = [...planner.endpoints()].find(({ pod: name }) => name === 'cart')
  if (cart === undefined) return false
  const [from, to]: readonly [Endpoint, Endpoint] = way === 'to' ? [api, cart] : [cart, api]
  const packet = `in_port=${from.ofport},dl_src=${from.mac},dl_dst=${planner.context.routerMac}`
  const text = await unixctl(ovs.vswitchdCtl, 'ofproto/trace', [
    BRIDGE,
    `${packet},tcp,nw_src=${from.addresses[0]},nw_dst=${to.addresses[0]},nw_ttl=64,tcp_src=40000,tcp_dst=80`,
  ])
  return new RegExp(`^\\s*${STAGES.deliver.table}\\. `, 'm').test(text)
}

async function attach(planner: NodePlanner, forwarding: Forwarding, ports: Ports): Promise<void> {
  const pools = new AddressPools(60, Date.now, () => 0)
  pools.setRanges(
    planner.context,
    [...planner.endpoints()].flatMap(({ addresses }) => addresses),
  )
  const attachments = new Attachments({
    ports,
    links,
    pools,
    limiter: { limitsFor: () => ({ limits: {}, problems: [] }), attached: () => undefined },
    shaper: { apply: () => 'settled' },
    forwarding,
    planner: () => planner,
    waitingFor: () => [],
    tenantOf: async () => 42,
    whyNoTenant: async () => ({ reason: 'unknown' }),
    signal: stop.signal,
  })
  const CNI_ARGS = 'K8S_POD_NAMESPACE=shop;K8S_POD_NAME=cart;K8S_POD_INFRA_CONTAINER_ID=c1'
  const call = {
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'c1',
    CNI_NETNS: '/run/netns/c1',
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/x',
  }
  const config = JSON.stringify({ cniVersion: '1.0.0', name: 'weft', type: 'weft' })
  await attachments.add(parseRequest({ ...call, CNI_ARGS }, config) as AddRequest, {
    fd: pod.nsFd,
    path: '/run/netns/c1',
  })
}
