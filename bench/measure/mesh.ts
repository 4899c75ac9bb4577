/**
 * Two machines with Docker's bridge in a mesh, each way in turn, changed by the list that both follow. Beside them the machines
 * themselves, without containers.
 * @module
 */
import { obstacle, Rig } from '../../test/mesh/rig.ts'
import type { Result } from '../result.ts'
import { largestPacket } from '../rig/reach.ts'
import { cutCable, type Effort, silenceWhile, talk } from '../rig/talk.ts'

const WAYS = ['gre', 'vxlan', 'geneve', 'direct'] as const
const NETWORK = 'network: 172.17.0.0/16'

/** Lines for each way. Throws where namespaces or Open vSwitch are missing. */
export async function measureMesh(effort: Effort): Promise<readonly Result[]> {
  const lacking = obstacle()
  if (lacking !== undefined) throw new Error(lacking)
  const rig = new Rig(2)
  const [one, two] = [rig.host(1), rig.host(2)]
  const containers = { from: one.container, to: two.container, address: two.inner }
  try {
    await rig.up()
    const plain = await talk({ from: one.namespace, to: two.namespace, address: two.address }, effort)
    const results: Result[] = []
    for (const way of WAYS) {
      const line = (what: string, unit: string, ours: number, peer?: number): Result => ({
        what: `mesh ${way}: ${what}`,
        unit,
        ours,
        ...(peer === undefined ? {} : { peer, peerName: 'the machines themselves' }),
      })
      let seconds = 0
      const takeIt = async (): Promise<void> => {
        const since = performance.now()
        rig.write(rig.hosts, `way: ${way}`, NETWORK)
        if (way === WAYS[0]) for (const host of rig.hosts) host.up('--config', rig.list)
        await Promise.all(
          rig.hosts.map((host) =>
            host.whenStatus(way, ({ peers }) => peers.every((peer) => peer.way === way && peer.state === 'up')),
          ),
        )
        await rig.expectMesh()
        seconds = (performance.now() - since) / 1000
      }
      const silence = await silenceWhile(containers, takeIt)
      const isFirst = way === WAYS[0]
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
