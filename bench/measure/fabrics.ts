/**
 * Every fabric between two nodes of a playground: how fast pods talk across them, the largest packet, and how long they do not
 * talk when a node's link dies and when the fabric is changed. Beside them the nodes themselves, without pods.
 * @module
 */
import { join } from 'node:path'
import { UPLINK_BRIDGE } from '../../src/playground/lab/switch.ts'
import { outsideAddress } from '../../src/playground/layout.ts'
import { output } from '../../test/lab/command.ts'
import { everyWayIs, setFabric } from '../../test/lab/fabric.ts'
import { Lab, type LabOptions } from '../../test/lab/lab.ts'
import type { Result } from '../result.ts'
import { largestPacket } from '../rig/reach.ts'
import { type End, loseSegment, type Segment } from '../rig/segment.ts'
import { cutCable, type Effort, silenceWhile, talk } from '../rig/talk.ts'

const FABRICS: readonly (readonly [string, LabOptions])[] = [
  ['vxlan', {}],
  ['geneve', { encapsulation: 'geneve' }],
  ['gre', { encapsulation: 'gre' }],
  ['direct', { fabric: 'direct' }],
  ['bgp', { fabric: 'bgp' }],
]

/** Lines for each fabric. Throws where namespaces, Open vSwitch or BIRD are missing. */
export async function measureFabrics(effort: Effort): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const [name, options] of FABRICS) {
    const lab = new Lab(`bench-${name}`, { nodes: 2, ...options })
    const since = performance.now()
    try {
      // Where the machine is busy answers come too late for its first look.
      await lab.up().catch(() => lab.up())
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
  effort: Effort,
): Promise<readonly Result[]> {
  const pods = { from: lab.netns('shop/web'), to: lab.netns('shop/db'), address: lab.address('shop/db') }
  const nodes = { from: lab.node(1).netns, to: lab.node(2).netns, address: String(lab.node(2).addresses[0]) }
  const [talked, plain] = [await talk(pods, effort), await talk(nodes, effort)]
  const cable = (state: 'up' | 'down') =>
    output(['ip', '-n', lab.layout.underlayNetns, 'link', 'set', lab.node(1).name, state])
  const cut = await cutCable(pods, cable, effort.rounds)
  const isWhole = () => everyWayIs(lab, fabric === undefined ? 'tunnel' : 'direct')
  const lost = await loseSegment(pods, segmentOf(lab), effort.rounds, isWhole)
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
    line('no answer beyond a link’s outage of 2 s', 's', cut),
    line('lost when the link dies', 's', lost),
  ]
  if (fabric === undefined) return results
  const silence = await silenceWhile(pods, () => change(lab, fabric))
  return [...results, line('longest silence while it is left and taken again', 's', silence)]
}

/** The wire, with the host outside as the router. */
function segmentOf(lab: Lab): Segment {
  const end = (index: number): End => {
    const { netns, name, addresses, ovsDir } = lab.node(index)
    return {
      netns,
      port: name,
      addresses,
      switch: { control: join(ovsDir, 'ovs-vswitchd.ctl'), bridge: UPLINK_BRIDGE },
    }
  }
  const router = { netns: lab.layout.outsideNetns, addresses: [outsideAddress(4), outsideAddress(6)] }
  return { netns: lab.layout.underlayNetns, ends: [end(1), end(2)], router }
}

/** It is left for the tunnel, and taken again. */
async function change(lab: Lab, fabric: NonNullable<LabOptions['fabric']>): Promise<void> {
  for (const way of ['tunnel', fabric] as const) {
    await setFabric(lab, { way, otherwise: 'tunnel' })
    await everyWayIs(lab, way === 'tunnel' ? 'tunnel' : 'direct')
    await Bun.sleep(500)
  }
}
