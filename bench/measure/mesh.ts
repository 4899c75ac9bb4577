/**
 * Two machines with Docker's bridge in a mesh, each way in turn, changed by the list that both follow. Beside them the machines
 * themselves, without containers.
 * @module
 */
import { dirname, join } from 'node:path'
import { type Host, obstacle, Rig, ROUTER } from '../../test/mesh/rig.ts'
import type { Result } from '../result.ts'
import { cellsOf, type FabricRow, reached } from '../rig/fabric-row.ts'
import { type End, loseSegment, type Segment } from '../rig/segment.ts'
import { cutCable, type Effort, silenceWhile } from '../rig/talk.ts'

/** Each with what the list says of it. */
const WAYS = [
  { name: 'gre', way: 'gre', words: ['way: gre'] },
  { name: 'vxlan', way: 'vxlan', words: ['way: vxlan'] },
  { name: 'geneve', way: 'geneve', words: ['way: geneve'] },
  { name: 'direct', way: 'direct', words: ['way: direct'] },
  { name: 'direct, otherwise gre', way: 'direct', words: ['way: direct', 'otherwise: gre'] },
] as const
type Way = (typeof WAYS)[number]
const NETWORK = 'network: 172.17.0.0/16'

/** Cells of each way. Throws where namespaces or Open vSwitch are missing. */
export async function measureMesh(effort: Effort): Promise<readonly Result[]> {
  const lacking = obstacle()
  if (lacking !== undefined) throw new Error(lacking)
  const rig = new Rig(2)
  const [one, two] = [rig.host(1), rig.host(2)]
  const pair = { from: one.container, to: two.container, address: two.inner }
  try {
    await rig.up()
    const peer = await reached({ from: one.namespace, to: two.namespace, address: two.address }, effort)
    const results: Result[] = []
    // Every way is changed to from the one before it, the first from the last.
    await setUp(rig, WAYS[4])
    for (const way of WAYS) {
      const changed = await silenceWhile(pair, () => take(rig, way))
      const row = { setUp: await setUp(rig, way), pods: await reached(pair, effort), peer, changed }
      results.push(...cellsOf({ name: `mesh, ${way.name}`, ...row, ...(await measureLoss(rig, way, effort.rounds)) }))
    }
    return results
  } finally {
    await rig.down()
  }
}

async function measureLoss(
  rig: Rig,
  way: Way,
  rounds: number,
): Promise<Pick<FabricRow, 'outage' | 'dies' | 'isAlone'>> {
  const [one, two] = [rig.host(1), rig.host(2)]
  const pair = { from: one.container, to: two.container, address: two.inner }
  const outage = await cutCable(pair, (state) => rig.cable(one, state), rounds)
  const dies = await loseSegment(pair, segmentOf(rig), rounds, () => takes(rig, way))
  return { outage, dies, isAlone: way.name === 'direct' }
}

/** In seconds, from the start of both daemons on machines that have nothing of a mesh until containers reach each other. */
async function setUp(rig: Rig, way: Way): Promise<number> {
  await Promise.all(
    rig.hosts.map(async (host) => {
      await host.stop()
      await host.weft('down')
    }),
  )
  const since = performance.now()
  rig.write(rig.hosts, ...way.words, NETWORK)
  for (const host of rig.hosts) host.up('--config', rig.list)
  await takes(rig, way)
  return (performance.now() - since) / 1000
}

async function take(rig: Rig, way: Way): Promise<void> {
  rig.write(rig.hosts, ...way.words, NETWORK)
  await takes(rig, way)
}

/** Resolves when both machines take a way, and containers reach each other. */
async function takes(rig: Rig, { name, way }: Way): Promise<void> {
  await Promise.all(
    rig.hosts.map((host) =>
      host.whenStatus(name, ({ peers }) => peers.every((peer) => peer.way === way && peer.state === 'up')),
    ),
  )
  await rig.expectMesh()
}

/** Where all cables meet is a router as well. */
function segmentOf(rig: Rig): Segment {
  const end = ({ namespace, index, address, ovs }: Host): End => ({
    netns: namespace,
    port: `host${index}`,
    addresses: [address],
    ...(ovs === undefined
      ? {}
      : { switch: { control: join(dirname(ovs.dbSocket), 'ovs-vswitchd.ctl'), bridge: 'br-phy' } }),
  })
  return {
    netns: rig.wire,
    ends: [end(rig.host(1)), end(rig.host(2))],
    router: { netns: rig.wire, addresses: [ROUTER] },
  }
}
