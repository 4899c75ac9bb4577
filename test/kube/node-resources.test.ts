/** Bridges as resources in the status of a Node, as a real API server keeps them. */
import { afterAll, expect, test } from 'bun:test'
import { kubeNodeResources } from '../../src/agent/bridges/node-resources.ts'
import { at } from '../../src/compat/fields.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { NODES } from '../../src/kube/resources.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'

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
}
