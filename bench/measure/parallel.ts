/**
 * 100 ADDs, then 100 DELs, 16 at a time: ours and the peer's in turn.
 * @module
 */
import { median, type Result } from '../result.ts'
import { call, inParallel, type Plugin } from '../rig/plugin.ts'
import type { Rig } from '../rig/rig.ts'

const PODS = 100
const WIDTH = 16
/** ovs-vswitchd closes the sockets of removed ports for a while: the next round starts after it. */
const SETTLE_MS = 2500

interface Round {
  readonly podsPerSecond: number
  readonly delMs: number
}

/** Pods per second and the time of all DELs. */
export async function measureParallel(rig: Rig, rounds: number): Promise<readonly Result[]> {
  const ours: Round[] = []
  const peer: Round[] = []
  for (let n = 0; n < rounds; n += 1) {
    peer.push(await round(rig, rig.peer()))
    ours.push(await round(rig, rig.ours()))
  }
  const rate = (all: readonly Round[]) => median(all.map(({ podsPerSecond }) => podsPerSecond))
  const del = (all: readonly Round[]) => median(all.map(({ delMs }) => delMs))
  return [
    {
      what: `${PODS} ADDs, ${WIDTH} at a time`,
      unit: 'pods/s',
      ours: rate(ours),
      peer: rate(peer),
      target: { of: 'ratio', atLeast: 1.8 },
      note: `median of ${rounds} rounds each, in turn`,
    },
    { what: `${PODS} DELs, ${WIDTH} at a time`, unit: 'ms', ours: del(ours), peer: del(peer) },
  ]
}

/** Fills the node of each plugin with pods that stay. */
export async function fill(rig: Rig, pods: number): Promise<void> {
  for (const plugin of [rig.peer(), rig.ours()]) {
    await inParallel(rig.sandboxes(pods), WIDTH, async (sandbox) => {
      await call(plugin, 'ADD', sandbox)
    })
  }
}

async function round(rig: Rig, plugin: Plugin): Promise<Round> {
  const sandboxes = rig.sandboxes(PODS)
  const results = new Map<string, unknown>()
  await Bun.sleep(SETTLE_MS)
  const addMs = await inParallel(sandboxes, WIDTH, async (sandbox) => {
    results.set(sandbox.id, (await call(plugin, 'ADD', sandbox)).result)
  })
  const delMs = await inParallel(sandboxes, WIDTH, async (sandbox) => {
    await call(plugin, 'DEL', sandbox, results.get(sandbox.id))
  })
  return { podsPerSecond: (PODS / addMs) * 1000, delMs }
}
