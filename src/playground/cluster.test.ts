import { expect, test } from 'bun:test'
import { ip } from '../network/model/address.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import type { Registry } from '../registry/registry.ts'
import { planChecks } from './checks.ts'
import { readSurroundings } from './cluster.ts'
import { SAMPLE } from './testing/sample.ts'

test('a host outside the cluster is no node of the playground: nothing is measured from there', async () => {
  const registry: Registry = new MemoryRegistry()
  await registry.create('Cluster', 'default', SAMPLE.cluster)
  for (const pod of SAMPLE.pods) await registry.create('Pod', `${pod.namespace}/${pod.name}`, pod)
  for (const node of SAMPLE.nodes) await registry.create('NodeNetwork', node.node, node)
  const host = { machine: { kind: 'external', vni: 0 }, addresses: [ip('198.18.77.40')], ranges: [] } as const
  // Names in front of, between and behind the nodes': each would be somebody's next node.
  for (const name of ['lb1', 'node1a', 'outside']) await registry.create('NodeNetwork', name, { node: name, ...host })
  const around = await readSurroundings(registry)
  expect(around.nodes).toEqual([...SAMPLE.nodes])
  const places = planChecks(around).flatMap(({ place }) => (place.type === 'node' ? [place.name] : []))
  expect(new Set(places)).toEqual(new Set(SAMPLE.nodes.map(({ node }) => node)))
})
