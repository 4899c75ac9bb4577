/**
 * One node of a large cluster: its agent from nothing and started again, joins, pods, services.
 * @module
 */
import { join } from 'node:path'
import { ENDPOINT_SLICES } from '../../src/kube/resources.ts'
import { endpointKey, serviceFragmentKey } from '../../src/network/fragments/fragment.ts'
import { BRIDGE } from '../../src/network/host.ts'
import { endpointId } from '../../src/network/model/endpoint.ts'
import { cookieOf } from '../../src/network/pipeline/cookie.ts'
import { STAGES } from '../../src/network/pipeline/stages.ts'
import { connectOpenFlow, type OpenFlowClient } from '../../src/ovs/openflow/index.ts'
import { median, percentile, type Result } from '../result.ts'
import { callSync, type Sandbox } from '../rig/plugin.ts'
import { statusOf } from '../rig/program.ts'
import { count, mib } from './control-plane.ts'
import { ENDPOINTS, namespaceName, type Size, SLICES, serviceObjects } from './objects.ts'
import type { ScaleRig } from './rig.ts'
import { cpuOf, type Memory, settledMemory } from './usage.ts'

/** Local pods, and the namespaces that they belong to. */
const PODS = 250
const NAMESPACES = 50
const JOINS = 20
const EVENTS = 20
/** Between two events, so that one does not pay for what the other left running. */
const PAUSE_MS = 300

/** The agent of a node with many peers, and what an event costs it. */
export async function measureNode(rig: ScaleRig): Promise<readonly Result[]> {
  const cold = await rig.startAgent()
  const empty = await settledMemory(rig.pid('agent'))
  const pods = attach(rig, PODS)
  const dense = await settledMemory(rig.pid('agent'))
  await rig.end('agent')
  const again = await rig.startAgent()
  const warm = await settledMemory(rig.pid('agent'))
  const flows = (await statusOf(rig.node))?.flows ?? Number.NaN
  const results: readonly Result[] = [
    {
      what: 'agent from nothing until ready',
      unit: 's',
      ours: cold,
      note: `an empty switch; all other nodes as peers; then ${mib(empty.resident)}, at most ${mib(empty.peak)}`,
    },
    memoryLine(`agent memory, ${PODS} local pods of ${NAMESPACES} namespaces`, dense, 120),
    {
      what: `agent killed and started again with them until ready`,
      unit: 's',
      ours: again,
      note: `${count(flows)} flows read and compared`,
    },
    memoryLine('the same: agent memory', warm, 120),
  ]
  return [...results, ...(await measureJoins(rig, pods, JOINS)), ...(await measurePods(rig))]
}

/** The same with services: what is measured again, and what a change of endpoints costs. */
export async function measureServices(rig: ScaleRig, size: Size): Promise<readonly Result[]> {
  await rig.end('agent')
  await rig.end('api', 'asked')
  const filled = await rig.fill(
    (function* objects() {
      for (let n = 0; n < size.services; n += 1) yield* serviceObjects(n, { ...size, nodes: size.nodes - 1 })
    })(),
  )
  await rig.startApi()
  const ready = await rig.startAgent()
  const memory = await settledMemory(rig.pid('agent'))
  await rig.end('agent')
  const again = await rig.startAgent()
  const warm = await settledMemory(rig.pid('agent'))
  const flows = (await statusOf(rig.node))?.flows ?? Number.NaN
  const what = `${count(size.services)} services with ${SLICES * ENDPOINTS} endpoints each`
  return [
    {
      what: `${what}: agent started, until ready`,
      unit: 's',
      ours: ready,
      note: `${count(filled.objects)} objects more; every service in the switch`,
    },
    memoryLine('the same: agent memory', memory),
    {
      what: 'the same: agent killed and started again',
      unit: 's',
      ours: again,
      note: `${count(flows)} flows and ${count(await groups(rig))} groups read and compared`,
    },
    memoryLine('the same: agent memory then', warm),
    ...(await measureEndpoints(rig)),
  ]
}

function memoryLine(what: string, { resident, peak }: Memory, atMost?: number): Result {
  const target = atMost === undefined ? {} : { target: { of: 'ours', atMost } as const }
  return { what, unit: 'MiB', ours: resident, ...target, note: `at most ${mib(peak)}` }
}

function attach(rig: ScaleRig, pods: number): readonly Sandbox[] {
  const sandboxes = Array.from({ length: pods }, (_, n) => rig.sandbox(namespaceName(n % NAMESPACES)))
  for (const sandbox of sandboxes) callSync(rig.plugin, 'ADD', sandbox)
  return sandboxes
}

/** From the annotation until the controller's answer, and until the switch has the namespace's pods in the other network. */
async function measureJoins(rig: ScaleRig, pods: readonly Sandbox[], joins: number): Promise<readonly Result[]> {
  const [planned, installed]: [number[], number[]] = [[], []]
  await withSwitch(rig, async (client) => {
    for (let n = 0; n < joins; n += 1) {
      const [asker, target] = [namespaceName(n), namespaceName(NAMESPACES - 1 - n)]
      const pod = pods.find(({ namespace }) => namespace === asker)
      const vni = await rig.vniOf(target)
      if (pod === undefined || vni === undefined) throw new Error(`${asker} or ${target} is not there`)
      const answered = await rig.watchVni(asker, vni)
      const key = endpointKey(endpointId(pod.id, 'eth0'))
      const changed = await watchFlows(client, STAGES.classify.table, key)
      const started = performance.now()
      const [, at, done] = await Promise.all([rig.askToJoin(asker, target), answered.at, changed()])
      planned.push(at - started)
      installed.push(done - started)
      await Bun.sleep(PAUSE_MS)
    }
  })
  const note = (samples: readonly number[]) => `${joins} joins; p95 ${percentile(samples, 0.95).toFixed(1)} ms`
  return [
    {
      what: 'a namespace joins another: planned, p50',
      unit: 'ms',
      ours: median(planned),
      note: `${note(planned)}; annotation sent until the answer is seen by a watch`,
    },
    {
      what: 'a namespace joins another: installed, p50',
      unit: 'ms',
      ours: median(installed),
      note: `${note(installed)}; annotation sent until the switch has the flows of its ${PODS / NAMESPACES} pods`,
    },
  ]
}

async function measurePods(rig: ScaleRig): Promise<readonly Result[]> {
  const agent = rig.pid('agent')
  const sandboxes = Array.from({ length: EVENTS }, () => rig.sandbox(namespaceName(0)))
  const before = cpuOf(agent)
  const samples: number[] = []
  for (const sandbox of sandboxes) {
    samples.push(callSync(rig.plugin, 'ADD', sandbox).ms)
    await Bun.sleep(PAUSE_MS)
  }
  const cpu = (cpuOf(agent) - before) / EVENTS
  for (const sandbox of sandboxes) callSync(rig.plugin, 'DEL', sandbox)
  return [
    {
      what: `one pod more on the node (ADD), p50`,
      unit: 'ms',
      ours: median(samples),
      note: `agent's processor time ${cpu.toFixed(1)} ms each`,
    },
  ]
}

/** A service's only endpoint stops being ready, and is again: until the switch has it so. */
async function measureEndpoints(rig: ScaleRig): Promise<readonly Result[]> {
  const namespace = namespaceName(0)
  const [service, first] = serviceObjects(0, { nodes: 1, namespaces: 1, pods: 1, services: 1 })
  const name = service?.metadata.name ?? ''
  const slice = { namespace, name: first?.metadata.name ?? '' }
  const object = await rig.api.get(ENDPOINT_SLICES, slice)
  const other = { namespace, name: `${name}-1` }
  const endpoints = object?.['endpoints']
  if (!Array.isArray(endpoints)) throw new Error('there is no such slice')
  const [one] = endpoints
  // With the rest of them gone, the last one makes a difference that shows in the flows.
  await rig.api.patch(ENDPOINT_SLICES, other, 'merge', { endpoints: [] })
  await Bun.sleep(PAUSE_MS)
  const samples: number[] = []
  const agent = rig.pid('agent')
  const before = cpuOf(agent)
  await withSwitch(rig, async (client) => {
    for (let n = 0; n < EVENTS; n += 1) {
      const changed = await watchFlows(client, STAGES.balance.table, serviceFragmentKey(`${namespace}/${name}`), true)
      const started = performance.now()
      const next = n % 2 === 0 ? [{ ...one, conditions: { ready: false } }] : endpoints
      const [, done] = await Promise.all([
        rig.api.patch(ENDPOINT_SLICES, slice, 'merge', { endpoints: next }),
        changed(),
      ])
      samples.push(done - started)
      await Bun.sleep(PAUSE_MS)
    }
  })
  const cpu = cpuOf(agent) - before
  return [
    {
      what: 'endpoints of one service change: installed, p50',
      unit: 'ms',
      ours: median(samples),
      note: `${EVENTS} changes; p95 ${percentile(samples, 0.95).toFixed(1)} ms; agent's processor time ${(cpu / EVENTS).toFixed(1)} ms each`,
    },
  ]
}

/** Tells when the flows of a fragment in a table are others than now. */
async function watchFlows(
  client: OpenFlowClient,
  table: number,
  key: string,
  anyDrop = false,
): Promise<() => Promise<number>> {
  const filter = { table, cookie: cookieOf(key), ...(anyDrop ? { cookieMask: 0xffff00ffffffffffn } : {}) }
  const look = async () =>
    JSON.stringify(
      (await client.dumpFlows(filter)).map(({ flow }) => flow),
      asText,
    )
  const before = await look()
  return async () => {
    while ((await look()) === before) await Bun.sleep(1)
    return performance.now()
  }
}

function asText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

async function groups(rig: ScaleRig): Promise<number> {
  let found = 0
  await withSwitch(rig, async (client) => {
    found = (await client.dumpGroups()).length
  })
  return found
}

async function withSwitch(rig: ScaleRig, work: (client: OpenFlowClient) => Promise<void>): Promise<void> {
  const client = await connectOpenFlow({ path: join(rig.node.ovsDir, `${BRIDGE}.mgmt`), waitForSwitch: true })
  try {
    await work(client)
  } finally {
    client.close()
  }
}
