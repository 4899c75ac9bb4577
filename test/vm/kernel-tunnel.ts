/**
 * Two nodes on the kernel's datapath, inside the guest that `main.ts` starts: their plans, a real tunnel between them. What connection
 * tracking forgets or keeps on a packet's way is the kernel's own affair. Prints what it sees, and ends with 1 when
 * something is not as it should be.
 * @module
 */
import { equal, ok } from 'node:assert/strict'
import { linkAdd, netnsAdd, openRtnl, withNetns } from '../../src/linux/index.ts'
import { nodeContext } from '../../src/network/context.ts'
import { tunnelInterface } from '../../src/network/fabric/encapsulation.ts'
import { BRIDGE, TUNNEL } from '../../src/network/host.ts'
import { familyOf, type Ip, ip, macFromIp } from '../../src/network/model/address.ts'
import type { Endpoint } from '../../src/network/model/endpoint.ts'
import type { Policy } from '../../src/network/model/policy.ts'
import { ANSWER_METERS } from '../../src/network/pipeline/answers.ts'
import { GATEWAY_PORT, TUNNEL_PORT } from '../../src/network/pipeline/stages.ts'
import { NodePlanner } from '../../src/network/planner.ts'
import { addFlows, connectOpenFlow, removeFlows } from '../../src/ovs/openflow/index.ts'
import { startOvsSandbox } from '../../src/ovs/testing/ovs-sandbox.ts'
import { countersOf, startBulk } from '../lab/bulk.ts'
import { run } from '../lab/command.ts'
import { eventually } from '../lab/lab.ts'
import { SAMPLE_CLUSTER, sampleNode } from '../tables/sample-node.ts'

/** The guest is emulated: everything takes ten times as long. */
const PATIENCE_MS = 120_000
const VNI = 42
const VIPS = { 4: ip('172.30.0.10'), 6: ip('fd00:172:30::10') } as const
const STATUS = { ready: true, uplinkMtu: 1500, datapath: 'system' } as const

type Node = Awaited<ReturnType<typeof startNode>>
type Pod = Awaited<ReturnType<Node['attach']>>

const near = await startNode(1)
const far = await startNode(2)
linkAdd(near.rtnl, { kind: 'veth', name: 'up0', up: true, peer: { name: 'up0', nsFd: far.fd } })
for (const node of [near, far]) await node.connect()
const web = await near.attach('web', 2)
const api = await near.attach('api', 3)
const sink = await far.attach('sink', 2)
for (const node of [near, far]) {
  offer(node, [web, sink])
  await node.apply()
}

for (const [from, to] of [
  [web, api],
  [web, sink],
  [sink, web],
] as const) {
  for (const address of to.addresses) {
    for (const size of ['56', '4000']) {
      const { code } = await inside(from, 'ping', '-c', '1', '-W', '10', '-s', size, address)
      console.log(`${from.name} → ${to.name} ${address}, ${size} bytes: ${code === 0 ? 'an answer' : 'none'}`)
      equal(code, 0)
    }
  }
}

for (const address of Object.values(VIPS)) {
  const answers = new Set<string>()
  for (let i = 0; i < 12; i += 1) {
    const { stdout } = await inside(web, 'busybox', 'nc', '-w', '20', address, '80')
    answers.add(stdout)
  }
  console.log(`web → service ${address}: ${[...answers].sort().join(', ')}`)
  equal([...answers].sort().join(' '), 'sink web')
}
const known = (await near.ovs.appctl('dpctl/dump-conntrack', 'system@ovs-system')).split('\n')
const led = known.filter((line) => line.includes(`dst=${VIPS[4]}`) && line.includes(`src=${sink.addresses[0]},`))
ok(
  led.length > 0 && led.every((line) => line.includes('labels=0x1')),
  'a service’s connection is not marked as allowed',
)
console.log(`${led.length} connections to the service’s endpoint on the other node are remembered once, as allowed`)

const streams = await Promise.all([web, api].map((pod) => startBulk(pod.fd, { fd: sink.fd, address: sink.address })))
console.log(`both send: ${await arrives(sink)}`)
far.planner.putPolicy(onlyFrom('web'))
await far.apply()
await Bun.sleep(2_000)
const before = countersOf(api.fd).received
await Bun.sleep(3_000)
const answersToApi = countersOf(api.fd).received - before
console.log(`a policy that allows web alone: ${await arrives(sink)}; api has heard ${answersToApi} bytes`)
equal(answersToApi, 0)
ok((await rate(sink)) > 0, 'the allowed stream does not go on')
const probe = await run(['ip', 'netns', 'exec', far.netns, 'ping', '-c', '2', '-W', '10', sink.address])
equal(probe.code, 0, 'the node does not reach its own pod')
far.planner.removePolicy(`NetworkPolicy/shop/only-web`)
await far.apply()
await Bun.sleep(20_000)
const since = countersOf(api.fd).received
await Bun.sleep(5_000)
ok(countersOf(api.fd).received > since, 'the cut stream does not go on without the policy')
console.log('without it, api goes on')
for (const stream of streams) stream.close()
console.log('as it should be')
process.exit(0)

async function startNode(number: 1 | 2) {
  const self = { ...sampleNode(number), status: STATUS }
  const netns = `wefttest-vm-node${number}`
  const fd = netnsAdd(netns)
  const rtnl = openRtnl({ nsFd: fd })
  const ovs = await startOvsSandbox({ netns })
  const context = nodeContext(SAMPLE_CLUSTER, self, 1450, { datapath: 'system' })
  if (context === undefined) throw new Error('a node has ranges')
  const planner = new NodePlanner(context)
  planner.putPeer({ ...sampleNode(3 - number), status: STATUS })
  planner.putTenant('shop', VNI)
  planner.putNamespace({ name: 'shop', uid: 'u-shop' })
  const { type, options } = tunnelInterface(SAMPLE_CLUSTER.encapsulation, SAMPLE_CLUSTER.underlay)
  const settings = Object.entries(options).map(([key, value]) => `options:${key}=${value}`)
  await ovs.vsctl(
    '--no-wait',
    'add-br',
    BRIDGE,
    '--',
    'set',
    'Bridge',
    BRIDGE,
    'datapath_type=system',
    'fail_mode=secure',
  )
  await ovs.vsctl(
    ...['--no-wait', 'add-port', BRIDGE, TUNNEL, '--', 'set', 'Interface', TUNNEL, `type=${type}`, ...settings],
    `ofport_request=${TUNNEL_PORT}`,
  )
  const gateway = ['set', 'Interface', 'gw0', 'type=internal', `ofport_request=${GATEWAY_PORT}`]
  await ovs.vsctl('--no-wait', 'add-port', BRIDGE, 'gw0', '--', ...gateway, `mac="${context.routerMac}"`)
  const client = await connectOpenFlow({ path: ovs.mgmtSocket(BRIDGE), fragments: 'nx-match', waitForSwitch: true })
  const meters = Object.values(ANSWER_METERS).map((id) => ({ id, unit: 'pktps', rate: 100 }) as const)
  await client.meters(meters.map((meter) => ({ op: 'add', meter })))

  return {
    netns,
    fd,
    rtnl,
    ovs,
    planner,
    /** The node's own addresses: on the underlay, and in the overlay. */
    async connect() {
      await ip_(netns, 'link', 'set', 'lo', 'up')
      await ip_(netns, 'addr', 'add', `${self.addresses[0]}/24`, 'dev', 'up0')
      await ip_(netns, 'link', 'set', 'up0', 'up')
      const isThere = async () => (await run(['ip', '-n', netns, 'link', 'show', 'gw0'])).code === 0
      await eventually('the gateway port is there', isThere, PATIENCE_MS)
      await ip_(netns, 'link', 'set', 'gw0', 'up', 'mtu', '1450')
      for (const { gateway: address, range } of context.ranges) {
        const [length, ...more] = familyOf(address) === 4 ? ['32'] : ['128', 'nodad']
        await ip_(netns, 'addr', 'add', `${address}/${length}`, 'dev', 'gw0', ...more)
        await ip_(netns, 'route', 'add', range, 'dev', 'gw0', 'src', address)
      }
    },
    async attach(name: string, host: number) {
      const address = ip(`10.${127 + number}.0.${host}`)
      const address6 = ip(`fd00:10:128:${number}::${host}`)
      const endpoint: Endpoint = {
        ...{ id: `${name}/eth0`, containerId: name, ifname: 'eth0', namespace: 'shop', pod: name },
        ...{ mac: macFromIp(address), addresses: [address, address6], ofport: 0x1000 + host },
      }
      const pod = `wefttest-vm-${name}`
      const podFd = netnsAdd(pod)
      linkAdd(rtnl, {
        kind: 'veth',
        name: `v${name}`,
        up: true,
        mtu: 1450,
        peer: { name: 'eth0', nsFd: podFd, mtu: 1450 },
      })
      await ip_(pod, 'link', 'set', 'eth0', 'address', endpoint.mac, 'up')
      for (const one of endpoint.addresses) {
        const via = context.ranges.find(({ family }) => family === familyOf(one))?.gateway ?? ''
        const six = familyOf(one) === 6 ? ['nodad'] : []
        await ip_(pod, 'addr', 'add', `${one}/${six.length > 0 ? 128 : 32}`, 'dev', 'eth0', ...six)
        await ip_(pod, 'route', 'add', via, 'dev', 'eth0')
        await ip_(pod, 'route', 'add', 'default', 'via', via, 'dev', 'eth0', ...(six.length > 0 ? [] : ['src', one]))
        await ip_(pod, 'neigh', 'add', via, 'lladdr', context.routerMac, 'dev', 'eth0', 'nud', 'permanent')
        await ip_(netns, 'neigh', 'add', one, 'lladdr', endpoint.mac, 'dev', 'gw0', 'nud', 'permanent')
      }
      await ovs.vsctl(
        '--no-wait',
        'add-port',
        BRIDGE,
        `v${name}`,
        '--',
        'set',
        'Interface',
        `v${name}`,
        `ofport_request=${endpoint.ofport}`,
      )
      planner.putEndpoint(endpoint)
      const open = (socket: { end(text: string): number }) => void socket.end(name)
      withNetns(podFd, () => Bun.listen({ hostname: '::', port: 8080, socket: { open, data: () => undefined } }))
      return { name, netns: pod, fd: podFd, node: self.node, address, addresses: endpoint.addresses }
    },
    /** Has the switch hold the plan. */
    async apply() {
      const held = (await client.dumpFlows()).map(({ flow }) => flow)
      const groups = await client.dumpGroups()
      const flows = [...removeFlows(held), ...addFlows(planner.flows())]
      const mods = planner.groups().map((group) => {
        return { op: groups.some(({ id }) => id === group.id) ? ('modify' as const) : ('add' as const), group }
      })
      await client.bundle({ groups: mods, flows })
    },
  }
}

/** A service in front of these pods, and whose they are. */
function offer({ planner }: Node, pods: readonly Pod[]): void {
  for (const { name, node, addresses } of [web, api, sink]) {
    planner.putPod({ namespace: 'shop', name, uid: `u-${name}`, node, addresses, labels: { name } })
  }
  planner.putService({
    namespace: 'shop',
    name: 'all',
    clusterIps: Object.values(VIPS),
    ports: [{ name: '', protocol: 'TCP', port: 80 }],
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
  })
  for (const family of [4, 6] as const) {
    planner.putEndpointSlice({
      namespace: 'shop',
      name: `all-${family}`,
      service: 'all',
      ports: [{ name: '', protocol: 'TCP', port: 8080 }],
      endpoints: pods.flatMap(({ node, addresses }) =>
        addresses
          .filter((address) => familyOf(address) === family)
          .map((address) => ({ address, ready: true, serving: true, terminating: false, node })),
      ),
    })
  }
}

/** `sink` takes connections of the pod of this name alone. */
function onlyFrom(name: string): Policy {
  const all = { name: 'shop' }
  return {
    ...{ kind: 'NetworkPolicy', namespace: 'shop', name: `only-${name}`, tier: 'namespace', priority: 0 },
    subject: { namespaces: all, pods: [{ key: 'name', operator: 'In', values: ['sink'] }] },
    ingress: [
      {
        action: 'allow',
        peers: [{ type: 'pods', namespaces: all, pods: [{ key: 'name', operator: 'In', values: [name] }] }],
      },
    ],
  }
}

async function rate({ fd }: Pod): Promise<number> {
  const { received } = countersOf(fd)
  await Bun.sleep(3_000)
  return ((countersOf(fd).received - received) * 8) / 3
}

async function arrives(pod: Pod): Promise<string> {
  return `${((await rate(pod)) / 1e6).toFixed(2)} Mbit/s arrive at ${pod.name}`
}

function inside({ netns }: Pod, ...command: readonly string[]) {
  return run(['ip', 'netns', 'exec', netns, ...command])
}

async function ip_(netns: string, ...words: readonly (string | Ip)[]): Promise<void> {
  const { code, stderr } = await run(['ip', '-n', netns, ...words])
  equal(code, 0, `ip ${words.join(' ')}: ${stderr}`)
}
