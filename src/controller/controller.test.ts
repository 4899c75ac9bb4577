import { describe, expect, test } from 'bun:test'
import { cidr, ip } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { type Registry, RegistryError } from '../registry/registry.ts'
import { type ControllerLog, startController } from './controller.ts'

const CLUSTER: Cluster = {
  networks: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
  serviceNetworks: [],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
}
const QUIET: ControllerLog = { info: () => undefined, warn: () => undefined, error: () => undefined }
const BACKOFF = { first: 1, most: 2 }

describe('startController', () => {
  test('gives nodes and namespaces that come while it runs what they need', async () => {
    const registry = new MemoryRegistry()
    const aborter = new AbortController()
    const { done } = startController({ registry, signal: aborter.signal, random: () => 0, log: QUIET })
    await registry.create('Node', 'a', { name: 'a', uid: 'u', addresses: [ip('192.0.2.1')] })
    await registry.create('Namespace', 'shop', { name: 'shop', uid: 's' })
    await registry.create('Cluster', 'default', CLUSTER)
    await until(async () => (await registry.get('NodeNetwork', 'a'))?.value.ranges[0] === '10.128.0.0/23')
    await until(async () => (await registry.get('Tenant', 'shop'))?.value.vni === 10)
    await registry.delete('Node', 'a')
    await until(async () => (await registry.get('NodeNetwork', 'a')) === undefined)
    aborter.abort()
    await done
  })

  test('lives through a registry that fails every seventh call', async () => {
    const sound = new MemoryRegistry()
    let calls = 0
    const registry = failing(sound, () => {
      calls += 1
      return calls % 7 === 0
    })
    const aborter = new AbortController()
    const { done } = startController({
      registry,
      signal: aborter.signal,
      random: () => 0.5,
      log: QUIET,
      backoff: BACKOFF,
    })
    await sound.create('Cluster', 'default', CLUSTER)
    for (const name of ['a', 'b', 'c']) {
      await sound.create('Node', name, { name, uid: name, addresses: [ip('192.0.2.1')] })
      await sound.create('Namespace', name, { name, uid: name })
    }
    await until(async () => (await sound.list('NodeNetwork')).objects.length === 3)
    await until(async () => (await sound.list('Tenant')).objects.length === 3)
    aborter.abort()
    await done
  })

  test('does not take a tenant for unreadable that was in the way once, and once more long after', async () => {
    const memory = new MemoryRegistry()
    let inTheWay = 0
    const registry: Registry = {
      get: (kind, name) => memory.get(kind, name),
      list: (kind) => memory.list(kind),
      watch: (kind, after, signal) => memory.watch(kind, after, signal),
      create: async (kind, name, value) => {
        if (kind === 'Tenant') inTheWay += 1
        // Somebody made it a moment before.
        if (inTheWay === 1) await memory.create('Tenant', 'shop', { namespace: 'shop', uid: 's', vni: 77 })
        // It was there, and is gone when we look.
        if (inTheWay === 2) throw new RegistryError('REGISTRY_EXISTS', 'as asked')
        return memory.create(kind, name, value)
      },
      update: (kind, name, value, revision) => memory.update(kind, name, value, revision),
      delete: (kind, name, revision) => memory.delete(kind, name, revision),
    }
    const warnings: string[] = []
    const log = { ...QUIET, warn: (_: object, message: string) => void warnings.push(message) }
    const aborter = new AbortController()
    await memory.create('Cluster', 'default', CLUSTER)
    await memory.create('Namespace', 'shop', { name: 'shop', uid: 's' })
    const { done } = startController({ registry, signal: aborter.signal, random: () => 0, log, backoff: BACKOFF })
    await until(async () => (await memory.get('Tenant', 'shop'))?.value.vni === 77)
    await settle()
    await memory.delete('Tenant', 'shop')
    await until(async () => (await memory.get('Tenant', 'shop'))?.value.vni === 10)
    expect(warnings).toEqual([])
    aborter.abort()
    await done
  })

  test('does not run a pass for what agents say of themselves', async () => {
    const registry = new MemoryRegistry()
    let reads = 0
    const counted = failing(registry, () => {
      reads += 1
      return false
    })
    const aborter = new AbortController()
    const { done } = startController({ registry: counted, signal: aborter.signal, random: () => 0, log: QUIET })
    await registry.create('Cluster', 'default', CLUSTER)
    await registry.create('Node', 'a', { name: 'a', uid: 'u', addresses: [ip('192.0.2.1')] })
    await until(async () => (await registry.get('NodeNetwork', 'a')) !== undefined)
    // One more pass follows the write; it has run when a later change has been met.
    await registry.create('Namespace', 'x', { name: 'x', uid: 'x' })
    await until(async () => (await registry.get('Tenant', 'x')) !== undefined)
    await settle()
    const before = reads
    const found = await registry.get('NodeNetwork', 'a')
    if (found === undefined) throw new Error('no network')
    const status = { ready: true, uplinkMtu: 1500, datapath: 'netdev' } as const
    await registry.update('NodeNetwork', 'a', { ...found.value, status }, found.revision)
    await settle()
    expect(reads).toBe(before)
    aborter.abort()
    await done
  })
})

/** A registry some of whose calls fail. */
function failing(registry: MemoryRegistry, fails: () => boolean): MemoryRegistry {
  return new Proxy(registry, {
    get(target, key) {
      const method = Reflect.get(target, key, target)
      if (typeof method !== 'function' || key === 'watch')
        return typeof method === 'function' ? method.bind(target) : method
      return async (...args: unknown[]) => {
        if (fails()) throw new RegistryError('REGISTRY_UNAVAILABLE', 'as asked')
        return method.apply(target, args)
      }
    },
  })
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await settle()
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5))
}
