/**
 * Every fabric between two nodes of a playground: how fast pods talk across them, the largest packet, and how long they do not
 * talk when a node's link dies and when the fabric is changed. Beside them the nodes themselves, without pods.
 * @module
 */
import { join } from 'node:path'
import type { Fabric } from '../../src/network/model/cluster.ts'
import { UPLINK_BRIDGE } from '../../src/playground/lab/switch.ts'
import { outsideAddress } from '../../src/playground/layout.ts'
import { output } from '../../test/lab/command.ts'
import { everyWayIs, setFabric } from '../../test/lab/fabric.ts'
import { Lab, type LabOptions } from '../../test/lab/lab.ts'
import type { Result } from '../result.ts'
import { cellsOf, type FabricRow, reached } from '../rig/fabric-row.ts'
import { type End, loseSegment, type Segment } from '../rig/segment.ts'
import { cutCable, type Effort, silenceWhile } from '../rig/talk.ts'

const FABRICS: readonly (readonly [string, LabOptions])[] = [
  ['tunnel, vxlan', {}],
  ['tunnel, geneve', { encapsulation: 'geneve' }],
  ['tunnel, gre', { encapsulation: 'gre' }],
  ['direct', { fabric: 'direct' }],
  ['bgp', { fabric: 'bgp' }],
]

/** Cells of each fabric. Throws where namespaces, Open vSwitch or BIRD are missing. */
export async function measureFabrics(effort: Effort): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const [name, options] of FABRICS) {
    const lab = new Lab(`bench-${options.encapsulation ?? options.fabric ?? 'vxlan'}`, { nodes: 2, ...options })
    const way = options.fabric ?? 'tunnel'
    const since = performance.now()
    try {
      // Where the machine is busy answers come too late for its first look.
      await lab.up().catch(() => lab.up())
      await everyWayIs(lab, way)
      const setUp = (performance.now() - since) / 1000
      results.push(...cellsOf({ name, setUp, ...(await measureOne(lab, way, effort)) }))
    } finally {
      await lab.down()
    }
  }
  return results
}

async function measureOne(lab: Lab, way: Fabric['way'], effort: Effort): Promise<Omit<FabricRow, 'name' | 'setUp'>> {
  const pair = { from: lab.netns('shop/web'), to: lab.netns('shop/db'), address: lab.address('shop/db') }
  const nodes = { from: lab.node(1).netns, to: lab.node(2).netns, address: String(lab.node(2).addresses[0]) }
  const [pods, peer] = [await reached(pair, effort), await reached(nodes, effort)]
  const changed = await silenceWhile(pair, () => change(lab, way))
  const cable = (state: 'up' | 'down') =>
    output(['ip', '-n', lab.layout.underlayNetns, 'link', 'set', lab.node(1).name, state])
  const outage = await cutCable(pair, cable, effort.rounds)
  const dies = await loseSegment(pair, segmentOf(lab), effort.rounds, () => everyWayIs(lab, way))
  return { pods, peer, outage, dies, changed }
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

/** It is left for another, and taken again. */
async function change(lab: Lab, way: Fabric['way']): Promise<void> {
  for (const next of [way === 'tunnel' ? 'direct' : 'tunnel', way] as const) {
    await setFabric(lab, { way: next, otherwise: 'tunnel' })
    await everyWayIs(lab, next)
    await Bun.sleep(500)
  }
}
