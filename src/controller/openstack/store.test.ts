import { expect, test } from 'bun:test'
import { NEUTRON_OF_CONTROLLER } from '../../compat/weft/neutron-permissions.ts'
import type { NodePorts } from '../../network/model/neutron.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import { type Registry, RegistryError } from '../../registry/registry.ts'
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

test('one that cannot be read is taken away by what the controller’s role may do: it may get no NodePorts', async () => {
  const verbs = new Set(
    NEUTRON_OF_CONTROLLER.filter(({ resource }) => resource.plural === 'nodeports').flatMap((one) => one.verbs),
  )
  const asked: string[] = []
  const isAllowed = (verb: Parameters<typeof verbs.has>[0]): void => {
    asked.push(verb)
    if (!verbs.has(verb)) throw new RegistryError('REGISTRY_UNAVAILABLE', `it may not ${verb}`)
  }
  const registry = {
    get: async () => isAllowed('get'),
    // It is there, and nobody can read it.
    list: async () => {
      isAllowed('list')
      return { revision: 1, objects: [] }
    },
    create: async () => {
      isAllowed('create')
      throw new RegistryError('REGISTRY_EXISTS', 'it is there')
    },
    delete: async () => isAllowed('delete'),
  } as unknown as Registry
  const store = new PortsStore(registry, { store: new Map() })
  await expect(store.put(ports('OURS'))).rejects.toThrow('it is there')
  expect(asked.at(-1)).toBe('delete')
})
