/**
 * Flows through our OpenFlow client: the rate of bundles, and a whole plan exchanged for another while pods talk.
 * @module
 */
import { join } from 'node:path'
import type { Flow } from '../../src/flow/flow.ts'
import { addFlows, connectOpenFlow, type OpenFlowClient } from '../../src/ovs/openflow/index.ts'
import { vsctl } from '../../src/playground/lab/switch.ts'
import { median, type Result } from '../result.ts'
import { samplePlan } from '../rig/plan.ts'
import type { Rig } from '../rig/rig.ts'

const BRIDGE = 'br-bench'

/** Flows per second into an empty bridge of its own, beside `ovs-ofctl --bundle` from a file. */
export async function measureBundles(rig: Rig, rounds: number): Promise<readonly Result[]> {
  const node = rig.node(1)
  await vsctl(node, 'add-br', BRIDGE, '--', 'set', 'Bridge', BRIDGE, 'datapath_type=netdev', 'fail_mode=secure')
  const socket = join(node.ovsDir, `${BRIDGE}.mgmt`)
  const client = await connectOpenFlow({ path: socket, waitForSwitch: true })
  try {
    const results: Result[] = []
    for (const count of [1000, 10_000]) results.push(await rate(client, count, rounds))
    return results
  } finally {
    client.close()
    await vsctl(node, 'del-br', BRIDGE)
  }
}

async function rate(client: OpenFlowClient, count: number, rounds: number): Promise<Result> {
  const flows = flowsOf(count)
  const samples: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    await client.bundle({ flows: [{ op: 'delete', filter: {} }] })
    const started = performance.now()
    await client.bundle({ flows: addFlows(flows) })
    samples.push(performance.now() - started)
  }
  const ms = median(samples)
  return {
    what: `bundle of ${count.toLocaleString('en')} flows`,
    unit: 'flows/s',
    ours: (count / ms) * 1000,
    note: `${ms.toFixed(1)} ms from encoding to the commit's answer, median of ${rounds}`,
  }
}

function flowsOf(count: number): readonly Flow[] {
  return samplePlan(Math.ceil(count / 5))
    .flows()
    .slice(0, count)
}
