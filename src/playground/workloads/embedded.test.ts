/**
 * The controllers and the names on the embedded API server: the server's own garbage collection, addresses of services.
 */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KubeClient } from '../../kube/client.ts'
import { KubeError } from '../../kube/errors.ts'
import { DEPLOYMENTS, ENDPOINT_SLICES, NODES, PODS, REPLICA_SETS, SERVICES } from '../../kube/resources.ts'
import { cidr } from '../../network/model/address.ts'
import { builtinResources } from '../apiserver/builtin/index.ts'
import { serveApi } from '../apiserver/serve.ts'
import { standIns } from '../apiserver/testing/stand-ins.ts'
import { dnsObjects } from '../dns/objects.ts'
import { runScheduler } from '../scheduler/run.ts'
import { podOf } from './pod.ts'
import { runWorkloads } from './run.ts'
import { running } from './testing/rig.ts'
import { at, fields, list } from './values.ts'

const dir = mkdtempSync(join(tmpdir(), 'wefttest-workloads-'))
const serviceNetworks = [cidr('10.96.0.0/16'), cidr('fd00:96::/112')]
const formats = { ...standIns, builtinResources }
const server = await serveApi({ dir, formats, tls: false, serviceNetworks })
const token = server.tokenOf('admin')
const api = new KubeClient({ server: server.url, credentials: () => ({ token }) })
const stop = new AbortController()
const defects: object[] = []
const log = { warn: () => undefined, error: (one: object) => defects.push(one) }
const controllers = [runWorkloads, runScheduler].map((run) => run({ api, signal: stop.signal, log }))

afterAll(async () => {
  stop.abort()
  await Promise.all(controllers)
  api.close()
  await server.stop()
  rmSync(dir, { recursive: true })
  expect(defects).toEqual([])
})

test('the objects of the names come to life, and go with their owners', async () => {
  await api.create(NODES, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-a' },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  })
  const node = await api.get(NODES, { name: 'node-a' })
  if (node === undefined) throw new Error('no node')
  await api.replace(NODES, { ...node, status: { conditions: [{ type: 'Ready', status: 'True' }] } }, 'status')
  for (const object of dnsObjects({ serviceNetworks, replicas: 2 })) {
    await api.create(object.kind === 'Service' ? SERVICES : DEPLOYMENTS, object)
  }
  const here = { namespace: 'kube-system' }
  await until(async () => {
    for (const pod of (await api.list(PODS, here)).items) {
      const { node: bound, readySince } = podOf(pod)
      if (bound === undefined || readySince !== undefined) continue
      await api.replace(PODS, { ...pod, status: { ...fields(pod['status']), ...running(pod) } }, 'status').catch(known)
    }
    const deployment = await api.get(DEPLOYMENTS, { ...here, name: 'weft-dns' })
    return at(deployment, 'status', 'availableReplicas') === 2
  })
  await until(async () => {
    const { items } = await api.list(ENDPOINT_SLICES, here)
    const endpoints = items
      .filter((slice) => slice['addressType'] === 'IPv4')
      .flatMap((slice) => list(slice['endpoints']))
    return endpoints.length === 2 && items.length === 2
  })
  const service = await api.get(SERVICES, { ...here, name: 'kube-dns' })
  expect(at(service, 'spec', 'clusterIPs')).toEqual(['10.96.0.10', 'fd00:96::a'])
  await api.delete(SERVICES, { ...here, name: 'kube-dns' })
  await api.delete(DEPLOYMENTS, { ...here, name: 'weft-dns' }, { propagation: 'Background' })
  await until(async () => {
    for (const pod of (await api.list(PODS, here)).items) {
      if (!podOf(pod).terminating) continue
      await api.delete(PODS, { ...here, name: pod.metadata.name }, { gracePeriodSeconds: 0 }).catch(known)
    }
    const left = await Promise.all([ENDPOINT_SLICES, PODS, REPLICA_SETS].map((each) => api.list(each, here)))
    return left.every(({ items }) => items.length === 0)
  })
}, 20_000)

function known(error: unknown): void {
  if (!(error instanceof KubeError)) throw error
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    if (tries > 500) throw new Error('it does not come about')
    await Bun.sleep(20)
  }
}
