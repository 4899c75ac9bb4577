/**
 * Objects that mean nothing, on the playground's API server: their owners are told where they look.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLUSTER_NETWORKS, NET_NAMESPACES } from '../../src/compat/openshift/resources.ts'
import { ControllerDaemon } from '../../src/controller/daemon.ts'
import type { KubeApi } from '../../src/kube/api.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { EVENTS, NAMESPACES } from '../../src/kube/resources.ts'
import { cidr } from '../../src/network/model/address.ts'
import { type OpenRegistry, openPlace } from '../../src/place/place.ts'
import { formats } from '../../src/playground/apiserver/all-formats.ts'
import { type ApiServer, serveApi } from '../../src/playground/apiserver/serve.ts'
import { installCrds } from './cluster-objects.ts'
import { eventually } from './process.ts'

const CLUSTER = { apiVersion: 'network.openshift.io/v1', kind: 'ClusterNetwork', metadata: { name: 'default' } }
const VALID = { ...CLUSTER, network: '10.128.0.0/14', hostsubnetlength: 9, serviceNetwork: '172.30.0.0/16' }

const dir = mkdtempSync(join(tmpdir(), 'wefttest-invalid-'))
const stop = new AbortController()
const lines: string[] = []
const settled: string[] = []
let server: ApiServer
let opened: OpenRegistry
let running: Promise<void>

beforeAll(async () => {
  const serviceNetworks = [cidr('172.30.0.0/16')]
  server = await serveApi({ dir, formats, tls: false, serviceNetworks, bookmarkInterval: 20 })
  const file = join(dir, 'kubeconfig')
  server.writeKubeconfig(file, 'admin')
  const tellers = {
    onInvalid: (problem: string) => lines.push(problem),
    onSettled: (sentence: string) => settled.push(sentence),
  }
  opened = openPlace({ kind: 'kubeconfig', file }, tellers)
  await installCrds(api())
  await api().create(CLUSTER_NETWORKS, VALID)
  await api().create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  const say = (): void => undefined
  const log = { info: say, warn: say, error: say }
  running = new ControllerDaemon({ ...opened, wish: {}, log, signal: stop.signal }).run()
  await eventually(async () => expect(await api().get(NET_NAMESPACES, { name: 'shop' })).toBeDefined(), 20_000)
})

afterAll(async () => {
  stop.abort()
  await running
  opened.close()
  await server.stop()
  rmSync(dir, { recursive: true })
})

function api(): KubeApi {
  if (opened.api === undefined) throw new Error('it is an API server')
  return opened.api
}

/** Events about an object. */
async function eventsOf(kind: string, name: string): Promise<readonly KubeObject[]> {
  const { items } = await api().list(EVENTS)
  return items.filter(({ involvedObject: about }) => Object(about)['kind'] === kind && Object(about)['name'] === name)
}

test('a cluster configuration that is made invalid says so in an event, besides the log', async () => {
  await api().patch(CLUSTER_NETWORKS, { name: 'default' }, 'merge', { network: '10.128.0.1/14' })
  const [event] = await eventually(async () => {
    const events = await eventsOf('ClusterNetwork', 'default')
    expect(events).toHaveLength(1)
    return events
  }, 20_000)
  expect(event).toMatchObject({ reason: 'OBJECT_INVALID', type: 'Warning', source: { component: 'weft-controller' } })
  expect(event?.['message']).toContain('10.128.0.1/14')
  expect(lines.filter((line) => line.startsWith('Cluster default: '))).toHaveLength(1)
})

test('a reason goes when its object is corrected, and when it is deleted', async () => {
  const reason = () => opened.unreadable.get('Cluster/default')
  expect(reason()).toContain('10.128.0.1/14')
  await api().patch(CLUSTER_NETWORKS, { name: 'default' }, 'merge', { network: '10.128.0.0/14' })
  await eventually(async () => expect(reason()).toBeUndefined(), 20_000)
  await api().patch(CLUSTER_NETWORKS, { name: 'default' }, 'merge', { network: 'no network' })
  await eventually(async () => expect(reason()).toContain('no network'), 20_000)
  const told = lines.length
  await api().delete(CLUSTER_NETWORKS, { name: 'default' })
  await eventually(async () => expect(reason()).toBeUndefined(), 20_000)
  // Nor was it told once more by its deletion.
  expect(lines.slice(told)).toEqual([])
  const sentence = 'Cluster default: what was wrong with it is corrected, or gone with it'
  expect(settled).toEqual([sentence, sentence])
}, 60_000)
