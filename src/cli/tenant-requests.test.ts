import { expect, test } from 'bun:test'
import { reconcile } from '../controller/reconcile.ts'
import type { Tenant } from '../network/model/tenant.ts'
import { clusterOf, DEFAULT_SHAPE } from '../playground/options.ts'
import { MemoryRegistry } from '../registry/memory.ts'
import { type Registry, RegistryError } from '../registry/registry.ts'
import { listTenants, requestTenant } from './tenant-requests.ts'

const TENANTS: readonly Tenant[] = [
  { namespace: 'default', vni: 0 },
  { namespace: 'bank', vni: 11 },
  { namespace: 'shop', vni: 12 },
]

test('nobody answers: the request is withdrawn', async () => {
  const registry = await withTenants()
  await expect(join(registry)).rejects.toEqual(
    expect.objectContaining({
      code: 'TENANT_TIMEOUT',
      message: expect.stringContaining('the request was withdrawn'),
    }),
  )
  expect((await registry.get('Tenant', 'bank'))?.value).toEqual({ namespace: 'bank', vni: 11 })
})

test('stopped while waiting: the request is withdrawn', async () => {
  const registry = await withTenants()
  const stop = new AbortController()
  const asked = requestTenant(registry, 'bank', { action: 'global' }, { signal: stop.signal })
  await until(async () => (await registry.get('Tenant', 'bank'))?.value.request !== undefined)
  stop.abort()
  await expect(asked).rejects.toMatchObject({ code: 'TENANT_INTERRUPTED' })
  expect((await registry.get('Tenant', 'bank'))?.value).toEqual({ namespace: 'bank', vni: 11 })
})

test('withdrawing fails: the request stays, and it says so', async () => {
  const registry = await withTenants()
  let updates = 0
  const flaky = intercept(registry, async () => {
    updates += 1
    if (updates > 1) throw new RegistryError('REGISTRY_UNAVAILABLE', 'gone')
  })
  await expect(join(flaky)).rejects.toEqual(
    expect.objectContaining({
      code: 'TENANT_REQUEST_STAYS',
      message: expect.stringContaining('the request stays and will be carried out'),
    }),
  )
  expect((await registry.get('Tenant', 'bank'))?.value.request).toMatchObject({ action: 'join', target: 'shop' })
})

test('an answer that comes while withdrawing counts', async () => {
  const registry = await withTenants()
  let updates = 0
  const late = intercept(registry, async () => {
    updates += 1
    if (updates === 2) await answer(registry, 12)
  })
  expect(await join(late)).toEqual({ namespace: 'bank', vni: 12, shared: ['shop'] })
})

test('an earlier request that nobody answers is left alone', async () => {
  const registry = await withTenants()
  const stored = await registry.get('Tenant', 'bank')
  const waiting = { namespace: 'bank', vni: 11, request: { id: 'theirs', action: 'global' } } as const
  await registry.update('Tenant', 'bank', waiting, stored?.revision ?? 0)
  await expect(join(registry)).rejects.toMatchObject({ code: 'TENANT_BUSY' })
  expect((await registry.get('Tenant', 'bank'))?.value).toEqual(waiting)
})

test('a tenant that vanishes with its answer is never reported as global', async () => {
  const registry = await withTenants()
  const asked = join(registry, 5000)
  await until(async () => (await registry.get('Tenant', 'bank'))?.value.request !== undefined)
  await registry.delete('Tenant', 'bank')
  await expect(asked).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' })
})

test('an answer replaced by a later one is told as lost', async () => {
  const registry = await withTenants()
  const asked = join(registry, 5000)
  await until(async () => (await registry.get('Tenant', 'bank'))?.value.request !== undefined)
  const stored = await registry.get('Tenant', 'bank')
  const later = { namespace: 'bank', vni: 12, outcome: { id: 'theirs', accepted: true } } as const
  await registry.update('Tenant', 'bank', later, stored?.revision ?? 0)
  await expect(asked).rejects.toMatchObject({ code: 'TENANT_ANSWER_LOST' })
})

test('the controller’s refusal comes through with its code', async () => {
  const registry = await withTenants()
  const asked = requestTenant(registry, 'bank', { action: 'join', target: 'nobody' }, { patience: 5000 })
  await until(async () => (await registry.get('Tenant', 'bank'))?.value.request !== undefined)
  await registry.create('Cluster', 'default', clusterOf(DEFAULT_SHAPE))
  for (const { namespace } of TENANTS) await registry.create('Namespace', namespace, { name: namespace, uid: 'u' })
  await reconcile(registry, () => 0)
  await expect(asked).rejects.toMatchObject({ code: 'TENANT_UNKNOWN_TARGET' })
  // A command is a request for once: it is not granted later, when that becomes possible.
  expect((await registry.get('Tenant', 'bank'))?.value).toEqual({ namespace: 'bank', uid: 'u', vni: 11 })
})

test('somebody else’s request that stands refused does not block another', async () => {
  const registry = await withTenants()
  const stored = await registry.get('Tenant', 'bank')
  const request = { id: 'theirs', action: 'join', target: 'nobody' } as const
  const outcome = { id: 'theirs', accepted: false, code: 'TENANT_UNKNOWN_TARGET', message: 'm', remedy: 'r' } as const
  await registry.update('Tenant', 'bank', { namespace: 'bank', vni: 11, request, outcome }, stored?.revision ?? 0)
  const asked = join(registry, 5000)
  await until(
    async () =>
      (await registry.get('Tenant', 'bank'))?.value.request?.action === 'join' &&
      (await registry.get('Tenant', 'bank'))?.value.request?.id !== 'theirs',
  )
  await answer(registry, 12)
  expect(await asked).toMatchObject({ vni: 12 })
})

test('lists tenants by name, each with those of its VNI', async () => {
  const registry = await withTenants()
  await registry.create('Tenant', 'till', { namespace: 'till', vni: 12 })
  expect(await listTenants(registry)).toEqual([
    { namespace: 'bank', vni: 11, shared: [] },
    { namespace: 'default', vni: 0, shared: [] },
    { namespace: 'shop', vni: 12, shared: ['till'] },
    { namespace: 'till', vni: 12, shared: ['shop'] },
  ])
})

function join(registry: Registry, patience = 50) {
  return requestTenant(registry, 'bank', { action: 'join', target: 'shop' }, { patience })
}

async function withTenants(): Promise<MemoryRegistry> {
  const registry = new MemoryRegistry()
  for (const tenant of TENANTS) await registry.create('Tenant', tenant.namespace, tenant)
  return registry
}

async function answer(registry: Registry, vni: number): Promise<void> {
  const stored = await registry.get('Tenant', 'bank')
  if (stored?.value.request === undefined) throw new Error('nothing is asked')
  const { request, ...rest } = stored.value
  await registry.update(
    'Tenant',
    'bank',
    { ...rest, vni, outcome: { id: request.id, accepted: true } },
    stored.revision,
  )
}

/** The registry with something done before each update. */
function intercept(registry: Registry, before: () => Promise<void>): Registry {
  return {
    get: (kind, name) => registry.get(kind, name),
    list: (kind) => registry.list(kind),
    watch: (kind, after, signal) => registry.watch(kind, after, signal),
    create: (kind, name, value) => registry.create(kind, name, value),
    delete: (kind, name, revision) => registry.delete(kind, name, revision),
    update: async (kind, name, value, revision) => {
      await before()
      return registry.update(kind, name, value, revision)
    },
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await Bun.sleep(5)
}
