/**
 * `weft adopt`: nodes as k8s-ovs and OpenShift SDN leave them, with running pods, become Weft's. No address changes; what
 * is lost is counted.
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AgentClient } from '../../src/insight/gather/agent-client.ts'
import { ping } from '../../src/linux/index.ts'
import { cidr, ip } from '../../src/network/model/address.ts'
import { startSwitch } from '../../src/playground/lab/switch.ts'
import { makeUnderlay, plugInNode } from '../../src/playground/lab/underlay.ts'
import { nodeLayout, outsideAddress } from '../../src/playground/layout.ts'
import { startProcess } from '../../src/playground/processes.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { type Outcome, output, run } from '../lab/command.ts'
import { eventually, type Lab, PLUGIN } from '../lab/lab.ts'
import {
  addOldPeer,
  addOldPod,
  buildOldNode,
  hostLocalOf,
  type OldCluster,
  type OldNode,
  type OldPlugin,
  type OldPod,
} from '../lab/old-node.ts'
import { describeTally, startPinger } from '../lab/pinger.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { openStream } from '../lab/stream.ts'

const DATAPATH = 'netdev'

/** Two nodes of another plugin, and the registry that has their ranges by now. */
interface Site {
  readonly cluster: OldCluster
  readonly nodes: readonly [OldNode, OldNode]
  readonly pods: Readonly<Record<PodName, OldPod>>
  readonly place: string
}

/** `shop/web` and `shop/cart` share a node and a tenant, `bank/vault` another tenant; `shop/db` and `bank/safe` are on the second node. */
type PodName = 'web' | 'cart' | 'vault' | 'db' | 'safe'

const NAMES = {
  'k8s-ovs': {
    pods: '172.11.0.0/16',
    hostBits: 10,
    services: '10.96.0.0/12',
    ranges: ['172.11.0.0/22', '172.11.4.0/22'],
  },
  openshift: {
    pods: '10.128.0.0/14',
    hostBits: 9,
    services: '172.30.0.0/16',
    ranges: ['10.128.0.0/23', '10.129.0.0/23'],
  },
} as const

const sites = new Map<OldPlugin, Site>()

export function adoptFrom(plugin: OldPlugin): Scenario {
  const step = (title: string, work: (context: StepContext, site: Site) => Promise<void>) => ({
    title,
    run: (context: StepContext) => work(context, siteOf(plugin)),
  })
  return {
    name: `adopt-${plugin}`,
    lab: undefined,
    steps: [
      { title: `two nodes of ${plugin} with five pods`, run: (context) => build(plugin, context) },
      step('a dry run shows every pod and changes nothing', dryRun),
      step('what is in the way is named, and nothing is done', inTheWay),
      step('the bridges that stay for now are prepared', prepareBridges),
      step('an agent that runs already waits, and changes nothing', agentWaits),
      step('the first node is taken over under traffic', firstNode),
      step('a node that has come over and one that has not reach each other’s pods', between),
      step('killed in the middle, the second node is taken over by the next call', secondNode),
      step('agents find everything as planned', agents),
      step('a pod that was taken over is deleted as any other', removal),
    ],
  }
}

function siteOf(plugin: OldPlugin): Site {
  const site = sites.get(plugin)
  if (site === undefined) throw new Error('the nodes were not built')
  return site
}

async function build(plugin: OldPlugin, { lab, say }: StepContext): Promise<void> {
  const { layout } = lab
  for (const folder of [layout.runDir, layout.intentDir, layout.podDir, layout.logDir])
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  writeFileSync(layout.stateFile, '{}')
  const { pods, services, ranges, hostBits } = NAMES[plugin]
  const cluster: OldCluster = { plugin, pods, services, datapath: DATAPATH }
  makeUnderlay(layout)
  const old = async (index: number, range: string): Promise<OldNode> => {
    const node = nodeLayout(layout, index)
    plugInNode(layout, node)
    await startSwitch(layout, node, DATAPATH)
    return { layout: node, range, gateway: ip(range.replace(/0\/\d+$/, '1')), address: node.addresses[0] }
  }
  const nodes = [await old(1, ranges[0]), await old(2, ranges[1])] as const
  const [first, second] = nodes
  for (const node of nodes) await buildOldNode(cluster, node)
  await addOldPeer(cluster, first, second)
  await addOldPeer(cluster, second, first)
  const pod = (node: OldNode, n: number, namespace: string, name: string, vni: number): OldPod => ({
    namespace,
    name,
    vni,
    address: ip(node.range.replace(/0\/\d+$/, String(n))),
    containerId: `${name}${'0123456789abcdef'.repeat(4)}`.slice(0, 64),
    netns: `${layout.prefix}-${name}`,
    link: `veth${(n * 65_537 + 0x1a2b3c00).toString(16).slice(0, 8)}`,
  })
  const made = {
    web: pod(first, 5, 'shop', 'web', 300_924),
    cart: pod(first, 6, 'shop', 'cart', 300_924),
    vault: pod(first, 7, 'bank', 'vault', 3_831_805),
    db: pod(second, 8, 'shop', 'db', 300_924),
    safe: pod(second, 9, 'bank', 'safe', 3_831_805),
  }
  for (const name of ['web', 'cart', 'vault'] as const) await addOldPod(layout, cluster, first, made[name])
  for (const name of ['db', 'safe'] as const) await addOldPod(layout, cluster, second, made[name])
  const socket = join(layout.runDir, 'registry.sock')
  startProcess(layout, { role: 'registry', argv: lab.command('registry', '--socket', socket) })
  const site: Site = { cluster, nodes, pods: made, place: `unix:${socket}` }
  sites.set(plugin, site)
  await fillRegistry(socket, site, hostBits)
  await expectReach(lab, site, BEFORE)
  say(`${plugin}: ${describeReach(await reach(lab, site))}`)
}

/** What a migration of the other registry leaves: the ranges and virtual networks as they were. */
async function fillRegistry(socket: string, { cluster, nodes, pods }: Site, hostBits: number): Promise<void> {
  const registry = new RegistryClient(socket)
  await eventually('the registry answers', () =>
    registry.list('Cluster').then(
      () => true,
      () => false,
    ),
  )
  await registry.create('Cluster', 'default', {
    networks: [{ cidr: cidr(cluster.pods), hostBits }],
    serviceNetworks: [cidr(cluster.services)],
    tenancy: 'multitenant',
    encapsulation: { type: 'vxlan', port: 4789 },
    underlay: 4,
    services: 'weft',
  })
  for (const { layout, range } of nodes) {
    const { name: node, addresses } = layout
    await registry.create('NodeNetwork', node, {
      node,
      machine: { kind: 'node', uid: `uid-${node}` },
      addresses,
      ranges: [cidr(range)],
    })
  }
  const vnis = new Map(Object.values(pods).map(({ namespace, vni }) => [namespace, vni]))
  for (const [namespace, vni] of vnis) {
    await registry.create('Namespace', namespace, { name: namespace, uid: `uid-${namespace}` })
    await registry.create('Tenant', namespace, { namespace, vni })
  }
  for (const { namespace, name, address } of Object.values(pods)) {
    const node = nodes.find(({ range }) => address.startsWith(range.replace(/0\/\d+$/, '')))?.layout.name ?? ''
    await registry.create('Pod', `${namespace}/${name}`, {
      namespace,
      name,
      uid: `uid-${name}`,
      node,
      addresses: [address],
    })
  }
}

/** Who reaches whom; the same before and after. */
const BEFORE = [
  'web>cart',
  'web>db',
  'db>web',
  'vault>safe',
  'safe>vault',
  'web>outside',
  'node1>web',
  'node2>db',
  'node1>db',
  'node2>web',
] as const
const NEVER = ['web>vault', 'vault>db', 'cart>safe'] as const

async function reach(lab: Lab, site: Site): Promise<ReadonlyMap<string, boolean>> {
  const pairs = [...BEFORE, ...NEVER]
  const results = await Promise.all(
    pairs.map(async (pair) => {
      const [from = '', to = ''] = pair.split('>')
      const netns = from.startsWith('node') ? nodeOf(site, from).layout.netns : site.pods[from as PodName].netns
      const address = to === 'outside' ? outsideAddress(4) : site.pods[to as PodName].address
      return [pair, (await ping({ address, nsFd: lab.fd(netns), timeoutMs: 1000 })).reached] as const
    }),
  )
  return new Map(results)
}

function nodeOf({ nodes }: Site, name: string): OldNode {
  return name === 'node1' ? nodes[0] : nodes[1]
}

async function expectReach(lab: Lab, site: Site, wanted: readonly string[]): Promise<void> {
  const asWanted = (seen: ReadonlyMap<string, boolean>): boolean =>
    [...seen].every(([pair, works]) => works === wanted.includes(pair))
  let seen = await reach(lab, site)
  for (let i = 0; i < 10 && !asWanted(seen); i += 1) seen = await reach(lab, site)
  ok(asWanted(seen), describeReach(seen))
}

function describeReach(reached: ReadonlyMap<string, boolean>): string {
  return [...reached].map(([pair, works]) => `${pair} ${works ? 'yes' : 'no'}`).join(', ')
}

function adoptCommand(
  lab: Lab,
  site: Site,
  { layout, ...node }: OldNode,
  ...more: readonly string[]
): readonly string[] {
  const where = ['--registry', site.place, '--ovsdb', layout.ovsdbSocket, '--ovs-run-dir', layout.ovsDir]
  const what = ['--node', layout.name, '--datapath', DATAPATH, '--host-local', hostLocalOf({ layout, ...node })]
  return ['ip', 'netns', 'exec', layout.netns, ...lab.command('adopt', ...where, ...what, ...more)]
}

function adopt(lab: Lab, site: Site, node: OldNode, ...more: readonly string[]): Promise<Outcome> {
  return run(adoptCommand(lab, site, node, ...more))
}

async function dryRun({ lab, say }: StepContext, site: Site): Promise<void> {
  const [first] = site.nodes
  const ports = () => lab.ovs(first.layout, 'ovs-vsctl', `--db=unix:${first.layout.ovsdbSocket}`, 'show')
  const before = await ports()
  const { code, stdout, stderr } = await adopt(lab, site, first, '--dry-run')
  equal(code, 0, stdout + stderr)
  for (const name of ['web', 'cart', 'vault'] as const) {
    const { namespace, address, link } = site.pods[name]
    ok(
      stdout.split('\n').some((line) => [`${namespace}/${name}`, address, link].every((word) => line.includes(word))),
      stdout,
    )
  }
  equal(await ports(), before)
  say(stdout.trimEnd())
}

async function inTheWay({ lab, say }: StepContext, site: Site): Promise<void> {
  const [first] = site.nodes
  const registry = new RegistryClient(site.place.slice('unix:'.length))
  const stored = await registry.get('Pod', 'shop/web')
  ok(stored)
  await registry.delete('Pod', 'shop/web')
  const { code, stdout } = await adopt(lab, site, first)
  await registry.create('Pod', 'shop/web', stored.value)
  equal(code, 1, stdout)
  ok(stdout.includes(`in the way: link ${site.pods.web.link}`), stdout)
  await expectReach(lab, site, BEFORE)
  say(
    stdout
      .split('\n')
      .filter((line) => line.includes('in the way'))
      .join('\n'),
  )
}

async function prepareBridges({ lab, say }: StepContext, site: Site): Promise<void> {
  for (const node of site.nodes) {
    for (let i = 0; i < 2; i += 1) {
      const { code, stdout, stderr } = await adopt(lab, site, node, '--prepare')
      equal(code, 0, stdout + stderr)
      if (i > 0) say(stdout.trimEnd())
    }
  }
  await expectReach(lab, site, BEFORE)
}

function startAgent(lab: Lab, site: Site, { layout }: OldNode): void {
  mkdirSync(layout.agentDir, { recursive: true })
  const options = ['--node', layout.name, '--registry', site.place, '--ovsdb', layout.ovsdbSocket]
  const places = ['--ovs-run-dir', layout.ovsDir, '--run-dir', layout.agentDir, '--datapath', DATAPATH]
  const argv = lab.command('agent', ...options, ...places)
  startProcess(lab.layout, { role: `${layout.name}-agent`, argv, netns: layout.netns })
}

async function agentWaits({ lab, say }: StepContext, site: Site): Promise<void> {
  const [first] = site.nodes
  startAgent(lab, site, first)
  const client = new AgentClient({ path: join(first.layout.agentDir, 'agent.sock'), node: first.layout.name })
  const waitingFor = () =>
    client.status().then(
      (status) => status.waitingFor.join('; '),
      () => '',
    )
  await eventually('the agent says what it waits for', async () => (await waitingFor()).includes('weft-tunnel'))
  await expectReach(lab, site, BEFORE)
  say(`the agent waits for ${await waitingFor()}`)
}

async function firstNode({ lab, say }: StepContext, site: Site): Promise<void> {
  const { web, cart, db } = site.pods
  const fd = (netns: string) => lab.fd(netns)
  const target = (name: OldPod) => ({ fd: fd(name.netns), address: name.address, port: 9_000 })
  const streams = [
    await openStream('web → cart', { fd: fd(web.netns) }, target(cart)),
    await openStream('web → db', { fd: fd(web.netns) }, target(db)),
    await openStream('db → web', { fd: fd(db.netns) }, target(web)),
  ]
  const pingers = [
    ['web → cart, same node', startPinger(fd(web.netns), cart.address)],
    ['web → db, other node', startPinger(fd(web.netns), db.address)],
    ['node1 → web', startPinger(fd(site.nodes[0].layout.netns), web.address)],
    ['web → outside', startPinger(fd(web.netns), outsideAddress(4))],
  ] as const
  await Bun.sleep(1000)
  const { code, stdout, stderr } = await adopt(lab, site, site.nodes[0])
  equal(code, 0, stdout + stderr)
  say(stdout.trimEnd().split('\n').slice(-12).join('\n'))
  await Bun.sleep(1000)
  for (const stream of streams) {
    const arrived = stream.bytes()
    await eventually(`the stream ${stream.name} goes on`, () => stream.bytes() > arrived)
    stream.close()
  }
  say(`TCP connections that stood before go on: ${streams.map(({ name }) => name).join(', ')}`)
  for (const [title, pinger] of pingers) {
    const tally = await pinger.stop()
    say(`${title}: ${describeTally(tally)}`)
    ok(tally.answered > 100, title)
  }
}

/** Neighbour entries of both sides are forgotten: every pod has to ask anew. */
async function between({ lab, say }: StepContext, site: Site): Promise<void> {
  for (const { netns } of Object.values(site.pods)) await output(['ip', '-n', netns, 'neigh', 'flush', 'all'])
  await expectReach(lab, site, BEFORE)
  const { web, db } = site.pods
  for (const [from, to] of [
    [web, db],
    [db, web],
  ] as const) {
    const target = { fd: lab.fd(to.netns), address: to.address, port: 9_001 }
    const stream = await openStream(`${from.name} → ${to.name}`, { fd: lab.fd(from.netns) }, target)
    stream.close()
  }
  say(`first node Weft’s, second ${site.cluster.plugin}: ${describeReach(await reach(lab, site))}; TCP both ways`)
}

async function secondNode({ lab, say }: StepContext, site: Site): Promise<void> {
  const [, second] = site.nodes
  // Killed a little later every time, until it once comes to its end.
  for (let after = 200, calls = 1; ; after += 40, calls += 1) {
    const child = Bun.spawn([...adoptCommand(lab, site, second)], { stdout: 'pipe', stderr: 'pipe' })
    const timer = setTimeout(() => child.kill('SIGKILL'), after)
    const code = await child.exited
    clearTimeout(timer)
    if (code !== 0) continue
    say(`came to its end in call ${calls}; the others were killed after 200, 240, … ms`)
    break
  }
  const again = await adopt(lab, site, second)
  equal(again.code, 0, again.stdout + again.stderr)
  ok(again.stdout.includes('no pod is left to take over'), again.stdout)
  await expectReach(lab, site, BEFORE)
  say(describeReach(await reach(lab, site)))
}

async function agents({ lab, say }: StepContext, site: Site): Promise<void> {
  const pinger = startPinger(lab.fd(site.pods.web.netns), site.pods.db.address)
  startAgent(lab, site, site.nodes[1])
  for (const { layout } of site.nodes) {
    const client = new AgentClient({ path: join(layout.agentDir, 'agent.sock'), node: layout.name })
    await eventually(
      `${layout.name} is ready`,
      () =>
        client.status().then(
          ({ ready }) => ready,
          () => false,
        ),
      60_000,
    )
    const { status, leases, links } = await client.facts()
    deepEqual(status.problems, [])
    equal(links.length, leases.length)
  }
  const tally = await pinger.stop()
  say(`web → db while the agents start: ${describeTally(tally)}`)
  equal(tally.lost, 0)
  await expectReach(lab, site, BEFORE)
  const audit = await lab.weft('audit', '--run-dir', lab.layout.runDir)
  equal(audit.code, 0, audit.stdout + audit.stderr)
  say(audit.stdout.trimEnd())
  const rules = await run(['ip', 'netns', 'exec', site.nodes[0].layout.netns, 'iptables-save'])
  equal(/OPENSHIFT|tun0|MASQUERADE/.test(rules.stdout), false, rules.stdout)
}

async function removal(_context: StepContext, site: Site): Promise<void> {
  const { vault } = site.pods
  const [{ layout }] = site.nodes
  const env = {
    CNI_COMMAND: 'DEL',
    CNI_CONTAINERID: vault.containerId,
    CNI_NETNS: `/run/netns/${vault.netns}`,
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/opt/cni/bin',
    CNI_ARGS: `K8S_POD_NAMESPACE=${vault.namespace};K8S_POD_NAME=${vault.name}`,
    WEFT_CNI_SOCKET: layout.cniSocket,
  }
  const { code, stdout } = await run([PLUGIN], {
    env,
    input: JSON.stringify({ cniVersion: '1.0.0', name: 'weft', type: 'weft' }),
  })
  equal(code, 0, stdout)
  const client = new AgentClient({ path: join(layout.agentDir, 'agent.sock'), node: layout.name })
  await eventually('port and link are gone', async () => {
    const { leases, links } = await client.facts()
    return leases.length === 2 && links.length === 2
  })
}

if (import.meta.main) await runScenario(adoptFrom(process.argv.includes('openshift') ? 'openshift' : 'k8s-ovs'))
