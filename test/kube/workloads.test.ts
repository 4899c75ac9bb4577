/**
 * The playground's scheduler and workload controllers on a real kube-apiserver, driven by the real kubectl.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import {
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  NODES,
  PODS,
  REPLICA_SETS,
  SERVICES,
  STATEFUL_SETS,
} from '../../src/kube/resources.ts'
import { until } from '../../src/playground/processes.ts'
import { runScheduler } from '../../src/playground/scheduler/run.ts'
import { podOf } from '../../src/playground/workloads/pod.ts'
import { runWorkloads } from '../../src/playground/workloads/run.ts'
import { workload } from '../../src/playground/workloads/testing/objects.ts'
import { running } from '../../src/playground/workloads/testing/rig.ts'
import { at, fields, list } from '../../src/playground/workloads/values.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'

const KUBECTL = ASSETS === undefined ? '' : join(ASSETS, 'kubectl')
const isPossible = existsSync(KUBECTL)
const NAMESPACE = { namespace: 'default' }
const WAIT = '--timeout=30s'

if (!isPossible) console.warn(`${SKIPPED} (with kubectl): workloads on a real kube-apiserver`)

describe.skipIf(!isPossible)('on a real kube-apiserver', () => {
  let plane: ControlPlane
  let api: KubeClient
  const stop = new AbortController()
  const ends: Promise<unknown>[] = []
  const defects: object[] = []

  beforeAll(async () => {
    plane = await ControlPlane.start(ASSETS ?? '')
    api = new KubeClient(plane.config())
    const log = { warn: () => undefined, error: (one: object) => defects.push(one) }
    const { signal } = stop
    for (const name of ['node-a', 'node-b']) await makeNode(api, name)
    ends.push(runScheduler({ api, signal, log }), runWorkloads({ api, signal, log }), pretendKubelet(api, signal))
  }, 120_000)

  afterAll(async () => {
    stop.abort()
    await Promise.all(ends)
    api?.close()
    await plane?.stop()
    expect(defects).toEqual([])
  })

  test('a Deployment rolls out, is scaled, restarted and undone', async () => {
    await kubectl('create', 'deployment', 'web', '--image=one', '--replicas=3')
    expect(await kubectl('rollout', 'status', 'deployment/web', WAIT)).toContain('successfully rolled out')
    await kubectl('scale', 'deployment/web', '--replicas=5')
    expect(await kubectl('rollout', 'status', 'deployment/web', WAIT)).toContain('successfully rolled out')
    const nodes = (await api.list(PODS, { ...NAMESPACE, labelSelector: 'app=web' })).items.map((pod) => podOf(pod).node)
    expect(nodes.filter((node) => node === 'node-a').length).toBeGreaterThanOrEqual(2)
    expect(nodes).toHaveLength(5)
    await kubectl('set', 'image', 'deployment/web', 'one=two')
    expect(await kubectl('rollout', 'status', 'deployment/web', WAIT)).toContain('successfully rolled out')
    await kubectl('rollout', 'restart', 'deployment/web')
    expect(await kubectl('rollout', 'status', 'deployment/web', WAIT)).toContain('successfully rolled out')
    await kubectl('rollout', 'undo', 'deployment/web', '--to-revision=1')
    expect(await kubectl('rollout', 'status', 'deployment/web', WAIT)).toContain('successfully rolled out')
    const revisions = (await kubectl('rollout', 'history', 'deployment/web')).match(/^\d+/gm)
    expect(revisions).toEqual(['2', '3', '4'])
    expect(await kubectl('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe(
      'one',
    )
    expect(await kubectl('describe', 'deployment', 'web')).toContain('Scaled up replica set')
    await kubectl('wait', '--for=condition=Available', 'deployment/web', WAIT)
    expect((await api.list(REPLICA_SETS, NAMESPACE)).items).toHaveLength(3)
  }, 60_000)

  test('a paused Deployment waits', async () => {
    await kubectl('rollout', 'pause', 'deployment/web')
    await kubectl('set', 'image', 'deployment/web', 'one=three')
    await kubectl('scale', 'deployment/web', '--replicas=2')
    await soon(async () => (await api.list(PODS, { ...NAMESPACE, labelSelector: 'app=web' })).items.length === 2)
    expect((await api.list(REPLICA_SETS, NAMESPACE)).items).toHaveLength(3)
    await kubectl('rollout', 'resume', 'deployment/web')
    expect(await kubectl('rollout', 'status', 'deployment/web', WAIT)).toContain('successfully rolled out')
  }, 60_000)

  test('a StatefulSet rolls out and is undone', async () => {
    const spec = { replicas: 3, serviceName: 'db' }
    const set = workload('StatefulSet', 'db', spec, 'one')
    const template = fields(at(set, 'spec', 'template'))
    const pod = { ...fields(template['spec']), nodeName: undefined }
    await api.create(STATEFUL_SETS, {
      ...set,
      metadata: { ...set.metadata, ...NAMESPACE },
      spec: { ...fields(set['spec']), template: { ...template, spec: pod } },
    })
    expect(await kubectl('rollout', 'status', 'statefulset/db', WAIT)).toContain('complete')
    await kubectl('set', 'image', 'statefulset/db', 'main=two')
    expect(await kubectl('rollout', 'status', 'statefulset/db', WAIT)).toContain('complete')
    await kubectl('rollout', 'undo', 'statefulset/db')
    expect(await kubectl('rollout', 'status', 'statefulset/db', WAIT)).toContain('complete')
    expect(await kubectl('get', 'pod', 'db-2', '-o', 'jsonpath={.spec.containers[0].image} {.spec.hostname}')).toBe(
      'one db-2',
    )
    expect((await kubectl('rollout', 'history', 'statefulset/db')).match(/^\d+/gm)).toEqual(['2', '3'])
  }, 60_000)

  test('slices follow pods, headless ones with names', async () => {
    await kubectl('create', 'service', 'clusterip', 'web', '--tcp=80:8080')
    await api.create(SERVICES, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'db', ...NAMESPACE },
      spec: { clusterIP: 'None', selector: { app: 'db' }, ports: [{ port: 5432 }] },
    })
    const endpoints = async (service: string): Promise<readonly unknown[]> => {
      const selection = { ...NAMESPACE, labelSelector: `kubernetes.io/service-name=${service}` }
      return (await api.list(ENDPOINT_SLICES, selection)).items.flatMap((slice) => list(slice['endpoints']))
    }
    await soon(async () => (await endpoints('web')).length === 2 && (await endpoints('db')).length === 3)
    expect((await endpoints('db')).map((one) => at(one, 'hostname')).sort()).toEqual(['db-0', 'db-1', 'db-2'])
    await kubectl('scale', 'deployment/web', '--replicas=0')
    await soon(async () => (await endpoints('web')).length === 0)
    await Bun.sleep(200)
    const writes = (await api.list(ENDPOINT_SLICES, NAMESPACE)).resourceVersion
    await Bun.sleep(500)
    // Nothing is written while nothing changes: what the server fills in is no difference.
    const { items } = await api.list(ENDPOINT_SLICES, NAMESPACE)
    expect(items.every(({ metadata }) => Number(metadata.resourceVersion) <= Number(writes))).toBe(true)
  }, 60_000)

  test('where no node is, the reason is told, and a node that comes is used', async () => {
    await kubectl('cordon', 'node-a')
    await kubectl('cordon', 'node-b')
    await kubectl('create', 'deployment', 'late', '--image=one')
    const events = (): Promise<string> => kubectl('get', 'events', '--field-selector=reason=FailedScheduling')
    await soon(async () => (await events()).includes('0/2 nodes are available: 2 node(s) were unschedulable.'))
    await kubectl('uncordon', 'node-b')
    expect(await kubectl('rollout', 'status', 'deployment/late', WAIT)).toContain('successfully rolled out')
  }, 60_000)

  test('a server that goes away and comes back finds everything as it should be', async () => {
    await plane.stopApiserver()
    await Bun.sleep(300)
    await plane.startApiserver()
    await api.patch(DEPLOYMENTS, { ...NAMESPACE, name: 'late' }, 'merge', { spec: { replicas: 3 } })
    expect(await kubectl('rollout', 'status', 'deployment/late', WAIT)).toContain('successfully rolled out')
    expect((await api.list(PODS, { ...NAMESPACE, labelSelector: 'app=late' })).items).toHaveLength(3)
  }, 120_000)

  async function kubectl(...args: readonly string[]): Promise<string> {
    const file = join(plane.folder, 'kubectl.yaml')
    plane.writeKubeconfig(file)
    // The controllers live in this process: it must not stand still meanwhile.
    const command = [KUBECTL, `--kubeconfig=${file}`, `--cache-dir=${plane.folder}/cache`, ...args]
    const child = Bun.spawn(command, { stdout: 'pipe', stderr: 'pipe' })
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
    if ((await child.exited) !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
})

async function makeNode(api: KubeClient, name: string): Promise<void> {
  const node = await api.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: { name } })
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Test',
    message: '',
    lastHeartbeatTime: null,
    lastTransitionTime: null,
  }
  await api.replace(NODES, { ...node, status: { conditions: [ready] } }, 'status')
}

/** Pods run as soon as they are bound, and end as soon as they are told to. */
async function pretendKubelet(api: KubeClient, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for (const object of (await api.list(PODS, {}, signal)).items) {
        const { namespace, name, terminating, node, readySince } = podOf(object)
        if (terminating) await api.delete(PODS, { namespace, name }, { gracePeriodSeconds: 0 }, signal)
        else if (node !== undefined && readySince === undefined) {
          await api.replace(
            PODS,
            { ...object, status: { ...fields(object['status']), ...running(object) } },
            'status',
            signal,
          )
        }
      }
    } catch (error) {
      if (!(error instanceof KubeError) && !signal.aborted) throw error
    }
    await Bun.sleep(20)
  }
}

async function soon(isSo: () => Promise<boolean>): Promise<void> {
  expect(await until(isSo, 30_000)).toBe(true)
}
