/**
 * Packets between pods of different nodes without a tunnel: who reaches whom, what is on the wire, what a change of the fabric and
 * a lost way cost.
 * @module
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { capture, isEchoRequest, isWrappedEchoRequest } from '../lab/capture.ts'
import { everyWayIs, notReached, ping, pinging, type ShownFabric, setFabric, showFabric } from '../lab/fabric.ts'
import { eventually, type Lab } from '../lab/lab.ts'
import { runScenario, type Scenario, type StepContext } from '../lab/scenario.ts'

const FAMILIES = [4, 6] as const

export const direct: Scenario = {
  name: 'direct',
  lab: { fabric: 'direct' },
  steps: [
    { title: 'tenants are told apart as in tunnels', run: table },
    { title: 'every way is direct, and weft fabric show says by which address and link', run: shown },
    { title: 'packets of pods are bare on the wire, in both families', run: bare },
    { title: 'join and isolate reach the other node', run: tenants },
    { title: 'a change of the fabric loses no packet, there and back', run: change },
    { title: 'a node that is no neighbour any more is reached by the tunnel, and again without', run: lostWay },
    { title: 'an agent that is killed loses no packet', run: killed },
    { title: 'what was broken by hand is repaired', run: repaired },
    { title: 'where the tunnel is refused a lost way says so', run: refused },
    { title: 'nothing is left over', run: async ({ lab, say }) => say(await lab.expectCleanAudit()) },
  ],
}

async function table({ lab, say }: StepContext): Promise<void> {
  const { code, stdout, stderr } = await lab.play('table')
  say(stdout.trimEnd())
  equal(code, 0, stdout + stderr)
}

async function shown({ lab, say }: StepContext): Promise<void> {
  const { code, stdout } = await lab.weft('fabric', 'show', '--run-dir', lab.layout.runDir)
  say(stdout.trimEnd())
  equal(code, 0)
  const { ways } = await showFabric(lab)
  equal(ways.length, 12)
  deepEqual(new Set(ways.map(({ way }) => way)), new Set(['direct']))
}

async function bare({ lab, say }: StepContext): Promise<void> {
  for (const family of FAMILIES) {
    const seen = capture(lab.fd(lab.node(2).netns), 'eth0')
    try {
      equal((await ping(lab, 'shop/web', lab.address('shop/db', family))).code, 0)
      const countBare = () => seen.frames.filter((frame) => isEchoRequest(frame, family)).length
      await eventually('three are seen', () => countBare() >= 3)
      const bareOnes = countBare()
      const wrapped = seen.frames.filter((frame) => isWrappedEchoRequest(frame, family)).length
      say(`IPv${family}: ${bareOnes} echo requests bare, ${wrapped} in tunnels`)
      equal(wrapped, 0)
    } finally {
      seen.close()
    }
  }
}

async function tenants(context: StepContext): Promise<void> {
  const { lab } = context
  const target = lab.address('bank/teller')
  notReached(await ping(lab, 'shop/web', target))
  equal((await lab.tenant('join', 'bank', '--to', 'shop')).code, 0)
  equal((await ping(lab, 'shop/web', target)).code, 0)
  equal((await lab.tenant('isolate', 'bank')).code, 0)
  notReached(await ping(lab, 'shop/web', target))
  await table(context)
}

async function change({ lab, say }: StepContext): Promise<void> {
  const lost = await pinging(lab, say, async () => {
    for (const way of ['tunnel', 'direct', 'tunnel', 'direct'] as const) {
      await setFabric(lab, { way, otherwise: 'tunnel' })
      await everyWayIs(lab, way)
      await Bun.sleep(500)
    }
  })
  deepEqual(lost, [0, 0])
}

async function lostWay({ lab, say }: StepContext): Promise<void> {
  // To this node alone the other one seems to be behind a router, which is itself.
  const { netns } = lab.node(1)
  const [address] = lab.node(2).addresses
  const route = [`${address}/32`, 'via', String(lab.node(3).addresses[0])]
  const lost = await pinging(lab, say, async () => {
    equal((await lab.inside(netns, 'ip', 'route', 'add', ...route)).code, 0)
    await eventually(
      'node1 takes the way tunnel',
      async () => wayOf(await showFabric(lab), 'node1', 'node2') === 'tunnel',
    )
    const { ways } = await showFabric(lab)
    const why = ways.find(({ node, peer, why }) => node === 'node1' && peer === 'node2' && why !== undefined)?.why ?? ''
    say(why)
    match(why, /is on another segment, behind/)
    equal((await lab.inside(netns, 'ip', 'route', 'del', ...route)).code, 0)
    await eventually(
      'node1 takes the way direct',
      async () => wayOf(await showFabric(lab), 'node1', 'node2') === 'direct',
    )
  })
  deepEqual(lost, [0, 0])
}

function wayOf({ ways }: ShownFabric, node: string, peer: string): string | undefined {
  return ways.find((one) => one.node === node && one.peer === peer)?.way
}

async function killed({ lab, say }: StepContext): Promise<void> {
  const lost = await pinging(lab, say, async () => {
    lab.restart('node1-agent')
    const isWhole = async (): Promise<boolean> => {
      const { ways } = await showFabric(lab)
      return ways.filter(({ way }) => way === 'direct').length === 12
    }
    await eventually('every way is direct again', isWhole)
  })
  deepEqual(lost, [0, 0])
}

/** By whom, and how soon the agent hears of it: at once, but of rules the kernel is asked only from time to time. */
const BREAKAGES: readonly (readonly string[])[] = [
  ['ip', 'route', 'flush', 'table', '22354', 'proto', '77'],
  ['ip', '-6', 'route', 'flush', 'table', '22355', 'proto', '77'],
  ['ip', 'link', 'set', 'weft-direct', 'down'],
  ['ovs-vsctl', 'del-port', 'weft-direct'],
  ['ip', 'rule', 'del', 'pref', '1102'],
]

async function repaired({ lab, say }: StepContext): Promise<void> {
  const command = lab.commandOf('node1-agent')
  const before = await setUp(lab)
  lab.kill('node1-agent')
  lab.start('node1-agent', [...command, '--resync', '5'])
  for (const argv of BREAKAGES) {
    await lab.ovs(lab.node(1), ...argv)
    const since = performance.now()
    const reaches = async (): Promise<boolean> => {
      const ways = (await showFabric(lab)).ways.filter(({ way }) => way === 'direct')
      const pings = FAMILIES.map((family) => ping(lab, 'shop/web', lab.address('shop/db', family)))
      return (
        ways.length === 12 &&
        (await Promise.all(pings)).every(({ code }) => code === 0) &&
        (await setUp(lab)) === before
      )
    }
    await eventually(`${argv.join(' ')} is repaired`, reaches)
    say(`${argv.join(' ')}: repaired within ${((performance.now() - since) / 1000).toFixed(1)} s`)
  }
}

/** Rules and routes of ours, whether packets need them or not. */
async function setUp(lab: Lab): Promise<string> {
  const listed = FAMILIES.flatMap((family) =>
    [
      ['rule', 'show', 'protocol', '77'],
      ...['22354', '22355'].map((table) => ['route', 'show', 'table', table, 'proto', '77']),
    ].map((words) => lab.inside(lab.node(1).netns, 'ip', `-${family}`, ...words)),
  )
  return (await Promise.all(listed)).map(({ stdout }) => stdout.trim()).join('\n')
}

async function refused({ lab, say }: StepContext): Promise<void> {
  await setFabric(lab, { way: 'direct', otherwise: 'refuse' })
  const { netns } = lab.node(1)
  const [address] = lab.node(2).addresses
  const route = [`${address}/32`, 'via', String(lab.node(3).addresses[0])]
  equal((await lab.inside(netns, 'ip', 'route', 'add', ...route)).code, 0)
  await eventually('node1 takes the way none', async () => wayOf(await showFabric(lab), 'node1', 'node2') === 'none')
  const before = (await lab.drops(1)).get('no-way') ?? 0n
  notReached(await ping(lab, 'shop/web', lab.address('shop/db')))
  ok(((await lab.drops(1)).get('no-way') ?? 0n) > before)
  const { code, stdout } = await lab.weft('fabric', 'show', '--run-dir', lab.layout.runDir)
  say(stdout.trimEnd())
  equal(code, 1)
  await lab.inside(netns, 'ip', 'route', 'del', ...route)
  await setFabric(lab, { way: 'direct', otherwise: 'tunnel' })
}

if (import.meta.main) await runScenario(direct)
