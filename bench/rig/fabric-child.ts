/**
 * A process of its own that plans a node of a large cluster, so that its memory is the plan's alone: `fabric-child.ts WAY NODES`.
 * Prints what it took as JSON.
 * @module
 */
import { readFileSync } from 'node:fs'
import { diffFragments } from '../../src/network/diff.ts'
import { hostPlan } from '../../src/network/host.ts'
import type { Fabric } from '../../src/network/model/cluster.ts'
import { NodePlanner } from '../../src/network/planner.ts'
import { median } from '../result.ts'
import { fabricContext, machineOf, PODS_EACH, placeOf, remotePod, TENANTS, tenantOf } from './fabric-cluster.ts'
import { sampleEndpoint } from './plan.ts'

/** Times in ms, memory in MiB. */
export interface FabricPlan {
  readonly planMs: number
  readonly memoryMiB: number
  readonly peakMiB: number
  readonly flows: number
  readonly nodeComesMs: number
  readonly nodeGoesMs: number
  readonly nodeFlows: number
  readonly podComesMs: number
  readonly podFlows: number
  readonly hostPlanMs: number
  readonly ledMs: number
  readonly nftBytes: number
  readonly routes: number
}

const ROUNDS = 40
const WAYS: readonly Fabric['way'][] = ['tunnel', 'direct', 'bgp']
const [asked, size] = process.argv.slice(2)
const chosen = WAYS.find((one) => one === asked)
if (chosen === undefined) throw new Error(`a way is one of ${WAYS.join(', ')}`)
console.log(JSON.stringify(measure(chosen, Number(size))))

function measure(way: Fabric['way'], nodes: number): FabricPlan {
  Bun.gc(true)
  const before = memory('VmRSS')
  const pods = Array.from({ length: (nodes - 1) * PODS_EACH }, (_, i) =>
    remotePod(2 + Math.floor(i / PODS_EACH), i % PODS_EACH),
  )
  const started = performance.now()
  const planner = new NodePlanner(fabricContext(way))
  for (let n = 0; n < TENANTS; n += 1) {
    planner.putTenant(tenantOf(n), 1000 + n)
    // One pod of each tenant here: every other pod of the cluster is somebody's business.
    planner.putEndpoint(sampleEndpoint(n, tenantOf(n)))
  }
  for (let n = 2; n <= nodes; n += 1) comes(planner, n)
  for (const pod of pods) planner.putPod(pod)
  lead(planner)
  planner.take()
  const planMs = performance.now() - started
  const { length: flows } = planner.flows()
  Bun.gc(true)
  const memoryMiB = memory('VmRSS') - before
  return { planMs, memoryMiB, peakMiB: memory('VmHWM'), flows, ...events(planner, nodes), ...stack(planner) }
}

function comes(planner: NodePlanner, n: number): void {
  planner.putPeer(machineOf(n))
  if (planner.context.takesDirect) planner.putPlace(`node${n}`, placeOf(n))
}

function lead(planner: NodePlanner): void {
  planner.led(hostPlan(planner.context, planner.publication()).direct)
}

function events(planner: NodePlanner, nodes: number) {
  const late = nodes + 1
  const pod = { ...remotePod(late, 0), node: `node${nodes}` }
  const node = [0, 0]
  const [comesMs, goesMs] = [() => comes(planner, late), () => planner.removePeer(`node${late}`)].map(
    (happen, i, both) =>
      median(
        Array.from({ length: ROUNDS }, () => {
          if (i === 1) settle(planner, both[0])
          const took = timed(planner, happen)
          node[i] = took.flows
          if (i === 0) settle(planner, both[1])
          return took.ms
        }),
      ),
  )
  let podFlows = 0
  const pods = Array.from({ length: ROUNDS }, () => {
    const took = timed(planner, () => planner.putPod(pod))
    podFlows = took.flows
    settle(planner, () => planner.removePod(`${pod.namespace}/${pod.name}`))
    return took.ms
  })
  return {
    nodeComesMs: comesMs ?? Number.NaN,
    nodeGoesMs: goesMs ?? Number.NaN,
    nodeFlows: node[0] ?? 0,
    podComesMs: median(pods),
    podFlows,
  }
}

function settle(planner: NodePlanner, happen: (() => void) | undefined): void {
  happen?.()
  planner.take()
}

/** From the event to the rows for the switch, without the node's own stack. */
function timed(planner: NodePlanner, happen: () => void): { readonly ms: number; readonly flows: number } {
  const started = performance.now()
  happen()
  const { write, remove } = diffFragments(planner.take())
  return { ms: performance.now() - started, flows: write.length + remove.length }
}

/** What every change of the nodes costs besides: the stack is planned as a whole. */
function stack(planner: NodePlanner) {
  const plans: number[] = []
  const leads: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now()
    const { direct } = hostPlan(planner.context, planner.publication())
    const planned = performance.now()
    planner.led(direct)
    plans.push(planned - started)
    leads.push(performance.now() - planned)
  }
  const { nftables, direct } = hostPlan(planner.context, planner.publication())
  return {
    hostPlanMs: median(plans),
    ledMs: median(leads),
    nftBytes: Buffer.byteLength(nftables),
    routes: direct?.routes.length ?? 0,
  }
}

function memory(field: 'VmRSS' | 'VmHWM'): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(line?.[1] ?? Number.NaN) / 1024
}
