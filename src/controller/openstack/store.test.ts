import { expect, test } from 'bun:test'
import type { NodePorts } from '../../network/model/neutron.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import { PortsStore } from './store.ts'

const ports = (reason: string): NodePorts => ({
  node: 'node-1',
  pools: [],
  problems: [{ network: 'pods', reason, problem: 'no' }],
})

test('what another one wrote a moment ago is not deleted because it was not yet heard of', async () => {
  const registry = new MemoryRegistry()
  const store = new PortsStore(registry, { store: new Map() })
  const theirs = await registry.create('NodePorts', 'node-1', ports('THEIRS'))
  await expect(store.put(ports('OURS'))).rejects.toThrow()
  expect(await registry.get('NodePorts', 'node-1')).toEqual(theirs)
  expect(store.get('node-1')).toEqual(theirs.value)
  await store.put(ports('OURS'))
  expect((await registry.get('NodePorts', 'node-1'))?.value).toEqual(ports('OURS'))
})
