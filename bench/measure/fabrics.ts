/**
 * Every fabric between two nodes of a playground: how fast pods talk across them, the largest packet, and how long they do not
 * talk when a node's link dies and when the fabric is changed. Beside them the nodes themselves, without pods.
 * @module
 */
import { output } from '../../test/lab/command.ts'
import { everyWayIs, setFabric } from '../../test/lab/fabric.ts'
import { Lab, type LabOptions } from '../../test/lab/lab.ts'
import { median, type Result } from '../result.ts'
import { largestPacket, PingTrace, streamGigabits } from '../rig/reach.ts'

const FABRICS: readonly (readonly [string, LabOptions])[] = [
  ['vxlan', {}],
  ['geneve', { encapsulation: 'geneve' }],
  ['gre', { encapsulation: 'gre' }],
  ['direct', { fabric: 'direct' }],
  ['bgp', { fabric: 'bgp' }],
]

/** How much is asked. */
export interface FabricEffort {
  readonly rounds: number
  readonly pings: number
  readonly streamSeconds: number
}

/** Lines for each fabric. Throws where namespaces, Open vSwitch or BIRD are missing. */
export async function measureFabrics(effort: FabricEffort): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const [name, options] of FABRICS) {
    const lab = new Lab(`bench-${name}`, { nodes: 2, ...options })
    const since = performance.now()
    try {
      await lab.up()
      const { fabric } = options
      await everyWayIs(lab, fabric === undefined ? 'tunnel' : 'direct')
      const setUp = (performance.now() - since) / 1000
      results.push(...(await measureOne(lab, name, setUp, fabric, effort)))
    } finally {
      await lab.down()
    }
  }
  return results
}

async function measureOne(
  lab: Lab,
  name: string,
  setUp: number,
  fabric: LabOptions['fabric'],
  effort: FabricEffort,
): Promise<readonly Result[]> {
  const pods = { from: lab.netns('shop/web'), to: lab.netns('shop/db'), address: lab.address('shop/db') }
  const nodes = { from: lab.node(1).netns, to: lab.node(2).netns, address: String(lab.node(2).addresses[0]) }
  const [talked, plain] = [await talk(pods, effort), await talk(nodes, effort)]
  const cuts: number[] = []
  for (let round = 0; round < effort.rounds; round += 1) cuts.push(await cutLink(lab, pods))
  const line = (what: string, unit: string, ours: number, peer?: number): Result => ({
    what: `fabric ${name}: ${what}`,
    unit,
    ours,
    ...(peer === undefined ? {} : { peer, peerName: 'the nodes themselves' }),
  })
  const results = [
    line('a playground of two nodes until every way stands', 's', setUp),
    line('ping, median', 'ms', talked.pingMs, plain.pingMs),
    line('one TCP stream', 'Gbit/s', talked.gigabits, plain.gigabits),
    line('largest packet in one piece', 'bytes', await largestPacket(pods.from, pods.address)),
    line('no answer beyond a link’s outage of 2 s', 's', median(cuts)),
  ]
  if (fabric === undefined) return results
  return [...results, line('longest silence while it is left and taken again', 's', await change(lab, pods, fabric))]
}

interface Pair {
  readonly from: string
  readonly to: string
  readonly address: string
}

async function talk({ from, to, address }: Pair, { pings, streamSeconds }: FabricEffort) {
  const trace = new PingTrace(from, address)
  await Bun.sleep(pings * 15)
  const { times } = await trace.stop()
  return { pingMs: median(times), gigabits: await streamGigabits(from, to, address, streamSeconds) }
}

const OUTAGE_MS = 2_000

/** A node's link loses its carrier for two seconds: how long there is no answer beyond these. */
async function cutLink(lab: Lab, { from, address }: Pair): Promise<number> {
  const trace = new PingTrace(from, address)
  await Bun.sleep(500)
  const wire = (state: 'up' | 'down') =>
    output(['ip', '-n', lab.layout.underlayNetns, 'link', 'set', lab.node(1).name, state])
  await wire('down')
  await Bun.sleep(OUTAGE_MS)
  await wire('up')
  const up = Date.now() / 1000
  const first = await trace.answerAfter(up)
  await trace.stop()
  return first - up
}

async function change(lab: Lab, { from, address }: Pair, fabric: NonNullable<LabOptions['fabric']>): Promise<number> {
  const trace = new PingTrace(from, address)
  await Bun.sleep(500)
  for (const way of ['tunnel', fabric] as const) {
    await setFabric(lab, { way, otherwise: 'tunnel' })
    await everyWayIs(lab, way === 'tunnel' ? 'tunnel' : 'direct')
    await Bun.sleep(500)
  }
  return (await trace.stop()).longestGap
}
