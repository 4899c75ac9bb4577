/**
 * ADD and DEL, one at a time, ours and the peer's in turn.
 * @module
 */
import { percentile, type Result } from '../result.ts'
import { callSync, type Plugin, type Sandbox } from '../rig/plugin.ts'
import type { Rig } from '../rig/rig.ts'

const WARM_UP = 5
/** Between two calls, so that one does not pay for what the other left running. */
const PAUSE_MS = 10
/** So many pods come before they go: an empty node stays nearly empty. */
const BATCH = 25
/** Before each batch; links of pods that went are swept a second later. */
const SETTLE_MS = 1500

interface Samples {
  readonly add: number[]
  readonly del: number[]
}

/** p50 and p95 of ADD, p50 of DEL. */
export async function measureAddDel(rig: Rig, rounds: number): Promise<readonly Result[]> {
  const { ours, peer } = await sample(rig, rounds)
  return [
    {
      what: 'ADD p50, one at a time',
      unit: 'ms',
      ours: percentile(ours.add, 0.5),
      peer: percentile(peer.add, 0.5),
      target: { of: 'ratio', atMost: 0.8 },
      note: `${rounds} calls each, in turn; ours gives both families with isolation flows, bridge IPv4 only`,
    },
    { what: 'ADD p95, one at a time', unit: 'ms', ours: percentile(ours.add, 0.95), peer: percentile(peer.add, 0.95) },
    {
      what: 'DEL p50, one at a time',
      unit: 'ms',
      ours: percentile(ours.del, 0.5),
      peer: percentile(peer.del, 0.5),
      target: { of: 'ratio', atMost: 0.2 },
    },
    { what: 'DEL p95, one at a time', unit: 'ms', ours: percentile(ours.del, 0.95), peer: percentile(peer.del, 0.95) },
  ]
}

/** The same on a node that is full. */
export async function measureDense(rig: Rig, rounds: number, pods: number): Promise<readonly Result[]> {
  const { ours, peer } = await sample(rig, rounds)
  return [
    {
      what: `ADD p50 with ${pods} pods on the node`,
      unit: 'ms',
      ours: percentile(ours.add, 0.5),
      peer: percentile(peer.add, 0.5),
      target: { of: 'ratio', atMost: 1.8 },
    },
    {
      what: `DEL p50 with ${pods} pods on the node`,
      unit: 'ms',
      ours: percentile(ours.del, 0.5),
      peer: percentile(peer.del, 0.5),
    },
  ]
}

async function sample(rig: Rig, rounds: number): Promise<{ readonly ours: Samples; readonly peer: Samples }> {
  const ours: Samples = { add: [], del: [] }
  const peer: Samples = { add: [], del: [] }
  await batch(rig, WARM_UP, { add: [], del: [] }, { add: [], del: [] })
  for (let done = 0; done < rounds; done += BATCH) await batch(rig, Math.min(BATCH, rounds - done), ours, peer)
  return { ours, peer }
}

/** So many pods of each come one by one, in turn, and go again. */
async function batch(rig: Rig, pods: number, ours: Samples, peer: Samples): Promise<void> {
  const sides = [
    { plugin: rig.peer(), samples: peer, sandboxes: rig.sandboxes(pods) },
    { plugin: rig.ours(), samples: ours, sandboxes: rig.sandboxes(pods) },
  ] as const
  const results = new Map<string, unknown>()
  await Bun.sleep(SETTLE_MS)
  for (let n = 0; n < pods; n += 1) {
    for (const { plugin, samples, sandboxes } of sides) await one(plugin, 'ADD', sandboxes[n], samples.add, results)
  }
  for (let n = 0; n < pods; n += 1) {
    for (const { plugin, samples, sandboxes } of sides) await one(plugin, 'DEL', sandboxes[n], samples.del, results)
  }
}

async function one(
  plugin: Plugin,
  verb: 'ADD' | 'DEL',
  sandbox: Sandbox | undefined,
  samples: number[],
  results: Map<string, unknown>,
): Promise<void> {
  if (sandbox === undefined) return
  const { ms, result } = callSync(plugin, verb, sandbox, verb === 'DEL' ? results.get(sandbox.id) : undefined)
  results.set(sandbox.id, result)
  samples.push(ms)
  await Bun.sleep(PAUSE_MS)
}
