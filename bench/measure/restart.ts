/**
 * Agents killed and started again while a ping runs every 10 ms and a TCP stream, between pods on two nodes.
 * @module
 */
import type { Result } from '../result.ts'
import { attachPod } from '../rig/pods.ts'
import type { Rig } from '../rig/rig.ts'
import { startPing, startStream, type Tally } from '../rig/traffic.ts'

/** What was lost over so many restarts of both agents. */
export async function measureRestart(rig: Rig, restarts: number): Promise<readonly Result[]> {
  const from = attachPod(rig, rig.node(0))
  const to = attachPod(rig, rig.node(1))
  const ping = startPing(from.netns, to.address)
  const stream = await startStream(from.netns, to.netns, to.address)
  await Bun.sleep(500)
  for (let n = 0; n < restarts; n += 1) {
    for (const node of rig.nodes) rig.killAgent(node)
    await Bun.sleep(300)
    for (const node of rig.nodes) rig.startAgent(node)
    await Promise.all(rig.nodes.map((node) => rig.ready(node)))
    await Bun.sleep(300)
  }
  const tallies = [
    ['ping every 10 ms', await ping.stop()],
    ['TCP stream', await stream.stop()],
  ] as const
  return tallies.map(([what, tally]) => lostLine(`${restarts} agent restarts on two nodes, ${what}: lost`, tally))
}

function lostLine(what: string, { sent, lost, worstMs, everyMs }: Tally): Result {
  return {
    what,
    unit: '',
    ours: lost,
    target: { of: 'ours', atMost: 0 },
    note: `${sent} sent, one every ${everyMs.toFixed(0)} ms, worst reply ${worstMs.toFixed(1)} ms`,
  }
}
