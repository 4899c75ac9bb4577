/** Bridges as resources in the status of a Node, as a real API server keeps them. */
import { afterAll, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { kubeNodeResources } from '../../src/agent/bridges/node-resources.ts'
import { at } from '../../src/compat/fields.ts'
import { KubeClient } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { NODES, PODS } from '../../src/kube/resources.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually, freePort, start } from './process.ts'

const NODE = { name: 'node1' }
const BRIDGE = (name: string): string => `ovs-cni.network.kubevirt.io/${name}`
const never = new AbortController().signal

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const starting = ControlPlane.start(ASSETS)
  afterAll(async () => (await starting).stop(), 30_000)

  test('counted on a node that has nothing yet, beside what others count, and withdrawn', async () => {
    const api = new KubeClient((await starting).config())
    try {
      const capacity = async () => at(await api.get(NODES, NODE), 'status', 'capacity')
      let patches = 0
      const patch: KubeClient['patch'] = (...given) => {
        patches += 1
        return api.patch(...given)
      }
      const resources = kubeNodeResources({ list: api.list.bind(api), patch }, NODE.name)
      await api.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: NODE })
      await resources.set(new Set([BRIDGE('br1')]), never)
      expect(await capacity()).toEqual({ [BRIDGE('br1')]: '1k' })
      await api.patch(NODES, NODE, 'merge', { status: { capacity: { cpu: '2' } } }, 'status')
      await resources.set(new Set([BRIDGE('br1')]), never)
      expect(patches).toBe(1)
      await resources.set(new Set([BRIDGE('br-ex.7')]), never)
      expect(await capacity()).toEqual({ cpu: '2', [BRIDGE('br-ex.7')]: '1k' })
      await resources.set(new Set(), never)
      expect(await capacity()).toEqual({ cpu: '2' })
    } finally {
      api.close()
    }
  }, 120_000)

  const scheduler = join(ASSETS, 'kube-scheduler')
  const title = 'a pod that needs a bridge waits for a node that has it'
  if (existsSync(scheduler)) test(title, async () => schedules(await starting, scheduler), 120_000)
  else test.skip(`SKIPPED, as kube-scheduler is not in KUBEBUILDER_ASSETS: ${title}`, () => undefined)
}

/** The real scheduler, and a node whose kubelet is this test. */
async function schedules(plane: ControlPlane, scheduler: string): Promise<void> {
  const api = new KubeClient(plane.config())
  const kubeconfig = join(plane.folder, 'scheduler.kubeconfig')
  plane.writeKubeconfig(kubeconfig)
  const asking = ['--kubeconfig', '--authentication-kubeconfig', '--authorization-kubeconfig']
  const serving = ['--bind-address=127.0.0.1', `--secure-port=${freePort()}`, `--cert-dir=${plane.folder}`]
  const running = start(
    [scheduler, ...asking.map((flag) => `${flag}=${kubeconfig}`), ...serving, '--leader-elect=false'],
    join(plane.folder, 'scheduler.log'),
  )
  try {
    const node = { name: 'node2' }
    const pod = { namespace: 'default', name: 'on-br1' }
    /** What a kubelet makes of what others count. */
    const allocate = async (): Promise<void> => {
      const capacity = at(await api.get(NODES, node), 'status', 'capacity')
      await api.patch(NODES, node, 'merge', { status: { allocatable: capacity } }, 'status')
    }
    await api.create(NODES, { apiVersion: 'v1', kind: 'Node', metadata: node })
    await api.patch(NODES, node, 'merge', { status: { capacity: { cpu: '2', memory: '1Gi', pods: '9' } } }, 'status')
    await allocate()
    const needs = { [BRIDGE('br1')]: '1' }
    const containers = [{ name: 'c', image: 'none', resources: { requests: needs, limits: needs } }]
    // A kubelet would have said that the node is ready.
    const tolerations = [{ operator: 'Exists' }]
    await api.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: pod,
      spec: { containers, tolerations },
    } as KubeObject)
    await eventually(async () => {
      const status = at(await api.get(PODS, pod), 'status')
      expect(JSON.stringify(status)).toContain(`Insufficient ${BRIDGE('br1')}`)
      expect(at(status, 'phase')).toBe('Pending')
    }, 30_000)
    await kubeNodeResources(api, node.name).set(new Set([BRIDGE('br1')]), never)
    await allocate()
    await eventually(async () => expect(at(await api.get(PODS, pod), 'spec', 'nodeName')).toBe(node.name), 30_000)
  } finally {
    await running.stop('SIGKILL')
    api.close()
  }
}
