/**
 * The whole agent on the kernel's datapath, inside the guest that `bandwidth.ts` starts: pods attached by the CNI plugin, limits of
 * pods, totals of namespaces and shares of the uplink by what the registry says. The guest is the node. Prints what it
 * measures, and ends with 1 when something is not as it should be.
 * @module
 */
import { ok } from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runAgent } from '../../src/agent/agent.ts'
import { AGENT_DEFAULTS } from '../../src/agent/options.ts'
import type { LimitFact } from '../../src/agent/qos/limiter.ts'
import { DETOURS } from '../../src/agent/qos/on-node.ts'
import { AgentClient } from '../../src/insight/gather/agent-client.ts'
import { addrAdd, classList, linkAdd, linkGet, linkSet, netnsAdd, openRtnl, qdiscList } from '../../src/linux/index.ts'
import { familyOf, type Ip, ip } from '../../src/network/model/address.ts'
import type { Bandwidth } from '../../src/network/model/bandwidth.ts'
import { startOvsSandbox } from '../../src/ovs/testing/ovs-sandbox.ts'
import { MemoryRegistry } from '../../src/registry/memory.ts'
import { measure, startBulk } from '../lab/bulk.ts'
import { eventually } from '../lab/lab.ts'
import { callPlugin } from '../lab/plugin.ts'
import { SAMPLE_CLUSTER, sampleNode } from '../tables/sample-node.ts'

const PATIENCE_MS = 120_000
const SECONDS = 10
const NODE = sampleNode(1)
const SILENT = { debug: () => undefined, info: () => undefined, warn: said, error: said }

/** One line each: the guest's console is slow. */
function said(_: object, message: string): void {
  console.log(`  (${message})`)
}

interface Pod {
  readonly name: string
  readonly fd: number
  readonly address: Ip
  del(): Promise<void>
}

await using ovs = await startOvsSandbox()
using rtnl = openRtnl()
linkAdd(rtnl, { kind: 'veth', name: 'up0', up: true, peer: { name: 'up1' } })
linkSet(rtnl, 'up1', { up: true })
const uplink = linkGet(rtnl, 'up0').index
addrAdd(rtnl, { link: uplink, address: `${NODE.addresses[0]}/24` })

const registry = new MemoryRegistry()
// The kernel's datapath cannot answer neighbour solicitations: Open vSwitch refuses to set their options there.
const networks = SAMPLE_CLUSTER.networks.filter(({ cidr }) => familyOf(cidr) === 4)
await registry.create('Cluster', 'default', { ...SAMPLE_CLUSTER, networks, serviceNetworks: [] })
const ranges = NODE.ranges.filter((range) => familyOf(range) === 4)
await registry.create('NodeNetwork', NODE.node, { ...NODE, ranges })
await registry.create('Namespace', 'shop', { name: 'shop', uid: 'u' })
await registry.create('Tenant', 'shop', { namespace: 'shop', vni: 42 })
const runDir = mkdtempSync(join(tmpdir(), 'weft-vm-'))
const end = new AbortController()
const paths = { ovsdb: ovs.dbSocket, ovsRunDir: ovs.dir, runDir }
const options = {
  ...AGENT_DEFAULTS,
  ...paths,
  node: NODE.node,
  datapath: 'system',
  uplinkMbit: 50,
  resync: 10,
} as const
const running = runAgent(options, registry, SILENT as never, end.signal)
const agent = new AgentClient({ path: join(runDir, 'agent.sock'), node: NODE.node })
await eventually(
  'the agent is ready',
  () =>
    agent.status().then(
      ({ ready }) => ready,
      () => false,
    ),
  PATIENCE_MS,
)
console.log('the agent is ready on the kernel’s datapath')

const web = await attach('web', { toPod: { rate: 10e6 }, fromPod: { rate: 10e6 } })
const api = await attach('api')
const cart = await attach('cart')
await held('web', ({ inForce }) => inForce.toPod?.rate === 10e6 && inForce.fromPod?.rate === 10e6)
for (const attempt of [1, 2, 3]) {
  const streams = await Promise.all([stream(web, cart), stream(cart, web)])
  const [ofWeb, ofCart] = await Promise.all([measure(web.fd, SECONDS * 1000), measure(cart.fd, SECONDS * 1000)])
  for (const one of streams) one.close()
  console.log(
    `10 Mbit/s both ways: web receives ${shown(ofWeb.received)}, what it sends arrives with ${shown(ofCart.received)}`,
  )
  const rates = [ofWeb.received, ofCart.received]
  ok(Math.max(...rates) < 10e6 * 1.05, 'too fast')
  if (Math.min(...rates) > 10e6 * 0.95) break
  ok(attempt < 3, 'too slow, three times')
}
await ask('web', undefined)
await eventually('web is not limited', async () => (await agent.bandwidth()).length === 0, PATIENCE_MS)
console.log('the limit is lifted')

const since = performance.now()
const stored = await registry.get('Namespace', 'shop')
await registry.update(
  'Namespace',
  'shop',
  { name: 'shop', uid: 'u', totals: { fromPod: { rate: 20e6 } } },
  stored?.revision ?? 0,
)
await held('', ({ inForce }) => inForce.fromPod?.rate === 20e6)
console.log(
  `a total of 20 Mbit/s for what the namespace sends: in force after ${Math.round(performance.now() - since)} ms`,
)
const both = await Promise.all([stream(web, cart), stream(api, cart), stream(api, cart)])
await Bun.sleep(1_000)
const [one, other, all] = await Promise.all([web, api, cart].map(({ fd }) => measure(fd, SECONDS * 1000)))
for (const each of both) each.close()
console.log(
  `web, one stream, ${shown(one?.sent ?? 0)}; api, two streams, ${shown(other?.sent ?? 0)}; ${shown(all?.received ?? 0)} arrive`,
)
// What cart answers is of its namespace too.
ok((all?.received ?? 0) < 20e6 * 1.05 && (all?.received ?? 0) > 20e6 * 0.85)
ok(Math.min(one?.sent ?? 0, other?.sent ?? 0) / Math.max(one?.sent ?? 1, other?.sent ?? 1) > 0.75, 'no fair shares')

const classes = classList(rtnl, uplink).map(({ handle }) => (handle % 0x10000).toString(16))
console.log(`classes on the uplink: ${classes.sort().join(' ')}`)
ok(classes.length === 5, 'all, the node, and three pods')
const { fragments, installed } = await agent.facts()
ok(fragments.flatMap(({ flows }) => flows).length === installed.length, 'the switch is not as planned')
for (const pod of [web, api, cart]) await pod.del()
await eventually(
  'nothing is left of the pods',
  () => {
    const detour = linkGet(rtnl, DETOURS.fromPod.name).index
    return classList(rtnl, detour).length === 0 && classList(rtnl, uplink).length === 2
  },
  PATIENCE_MS,
)
console.log('nothing is left of them')
end.abort()
await running
ok(qdiscList(rtnl, { link: uplink }).length > 0, 'an agent that stops leaves what it made')
console.log('as it should be')
process.exit(0)

/** Attaches a pod that the registry knows, as a container runtime does. */
async function attach(name: string, bandwidth?: Bandwidth): Promise<Pod> {
  const pod = { namespace: 'shop', name, uid: `u-${name}`, node: NODE.node, addresses: [] }
  await registry.create('Pod', `shop/${name}`, bandwidth === undefined ? pod : { ...pod, bandwidth })
  const netns = `wefttest-vm-${name}`
  const fd = netnsAdd(netns)
  const call = async (verb: string) => {
    const environment = {
      CNI_COMMAND: verb,
      CNI_CONTAINERID: name,
      CNI_NETNS: `/run/netns/${netns}`,
      CNI_IFNAME: 'eth0',
      CNI_PATH: '/opt/cni/bin',
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${name};K8S_POD_UID=u-${name}`,
    }
    const config = JSON.stringify({ cniVersion: '1.0.0', name: 'weft', type: 'weft' })
    const answer = await callPlugin(join(runDir, 'cni.sock'), environment, config)
    ok(answer.code === 0, answer.text)
    return answer.json as { readonly ips: readonly { readonly address: string }[] }
  }
  const { ips } = await call('ADD')
  const address = ips.map((one) => ip(one.address.split('/')[0] ?? '')).find((one) => familyOf(one) === 4)
  if (address === undefined) throw new Error(`${name} has no address`)
  console.log(`${name} has ${address}`)
  return { name, fd, address, del: async () => void (await call('DEL')) }
}

async function ask(name: string, bandwidth: Bandwidth | undefined): Promise<void> {
  const known = await registry.get('Pod', `shop/${name}`)
  if (known === undefined) throw new Error(name)
  const { bandwidth: _, ...pod } = known.value
  await registry.update('Pod', `shop/${name}`, bandwidth === undefined ? pod : { ...pod, bandwidth }, known.revision)
}

async function held(pod: string, holds: (fact: LimitFact) => boolean): Promise<void> {
  const isSo = async () => (await agent.bandwidth()).some((fact) => fact.pod === pod && holds(fact))
  await eventually(`${pod} is held as it should be`, isSo, PATIENCE_MS)
}

function stream(from: Pod, to: Pod) {
  return startBulk(from.fd, { fd: to.fd, address: to.address })
}

function shown(rate: number): string {
  return `${(rate / 1e6).toFixed(2)} Mbit/s`
}
