import { Forwarding } from '../../src/agent/switch/forwarding.ts'
import { Switch } from '../../src/agent/switch/switch.ts'
import { type NodeContext, nodeContext } from '../../src/network/context.ts'
import { NodePlanner } from '../../src/network/planner.ts'
import type { NodeLayout } from '../../src/playground/layout.ts'
import type { Result } from '../result.ts'
import { sampleEndpoint } from '../rig/plan.ts'
import { attachPod } from '../rig/pods.ts'
import { agentOf } from '../rig/program.ts'
import type { Rig } from '../rig/rig.ts'
import { startPing, type Tally } from '../rig/traffic.ts'

const MTU = 1450

/** The last thing done on the second node: its agent is gone afterwards. */
export async function measureSwap(rig: Rig, flows: number): Promise<readonly Result[]> {
  const node = rig.node(1)
  const from = attachPod(rig, node)
  const to = attachPod(rig, node)
  const standing = await plannerOf(node)
  rig.killAgent(node)
  using stop = new Stop()
  const listener = { connected: () => undefined, disconnected: () => undefined, mtu: () => MTU }
  const bridge = await Switch.open(node.ovsDir, standing().context.datapath, listener, SILENT, stop.signal)
  const forwarding = new Forwarding(bridge)
  const idle = await during(from.netns, to.address, () => Bun.sleep(2000))
  const perPod = endpointFlows(standing())
  const pods = Math.ceil(flows / perPod)
  forwarding.follow(withPods(standing(), 0, pods))
  await forwarding.sync()
  const next = withPods(standing(), pods, pods)
  const count = next.flows().length
  forwarding.follow(next)
  const swap = await during(from.netns, to.address, () => forwarding.sync())
  return [
    {
      what: `swap of ${count.toLocaleString('en')} flows, ping every 10 ms: lost`,
      unit: '',
      ours: swap.tally.lost,
      target: { of: 'ours', atMost: 0 },
      note: `${swap.tally.sent} sent, one every ${swap.tally.everyMs.toFixed(0)} ms; dump, difference and ${(2 * count).toLocaleString('en')} changes took ${(swap.ms / 1000).toFixed(1)} s`,
    },
    {
      what: 'the same: worst reply',
      unit: 'ms',
      ours: swap.tally.worstMs,
      peer: idle.tally.worstMs,
      peerName: 'idle',
      target: { of: 'ours', atMost: 20 },
    },
  ]
}

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

class Stop implements Disposable {
  readonly #controller = new AbortController()
  readonly signal: AbortSignal = this.#controller.signal;
  [Symbol.dispose](): void {
    this.#controller.abort()
  }
}

/** Makes the plan of a node as its agent has it. */
async function plannerOf(node: NodeLayout): Promise<() => NodePlanner> {
  const facts = await agentOf(node).facts()
  const context: NodeContext | undefined = nodeContext(facts.cluster, facts.self, facts.status.mtu ?? MTU)
  if (context === undefined) throw new Error('the node has no range')
  return () => {
    const planner = new NodePlanner(context)
    for (const [namespace, vni] of facts.tenants) planner.putTenant(namespace, vni)
    for (const { endpoint } of facts.leases) planner.putEndpoint(endpoint)
    return planner
  }
}

/** Adds pods that exist in the plan only. */
function withPods(planner: NodePlanner, first: number, count: number): NodePlanner {
  planner.putTenant('swap', 99)
  for (let n = first; n < first + count; n += 1) planner.putEndpoint(sampleEndpoint(50_000 + n, 'swap'))
  return planner
}

function endpointFlows(planner: NodePlanner): number {
  planner.take()
  const before = planner.flows().length
  withPods(planner, 0, 100)
  return Math.floor((planner.flows().length - before) / 100)
}

async function during(
  netns: string,
  address: string,
  work: () => Promise<unknown>,
): Promise<{ readonly tally: Tally; readonly ms: number }> {
  const ping = startPing(netns, address)
  await Bun.sleep(500)
  const started = performance.now()
  await work()
  const ms = performance.now() - started
  await Bun.sleep(500)
  return { tally: await ping.stop(), ms }
}
