import { expect, test } from 'bun:test'
import { weftBindings } from '../compat/bindings.ts'
import { HOST_SUBNETS } from '../compat/openshift/resources.ts'
import { nodeReports } from '../compat/weft/node-report.ts'
import type { KubeList, Selection } from '../kube/api.ts'
import type { Resource } from '../kube/object.ts'
import { KubeRegistry } from '../kube/registry.ts'
import { NODES } from '../kube/resources.ts'
import { MemoryApi } from '../kube/testing/memory-api.ts'
import { cidr } from '../network/model/address.ts'
import { ControllerDaemon } from './daemon.ts'

const CLUSTER = {
  networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
  serviceNetworks: [cidr('172.30.0.0/16')],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
} as const

/** Notes which part of which collection is read. */
class NotingApi extends MemoryApi {
  readonly reads: string[] = []

  override list(resource: Resource, selection: Selection = {}): Promise<KubeList> {
    this.reads.push(`list ${resource.plural}.${resource.group} ${JSON.stringify(selection)}`)
    return super.list(resource, selection)
  }

  override watch(resource: Resource, selection: Selection, after: string, signal: AbortSignal) {
    this.reads.push(`watch ${resource.plural}.${resource.group} ${JSON.stringify(selection)}`)
    return super.watch(resource, selection, after, signal)
  }
}

test('all that a controller does lists and watches every resource once', async () => {
  const asked: string[] = []
  const api = new NotingApi()
  api.before = (verb, { plural }) => void asked.push(`${verb} ${plural}`)
  const registry = new KubeRegistry(api, weftBindings, { reports: nodeReports })
  await registry.create('Cluster', 'default', CLUSTER)
  const stop = new AbortController()
  const say = (): void => undefined
  const log = { info: say, warn: say, error: say }
  const parts = { registry, api, kubernetes: api, unreadable: new Map(), wish: {}, log, signal: stop.signal }
  const running = new ControllerDaemon(parts).run()

  // Every part of it has done its work: a range, its view as a HostSubnet, a report that was copied.
  await api.create(NODES, { apiVersion: 'v1', kind: 'Node', ...NODE })
  const network = await eventually(async () => (await registry.get('NodeNetwork', 'node1'))?.value)
  await registry.report?.(network, { ready: true, uplinkMtu: 1500, datapath: 'netdev' })
  await eventually(() => api.get(HOST_SUBNETS, { name: 'node1' }))
  await eventually(async () => asked.find((call) => call === 'patch nodenetworks'))
  stop.abort()
  await running
  const reads = api.reads.toSorted()
  expect(reads).toContain('watch nodenetworks.weft.dev {}')
  expect(reads).toEqual([...new Set(reads)])
})

const NODE = {
  metadata: { name: 'node1' },
  status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
}

async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await look()
    if (found !== undefined) return found
    if (attempt > 2_000) throw new Error('it did not come')
    await Bun.sleep(10)
  }
}
