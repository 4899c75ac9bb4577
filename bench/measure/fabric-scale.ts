/**
 * What a thousand nodes cost one of them in each fabric: its plan, its own stack, BIRD's configuration, and a real BIRD with all
 * routes.
 * @module
 */
import { closeSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { applyDirect } from '../../src/agent/node/direct.ts'
import { Ways } from '../../src/agent/node/ways.ts'
import { checkConfiguration } from '../../src/bird/program.ts'
import { BIRD_FILE, birdConfiguration, PASSWORDS_FILE } from '../../src/network/fabric/bgp/configuration.ts'
import { hostPlan } from '../../src/network/host.ts'
import type { Fabric } from '../../src/network/model/cluster.ts'
import { NodePlanner } from '../../src/network/planner.ts'
import { output } from '../../test/lab/command.ts'
import { median, type Result } from '../result.ts'
import { BirdPair } from '../rig/fabric-bird.ts'
import type { FabricPlan } from '../rig/fabric-child.ts'
import { bgpCluster, bgpSelf, fabricContext, machineOf, placeOf } from '../rig/fabric-cluster.ts'

const WAYS: readonly Fabric['way'][] = ['tunnel', 'direct', 'bgp']
const ROUNDS = 10

/** Lines for each way. `quick`: a hundred nodes. Throws where namespaces or BIRD are missing. */
export async function measureFabricScale(quick: boolean): Promise<readonly Result[]> {
  const nodes = quick ? 100 : 1_000
  const results: Result[] = []
  for (const way of WAYS) results.push(...(await planned(way, nodes)))
  for (const kind of ['mesh', 'reflectors'] as const) results.push(...(await configured(kind, nodes)))
  const pair = new BirdPair(nodes)
  try {
    await pair.up()
    return [...results, ...(await learned(pair, nodes)), ...(await onSegment(pair, nodes))]
  } finally {
    await pair.down()
  }
}

async function planned(way: Fabric['way'], nodes: number): Promise<readonly Result[]> {
  const child = join(import.meta.dir, '../rig/fabric-child.ts')
  const argv = [process.execPath, child, way, String(nodes)]
  const plan = await Bun.$`${argv}`.json().then((one: FabricPlan) => one)
  const line = (what: string, unit: string, ours: number, note?: string): Result => ({
    what: `${way}, ${nodes.toLocaleString('en')} nodes: ${what}`,
    unit,
    ours,
    ...(note === undefined ? {} : { note }),
  })
  return [
    line('plan from nothing', 's', plan.planMs / 1000, `${plan.flows.toLocaleString('en')} flows`),
    line('memory of the plan', 'MiB', plan.memoryMiB, `most of the process ${plan.peakMiB.toFixed(0)} MiB`),
    line('a node comes: flows', 'ms', plan.nodeComesMs, `${plan.nodeFlows} flows`),
    line('a node goes: flows', 'ms', plan.nodeGoesMs),
    line('a pod elsewhere comes: flows', 'ms', plan.podComesMs, `${plan.podFlows} flows`),
    line(
      'the node’s own stack planned',
      'ms',
      plan.hostPlanMs,
      `${plan.nftBytes.toLocaleString('en')} bytes for nft, ${plan.routes.toLocaleString('en')} routes`,
    ),
    line('ways compared with it', 'ms', plan.ledMs),
  ]
}

async function configured(kind: 'mesh' | 'reflectors', nodes: number): Promise<readonly Result[]> {
  const [cluster, self] = [bgpCluster(nodes, kind), bgpSelf(1)]
  const make = () => birdConfiguration(cluster, self, { passwords: new Map() })
  const made = make()
  if (made === undefined) throw new Error('the node is of the cluster')
  const folder = mkdtempSync(join(tmpdir(), 'weft-bench-bird-'))
  try {
    writeFileSync(join(folder, BIRD_FILE), made.main)
    writeFileSync(join(folder, PASSWORDS_FILE), made.passwords)
    const checks: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      checks.push(await timed(() => checkConfiguration(join(folder, BIRD_FILE))))
    }
    const who = kind === 'mesh' ? 'full mesh' : 'client of two reflectors'
    const note = `${made.sessions.length.toLocaleString('en')} sessions`
    const makes = await several(make)
    return [
      { what: `BIRD, ${who}: configuration`, unit: 'KiB', ours: Buffer.byteLength(made.main) / 1024, note },
      { what: `BIRD, ${who}: made`, unit: 'ms', ours: makes },
      { what: `BIRD, ${who}: checked by bird -p`, unit: 'ms', ours: median(checks) },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function learned(pair: BirdPair, nodes: number): Promise<readonly Result[]> {
  const { residentMiB, emptyMiB, routes, seconds } = await pair.learn()
  const planner = plannerOf('bgp', nodes)
  const first = await look(pair, planner)
  const open = [...planner.known()].filter(({ places }) => places[4] !== undefined && places[6] !== undefined).length
  return [
    { what: `BIRD with ${routes.toLocaleString('en')} routes: resident`, unit: 'MiB', ours: residentMiB },
    { what: 'the same BIRD before the first', unit: 'MiB', ours: emptyMiB },
    { what: 'from a session until the kernel has all', unit: 's', ours: seconds },
    {
      what: 'the agent reads them',
      unit: 'ms',
      ours: first,
      note: `ways to ${open} of ${nodes - 1} nodes`,
    },
    { what: 'the same, when nothing is new', unit: 'ms', ours: await looks(pair, planner) },
  ]
}

/** The node in the same namespace with routes of ours instead. */
async function onSegment(pair: BirdPair, nodes: number): Promise<readonly Result[]> {
  const planner = plannerOf('direct', nodes)
  const first = await look(pair, planner)
  const again = await looks(pair, planner)
  const all = hostPlan(planner.context, planner.publication())
  // Beside BIRD's own, which have another metric.
  const applied = await timed(() => applyDirect(pair.rtnl, all.direct))
  planner.putPeer(machineOf(nodes + 1))
  planner.putPlace(`node${nodes + 1}`, placeOf(nodes + 1))
  const more = hostPlan(planner.context, planner.publication())
  const one = await timed(() => applyDirect(pair.rtnl, more.direct))
  const nft: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    nft.push(await timed(() => output(['ip', 'netns', 'exec', pair.node, 'nft', '-f', '-'], { input: more.nftables })))
  }
  return [
    { what: 'direct: the kernel is asked for the ways to all', unit: 'ms', ours: first },
    { what: 'the same, when nothing is new', unit: 'ms', ours: again },
    { what: 'direct: all routes written', unit: 'ms', ours: applied, note: `${all.direct?.routes.length ?? 0} routes` },
    { what: 'direct: one node more, its routes', unit: 'ms', ours: one },
    {
      what: 'direct: the ruleset taken by nft',
      unit: 'ms',
      ours: median(nft),
      note: 'as a whole, for each such change',
    },
  ]
}

function plannerOf(way: Fabric['way'], nodes: number): NodePlanner {
  const planner = new NodePlanner(fabricContext(way))
  for (let n = 2; n <= nodes; n += 1) planner.putPeer(machineOf(n))
  return planner
}

/** One look of an agent that just started, in ms. */
async function look(pair: BirdPair, planner: NodePlanner): Promise<number> {
  const nsFd = pair.openNode()
  try {
    using ways = new Ways({ rtnl: pair.rtnl, planner: () => planner, changed: () => undefined, nsFd })
    return await timed(() => ways.look())
  } finally {
    closeSync(nsFd)
  }
}

async function looks(pair: BirdPair, planner: NodePlanner): Promise<number> {
  const samples: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) samples.push(await look(pair, planner))
  return median(samples)
}

async function several(work: () => unknown): Promise<number> {
  const samples: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) samples.push(await timed(work))
  return median(samples)
}

async function timed(work: () => unknown): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
