import { afterEach, beforeEach, expect, test } from 'bun:test'
import { weftBindings } from '../compat/bindings.ts'
import { NODE_NETWORKS } from '../compat/weft/node-network.ts'
import { NODE_REPORTS, nodeReportIn, nodeReports } from '../compat/weft/node-report.ts'
import { decideReport } from '../compat/weft/node-report-decision.ts'
import type { KubeObject } from '../kube/object.ts'
import { KubeRegistry } from '../kube/registry.ts'
import { MemoryApi } from '../kube/testing/memory-api.ts'
import { cidr, ip } from '../network/model/address.ts'
import type { NodeNetwork, NodeNetworkStatus } from '../network/model/node.ts'
import { reflect } from '../registry/reflector.ts'
import { runNodeReports } from './node-reports.ts'
import { eventually } from './testing/eventually.ts'

const READY: NodeNetworkStatus = { ready: true, uplinkMtu: 1500, datapath: 'netdev' }
const WAITING: NodeNetworkStatus = { ...READY, ready: false, reason: 'no flows yet' }
const NETWORK: NodeNetwork = {
  node: 'node1',
  machine: { kind: 'node', uid: 'one' },
  addresses: [ip('192.0.2.1')],
  ranges: [cidr('10.128.0.0/23')],
}

/** The status of a NodeNetwork is no subresource: one patch writes it with the rest. */
class ApiOfOurs extends MemoryApi {
  override async patch(
    ...[resource, at, type, patch, subresource]: Parameters<MemoryApi['patch']>
  ): Promise<KubeObject> {
    const patched = await super.patch(resource, at, type, patch, subresource)
    if (resource !== NODE_NETWORKS) return patched
    const { status } = patch as { readonly status?: unknown }
    return super.patch(resource, at, type, { status }, 'status')
  }
}

let api: MemoryApi
let registry: KubeRegistry
let stop: AbortController
let running: Promise<void>
let said: string[]

beforeEach(() => {
  api = new ApiOfOurs()
  registry = new KubeRegistry(api, weftBindings, { reports: nodeReports })
  stop = new AbortController()
  said = []
  const say = (_: object, text: string): void => void said.push(text)
  const log = { info: say, warn: say, error: say }
  const { signal } = stop
  running = runNodeReports({ api, registry, networks: reflect(registry, 'NodeNetwork', { signal }), signal, log })
})

afterEach(async () => {
  stop.abort()
  await running
})

test('what an agent reports becomes the status of its node’s network, and nothing else of it changes', async () => {
  await registry.create('NodeNetwork', 'node1', NETWORK)
  await report(WAITING)
  await eventually(async () => expect((await stored()).status).toEqual(WAITING))
  await report(READY)
  await eventually(async () => expect(await stored()).toEqual({ ...NETWORK, status: READY }))
})

test('an agent writes its report only, and nothing when there is nothing new', async () => {
  await registry.create('NodeNetwork', 'node1', NETWORK)
  stop.abort()
  await running
  api.writes.length = 0
  await report(WAITING)
  await report(WAITING)
  await report(READY)
  expect(api.writes).toEqual(['create nodereports node1', 'update nodereports node1'])
  expect(nodeReportIn((await api.get(NODE_REPORTS, { name: 'node1' })) ?? missing())).toEqual({
    nodeUid: 'one',
    status: READY,
  })
})

test('a report that is there before the network is copied when that comes', async () => {
  await report(READY)
  await registry.create('NodeNetwork', 'node1', NETWORK)
  await eventually(async () => expect((await stored()).status).toEqual(READY))
})

test('a report about an earlier node of the same name is none', () => {
  const later: NodeNetwork = { ...NETWORK, machine: { kind: 'node', uid: 'two' } }
  expect(decideReport(later, { nodeUid: 'one', status: READY })).toEqual({ is: 'known' })
  expect(decideReport(NETWORK, { nodeUid: 'one', status: READY }).is).toBe('news')
})

test('an MTU that would stop everybody is not believed, and told once', async () => {
  await registry.create('NodeNetwork', 'node1', NETWORK)
  await report({ ...READY, uplinkMtu: 68 })
  await eventually(async () => expect(said.join()).toContain("the uplink's MTU is 68"))
  expect((await stored()).status).toBeUndefined()
  expect(said).toHaveLength(1)
})

test('what was told of a node is forgotten with it', async () => {
  const unbelievable = async (node: string, times: number): Promise<void> => {
    const network: NodeNetwork = { ...NETWORK, node }
    await registry.create('NodeNetwork', node, network)
    await registry.report?.(network, { ...READY, uplinkMtu: 68 })
    await eventually(async () => expect(said.filter((text) => text.includes(`node ${node} `))).toHaveLength(times))
  }
  await unbelievable('node1', 1)
  await registry.delete('NodeNetwork', 'node1')
  await api.delete(NODE_REPORTS, { name: 'node1' })
  // What happens after it is told after it.
  await unbelievable('node2', 1)
  await unbelievable('node1', 2)
})

test.each([
  [{}],
  [{ agent: 5 }],
  [{ agent: { ready: 'yes', uplinkMtu: 1500, datapath: 'netdev' } }],
  [{ agent: { ready: true, uplinkMtu: 1500, datapath: 'other' } }],
  [{ nodeUID: 5, agent: READY }],
])('%j is no report', (fields) => {
  const object = { apiVersion: 'weft.dev/v1alpha1', kind: 'NodeReport', metadata: { name: 'node1' }, ...fields }
  expect(nodeReportIn(object)).toBeUndefined()
})

function report(status: NodeNetworkStatus): Promise<void> | undefined {
  return registry.report?.(NETWORK, status)
}

async function stored(): Promise<NodeNetwork> {
  const found = await registry.get('NodeNetwork', 'node1')
  expect(await api.get(NODE_NETWORKS, { name: 'node1' })).toBeDefined()
  return found?.value ?? missing()
}

function missing(): never {
  throw new Error('there is none')
}
