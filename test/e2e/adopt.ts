/**
 * `weft adopt`: nodes as k8s-ovs and OpenShift SDN leave them, with running pods, become Weft's. No address changes; what
 * is lost is counted.
 */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AgentClient } from '../../src/insight/gather/agent-client.ts'
import { outsideAddress } from '../../src/playground/layout.ts'
import { startProcess } from '../../src/playground/processes.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { type Outcome, output, run } from '../lab/command.ts'
import { type Lab, PLUGIN } from '../lab/lab.ts'
import { hostLocalOf, type OldNode, type OldPlugin, type OldPod } from '../lab/old-node.ts'
import {
  BEFORE,
  buildOldSite,
  DATAPATH,
  describeReach,
  expectReach,
  inTime,
  reach,
  type Site,
  SLOWNESS,
} from '../lab/old-site.ts'
import { describeTally, startPinger } from '../lab/pinger.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'
import { openStream } from '../lab/stream.ts'

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
  const site = await buildOldSite(plugin, lab)
  sites.set(plugin, site)
  say(`${plugin}: ${describeReach(await reach(lab, site))}`)
}

function adoptCommand(
  lab: Lab,
  site: Site,
  { layout, ...node }: OldNode,
  ...more: readonly string[]
): readonly string[] {
  const ours = more.includes('--prepare') ? [] : ['--registry', site.place]
  const where = [...ours, '--ovsdb', layout.ovsdbSocket, '--ovs-run-dir', layout.ovsDir]
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
  await inTime('the agent says what it waits for', async () => (await waitingFor()).includes('weft-tunnel'))
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
    await inTime(`the stream ${stream.name} goes on`, () => stream.bytes() > arrived)
    stream.close()
  }
  say(`TCP connections that stood before go on: ${streams.map(({ name }) => name).join(', ')}`)
  for (const [title, pinger] of pingers) {
    const tally = await pinger.stop()
    say(`${title}: ${describeTally(tally)}`)
    ok(tally.answered > 20, title)
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
  // Killed a little later every time, until it once comes to its end: the longer a busy machine lets it take, the larger the steps.
  for (let after = 100 * SLOWNESS, calls = 1; ; after += Math.max(20 * SLOWNESS ** 2, after / 20), calls += 1) {
    const child = Bun.spawn([...adoptCommand(lab, site, second)], { stdout: 'pipe', stderr: 'pipe' })
    const timer = setTimeout(() => child.kill('SIGKILL'), after)
    const code = await child.exited
    clearTimeout(timer)
    ok(calls < 60, 'it never comes to its end')
    if (code !== 0) continue
    say(`came to its end in call ${calls}; the others were killed, a little later each time`)
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
    await inTime(`${layout.name} is ready`, () =>
      client.status().then(
        ({ ready }) => ready,
        () => false,
      ),
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
  await inTime('port and link are gone', async () => {
    const { leases, links } = await client.facts()
    return leases.length === 2 && links.length === 2
  })
}

if (import.meta.main) await runScenario(adoptFrom(process.argv.includes('openshift') ? 'openshift' : 'k8s-ovs'))
