/** A real Open vSwitch, and the playground's API server. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { at } from '../../compat/fields.ts'
import { KubeClient } from '../../kube/client.ts'
import { KubeError } from '../../kube/errors.ts'
import { loadKubeconfig } from '../../kube/kubeconfig.ts'
import { NODES } from '../../kube/resources.ts'
import { cidr } from '../../network/model/address.ts'
import { connectOvsdb, type OvsdbClient } from '../../ovs/ovsdb/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../../ovs/testing/ovs-sandbox.ts'
import { formats } from '../../playground/apiserver/all-formats.ts'
import { type ApiServer, serveApi } from '../../playground/apiserver/serve.ts'
import { UnderlayPorts } from '../plugins/ovs/ports.ts'
import { kubeNodeResources, type NodeResources } from './node-resources.ts'
import { publishBridges } from './publish.ts'

const PREFIX = 'ovs-cni.network.kubevirt.io/'
const never = new AbortController().signal
const dir = mkdtempSync(join(tmpdir(), 'weft-bridges-'))

let ovs: OvsSandbox
let ovsdb: OvsdbClient
let ports: UnderlayPorts
let server: ApiServer
let api: KubeClient
let fault: Error | undefined
let sets: number
let refusals: unknown[]
let heard: PromiseWithResolvers<Error | undefined>

beforeAll(async () => {
  ovs = await startOvsSandbox({ dummy: true })
  for (const bridge of ['br1', 'br-weft', 'br-int']) await ovs.vsctl('add-br', bridge)
  ovsdb = await connectOvsdb({ path: ovs.dbSocket })
  ports = await UnderlayPorts.open(ovsdb, never)
  server = await serveApi({ dir, formats, tls: false, serviceNetworks: [cidr('172.30.0.0/16')] })
  server.writeKubeconfig(join(dir, 'kubeconfig'), 'admin')
  api = new KubeClient(loadKubeconfig(join(dir, 'kubeconfig'), {}))
  await api.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node1' } })
})
afterAll(async () => {
  api.close()
  await server.stop()
  ovsdb.close()
  await ovs.stop()
  rmSync(dir, { recursive: true, force: true })
})
beforeEach(async () => {
  fault = undefined
  sets = 0
  refusals = []
  heard = Promise.withResolvers()
  await count({ cpu: '2', [`${PREFIX}old`]: '1000' })
})

async function count(capacity: Readonly<Record<string, string>>): Promise<void> {
  await api.patch(NODES, { name: 'node1' }, 'json', [{ op: 'add', path: '/status', value: { capacity } }], 'status')
}

const counted = async () => at(await api.get(NODES, { name: 'node1' }), 'status', 'capacity')

/** What the publisher did next. */
function next(): Promise<Error | undefined> {
  heard = Promise.withResolvers()
  return heard.promise
}

function publish(): Disposable {
  const real = kubeNodeResources(api, 'node1')
  const resources: NodeResources = {
    set: (names, signal) => {
      sets += 1
      return fault === undefined ? real.set(names, signal) : Promise.reject(fault)
    },
  }
  const published = (failure?: { readonly error: unknown }): void => heard.resolve(failure?.error as Error | undefined)
  const log = { info: (fields: object) => void refusals.push(Object(fields).err) }
  return publishBridges({ tables: ports.tables, resources, published, log, signal: never, random: () => 0 })
}

test('bridges of pods are counted, those of others and of ours are not, and what is gone goes', async () => {
  using _publishing = publish()
  await heard.promise
  expect(await counted()).toEqual({ cpu: '2', [`${PREFIX}br1`]: '1000' })
})

test('a bridge that comes is counted at once, and withdrawn when it goes', async () => {
  using _publishing = publish()
  await heard.promise
  const came = next()
  await ovs.vsctl('add-br', 'br2')
  await came
  expect(await counted()).toEqual({ cpu: '2', [`${PREFIX}br1`]: '1000', [`${PREFIX}br2`]: '1000' })
  const went = next()
  await ovs.vsctl('del-br', 'br2')
  await went
  expect(await counted()).toEqual({ cpu: '2', [`${PREFIX}br1`]: '1000' })
})

test('nothing is written where nothing changed', async () => {
  await count({ 'devices.kubevirt.io/kvm': '1k', [`${PREFIX}br1`]: '1000' })
  const before = await api.get(NODES, { name: 'node1' })
  using _publishing = publish()
  await heard.promise
  expect(await api.get(NODES, { name: 'node1' })).toEqual(before as never)
})

test('a node that is not there yet is no error', async () => {
  await kubeNodeResources(api, 'node2').set(new Set([`${PREFIX}br1`]), never)
  expect(await api.get(NODES, { name: 'node2' })).toBeUndefined()
})

test('who may not asks once; whom nobody answered asks again', async () => {
  fault = new KubeError('KUBE_FORBIDDEN', 'no', 'no')
  {
    using _publishing = publish()
    // Longer than the pause before a repetition.
    await Bun.sleep(300)
    expect([sets, refusals]).toEqual([1, [fault]])
  }
  fault = new KubeError('KUBE_UNAVAILABLE', 'away', 'wait')
  const failed = next()
  using _publishing = publish()
  expect(await failed).toBe(fault)
  const done = next()
  fault = undefined
  expect(await done).toBeUndefined()
  expect(await counted()).toMatchObject({ [`${PREFIX}br1`]: '1000' })
})
