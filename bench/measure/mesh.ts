/**
 * Two machines with Docker's bridge in a mesh, each way in turn, changed by the list that both follow. Beside them the machines
 * themselves, without containers.
 * @module
 */
import { dirname, join } from 'node:path'
import { type Host, obstacle, Rig, ROUTER } from '../../test/mesh/rig.ts'
import type { Result } from '../result.ts'
import { largestPacket } from '../rig/reach.ts'
import { type End, loseSegment, type Segment } from '../rig/segment.ts'
import { cutCable, type Effort, silenceWhile, talk } from '../rig/talk.ts'

/** Each with what the list says of it. */
const WAYS = [
  { name: 'gre', way: 'gre', words: ['way: gre'] },
  { name: 'vxlan', way: 'vxlan', words: ['way: vxlan'] },
  { name: 'geneve', way: 'geneve', words: ['way: geneve'] },
  { name: 'direct', way: 'direct', words: ['way: direct'] },
  { name: 'direct, otherwise gre', way: 'direct', words: ['way: direct', 'otherwise: gre'] },
] as const
const NETWORK = 'network: 172.17.0.0/16'

/** Lines for each way. Throws where namespaces or Open vSwitch are missing. */
export async function measureMesh(effort: Effort): Promise<readonly Result[]> {
  const lacking = obstacle()
  if (lacking !== undefined) throw new Error(lacking)
  return [...(await measureTalk(effort)), ...(await measureDeaths(effort.rounds))]
}

async function measureTalk(effort: Effort): Promise<readonly Result[]> {
  const rig = new Rig(2)
  const [one, two] = [rig.host(1), rig.host(2)]
  const containers = { from: one.container, to: two.container, address: two.inner }
  try {
    await rig.up()
    const plain = await talk({ from: one.namespace, to: two.namespace, address: two.address }, effort)
    const results: Result[] = []
    for (const { name, way, words } of WAYS) {
      const line = (what: string, unit: string, ours: number, peer?: number): Result => ({
        what: `mesh ${name}: ${what}`,
        unit,
        ours,
        ...(peer === undefined ? {} : { peer, peerName: 'the machines themselves' }),
      })
      let seconds = 0
      const takeIt = async (): Promise<void> => {
        const since = performance.now()
        rig.write(rig.hosts, ...words, NETWORK)
        if (name === WAYS[0].name) for (const host of rig.hosts) host.up('--config', rig.list)
        await takes(rig, name, way)
        seconds = (performance.now() - since) / 1000
      }
      const silence = await silenceWhile(containers, takeIt)
      const isFirst = name === WAYS[0].name
      const talked = await talk(containers, effort)
      results.push(
        ...(isFirst
          ? [line('start of both daemons until containers reach each other', 's', seconds)]
          : [line('longest silence while both machines change to it', 's', silence)]),
        line('ping, median', 'ms', talked.pingMs, plain.pingMs),
        line('one TCP stream', 'Gbit/s', talked.gigabits, plain.gigabits),
        line('largest packet in one piece', 'bytes', await largestPacket(containers.from, containers.address)),
        line(
          'no answer beyond a link’s outage of 2 s',
          's',
          await cutCable(containers, (state) => rig.cable(one, state), effort.rounds),
        ),
      )
    }
    return results
  } finally {
    await rig.down()
  }
}

/** Of machines that are made for each way: nothing was cut before, and a way that does not come back keeps no other from being measured. */
async function measureDeaths(rounds: number): Promise<readonly Result[]> {
  const results: Result[] = []
  for (const { name, way, words } of WAYS) {
    try {
      const ours = await measureDeath(name, way, words, rounds)
      results.push({ what: `mesh ${name}: lost when the link dies`, unit: 's', ours })
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      process.stderr.write(`bench: what mesh ${name} loses when the link dies was not measured: ${why}\n`)
      process.exitCode = 1
    }
  }
  return results
}

async function measureDeath(name: string, way: string, words: readonly string[], rounds: number): Promise<number> {
  const rig = new Rig(2)
  const [one, two] = [rig.host(1), rig.host(2)]
  try {
    await rig.up()
    rig.write(rig.hosts, ...words, NETWORK)
    for (const host of rig.hosts) host.up('--config', rig.list)
    const isWhole = () => takes(rig, name, way)
    await isWhole()
    const containers = { from: one.container, to: two.container, address: two.inner }
    return await loseSegment(containers, segmentOf(rig), rounds, isWhole)
  } finally {
    await rig.down()
  }
}

/** Resolves when both machines take a way, and containers reach each other. */
async function takes(rig: Rig, name: string, way: string): Promise<void> {
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
