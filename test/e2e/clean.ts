/**
 * Taking Weft off a node: what is ours goes, what is not stays, and the node can be used again.
 * @module
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { output } from '../lab/command.ts'
import { eventually, PLUGIN } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

export const clean: Scenario = {
  name: 'clean',
  lab: { nodes: 1 },
  steps: [
    { title: 'nothing is removed beside an agent that runs', run: refused },
    { title: 'everything of ours is told, and not touched', run: dryRun },
    { title: 'everything of ours goes, and nothing else', run: removal },
    { title: 'again, there is nothing to do', run: again },
    { title: 'it stays until it is told to end, where that is asked for', run: staying },
    { title: 'without Open vSwitch the rest goes, and it is said', run: withoutSwitch },
  ],
}

/** Of somebody else, and near to ours by name or kind. */
const FOREIGN = [
  'ip link add veth-other type veth peer name veth-peer',
  'ip route add 203.0.113.0/24 dev lo proto 80',
  'ip rule add pref 1000 lookup 501 protocol 80',
  'ip link add ifb-other type ifb',
]
/** Of ours, as the kernel's datapath has it. */
const SHAPING = [
  'ip link add weft-ifb type ifb',
  'ip link set weft-ifb alias weft',
  'tc qdisc add dev veth-other root handle 5745: htb',
]
/** What a pod on the physical network has on its node. */
const GUEST = [
  'ip link add weft-guest up type veth peer name weft-guest-pod',
  'ip link set weft-guest group 22339',
  'ip route add 203.0.113.77/32 dev weft-guest table 500 proto 78',
  'ip rule add pref 1000 lookup 500 protocol 78',
]
const FOREIGN_TABLE =
  'table inet other {\n  chain forward {\n    type filter hook forward priority 0; policy accept;\n  }\n}\n'

function folders({ lab }: StepContext) {
  const { dir, agentDir, ovsdbSocket } = lab.node(1)
  return { bin: join(dir, 'cni-bin'), config: join(dir, 'cni-config'), agentDir, ovsdbSocket }
}

async function cleaned(context: StepContext, ...args: readonly string[]) {
  const { bin, config, agentDir, ovsdbSocket } = folders(context)
  const places = ['--run-dir', agentDir, '--ovsdb', ovsdbSocket, '--cni-bin-dir', bin, '--cni-config-dir', config]
  const { lab } = context
  return lab.inside(lab.node(1).netns, ...lab.command('node', 'clean', ...places, ...args))
}

/** What a person would look at. */
async function looks({ lab }: StepContext) {
  const node = lab.node(1)
  const inside = async (...argv: readonly string[]) =>
    (await output(['ip', 'netns', 'exec', node.netns, ...argv]))
      .trim()
      .split('\n')
      .filter((line) => line !== '')
  return {
    bridges: (await lab.ovs(node, 'ovs-vsctl', 'list-br')).trim().split('\n'),
    links: (await inside('ip', '-o', 'link')).flatMap((line) => /^\d+: ([^:@]+)/.exec(line)?.[1] ?? []),
    routes: (await inside('ip', 'route', 'show', 'proto', '77')).length,
    foreignRoutes: (await inside('ip', 'route', 'show', 'proto', '80')).length,
    rules: (await inside('ip', 'rule', 'show')).filter((line) => /lookup 50/.test(line)),
    tables: await inside('nft', 'list', 'tables'),
  }
}

async function refused(context: StepContext): Promise<void> {
  const { bin, config, agentDir } = folders(context)
  const { lab } = context
  for (const folder of [bin, config]) mkdirSync(folder, { recursive: true })
  for (const name of ['weft', 'k8s-ovs']) copyFileSync(PLUGIN, join(bin, name))
  writeFileSync(join(bin, 'bridge'), 'another plugin')
  writeFileSync(join(config, '10-weft.conflist'), JSON.stringify({ name: 'weft', plugins: [{ type: 'weft' }] }))
  // Under a name of the administrator's choice, which the agent noted.
  writeFileSync(join(config, '05-own.conf'), JSON.stringify({ name: 'weft', type: 'weft' }))
  writeFileSync(join(agentDir, 'cni-config-written'), '05-own.conf')
  writeFileSync(join(config, '20-other.conf'), JSON.stringify({ name: 'other', type: 'bridge' }))
  for (const line of [...FOREIGN, ...SHAPING, ...GUEST])
    await output(['ip', 'netns', 'exec', lab.node(1).netns, ...line.split(' ')])
  await output(['ip', 'netns', 'exec', lab.node(1).netns, 'nft', FOREIGN_TABLE])
  const { code, stderr } = await cleaned(context)
  equal(code, 1)
  match(stderr, /an agent is running .* → stop it first/)
}

async function dryRun(context: StepContext): Promise<void> {
  const { lab } = context
  const stop = lab.pidOf('node1-agent')
  ok(stop !== undefined)
  process.kill(stop, 'SIGTERM')
  await eventually('the agent has ended', () => lab.pidOf('node1-agent') === undefined)
  const before = await looks(context)
  ok(before.bridges.includes('br-weft') && before.routes > 0 && before.tables.includes('table inet other'))
  const { code, stdout } = await cleaned(context, '--dry-run')
  equal(code, 0)
  for (const what of [
    'bridge br-weft',
    'route to 10.128.0.0/14',
    'table inet weft',
    'table arp weft',
    'route to 203.0.113.77/32',
    'rule for table 500',
    'link weft-guest',
    'k8s-ovs',
    '10-weft',
  ])
    ok(stdout.includes(what), `${what} is not told:\n${stdout}`)
  ok(!/inet other|ifb-other|link veth-other|20-other|bridge$/m.test(stdout), stdout)
  deepEqual(await looks(context), before)
}

async function removal(context: StepContext): Promise<void> {
  const { bin, config, agentDir } = folders(context)
  const before = await looks(context)
  const { code, stdout, stderr } = await cleaned(context)
  equal(code, 0, `${stdout}${stderr}`)
  await eventually('ovs-vswitchd has let go of its links', async () => !(await looks(context)).links.includes('weft0'))
  const after = await looks(context)
  deepEqual(
    after.bridges,
    before.bridges.filter((name) => name !== 'br-weft'),
  )
  deepEqual(
    after.links,
    before.links.filter((name) => !/^weft|^br-weft$/.test(name)),
  )
  deepEqual([after.links.includes('veth-other'), after.foreignRoutes, after.routes], [true, 1, 0])
  deepEqual(
    after.rules,
    before.rules.filter((rule) => rule.includes('501')),
  )
  deepEqual(
    after.tables,
    before.tables.filter((name) => !name.endsWith(' weft')),
  )
  ok(after.tables.length === before.tables.length - 2)
  deepEqual([readdirSync(bin), readdirSync(config), existsSync(agentDir)], [['bridge'], ['20-other.conf'], false])
}

async function again(context: StepContext): Promise<void> {
  const { code, stdout } = await cleaned(context)
  deepEqual([code, stdout], [0, 'nothing of ours is here\n'])
}

/** As the pod that shows that its node is clean. */
async function staying(context: StepContext): Promise<void> {
  const { bin, config, agentDir, ovsdbSocket } = folders(context)
  const { lab } = context
  const places = ['--run-dir', agentDir, '--ovsdb', ovsdbSocket, '--cni-bin-dir', bin, '--cni-config-dir', config]
  const argv = ['ip', 'netns', 'exec', lab.node(1).netns, ...lab.command('node', 'clean', '--stay', ...places)]
  const child = Bun.spawn([...argv], { stdin: 'ignore', stdout: 'pipe', stderr: 'ignore' })
  const { value } = await child.stdout.getReader().read()
  equal(new TextDecoder().decode(value), 'nothing of ours is here\n')
  const ended = await Promise.race([child.exited, Bun.sleep(500)])
  equal(ended, undefined)
  child.kill('SIGTERM')
  equal(await child.exited, 0)
}

async function withoutSwitch(context: StepContext): Promise<void> {
  const { lab } = context
  const { bin } = folders(context)
  copyFileSync(PLUGIN, join(bin, 'weft'))
  const argv = lab.command(
    'node',
    'clean',
    '--ovsdb',
    '/nonexistent',
    '--run-dir',
    '/nonexistent',
    '--cni-bin-dir',
    bin,
  )
  const { code, stdout } = await lab.inside(lab.node(1).netns, ...argv, '--cni-config-dir', '/nonexistent')
  equal(code, 1)
  match(stdout, /Open vSwitch's database does not answer at \/nonexistent/)
  ok(!existsSync(join(bin, 'weft')))
  rmSync(bin, { recursive: true })
}

if (import.meta.main) await runScenario(clean)
