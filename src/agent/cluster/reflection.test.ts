import { expect, test } from 'bun:test'
import { MemoryRegistry } from '../../registry/memory.ts'
import { type Kind, type Registry, RegistryError } from '../../registry/registry.ts'
import type { AgentLog } from '../log.ts'
import { Problems } from '../problems.ts'
import { reflectCluster, reflectKinds } from './reflection.ts'
import { ClusterView } from './view.ts'

test('the registry is well again when every kind can be read, not only one', async () => {
  const registry = new MemoryRegistry()
  const broken = new Set<Kind>(['Tenant', 'Service'])
  const list: Registry['list'] = async (kind) => {
    if (broken.has(kind)) throw new RegistryError('REGISTRY_UNAVAILABLE', `no ${kind}`)
    return registry.list(kind)
  }
  const aborter = new AbortController()
  const told: string[] = []
  const view = new ClusterView('node1', () => 1500, { context: () => undefined, fragments: () => undefined })
  const health = {
    failed: (error: unknown) => told.push(error instanceof Error ? error.message : 'failed'),
    recovered: () => told.push('recovered'),
  }
  const watch: Registry['watch'] = (kind, after, signal) => registry.watch(kind, after, signal)
  reflectCluster(Object.assign(Object.create(registry) as Registry, { list, watch }), view, health, aborter.signal)
  await until(() => told.includes('no Tenant') && told.includes('no Service'))
  broken.delete('Tenant')
  await until(() => !view.waitingFor().join().includes('Tenant'))
  expect(told).not.toContain('recovered')
  broken.delete('Service')
  await until(() => told.includes('recovered'))
  expect(told.filter((word) => word === 'recovered')).toEqual(['recovered'])
  aborter.abort()
})

test('regression: a registry that is away ends nobody who follows kinds that no plan is made of', async () => {
  const registry = new MemoryRegistry()
  const away = new Set<Kind>(['AddressPool', 'AddressClaim'])
  const list: Registry['list'] = async (kind) => {
    if (away.has(kind)) throw new RegistryError('REGISTRY_UNAVAILABLE', `no ${kind}`)
    return registry.list(kind)
  }
  const watch: Registry['watch'] = (kind, after, signal) => registry.watch(kind, after, signal)
  const aborter = new AbortController()
  const told: string[] = []
  const say = (_: object, text: string): void => void told.push(text)
  const log = { debug: say, info: say, warn: say, error: say }
  const watcher = { put: () => undefined, remove: () => undefined }
  const fickle = Object.assign(Object.create(registry) as Registry, { list, watch })
  reflectKinds(
    fickle,
    { AddressPool: watcher, AddressClaim: watcher },
    new Problems(log as unknown as AgentLog),
    aborter.signal,
  )
  await until(() => told.includes('no AddressPool') && told.includes('no AddressClaim'))
  away.delete('AddressPool')
  await Bun.sleep(300)
  expect(told).not.toContain('works again')
  away.clear()
  await until(() => told.includes('works again'))
  aborter.abort()
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await Bun.sleep(5)
}
