/**
 * What a registry must do for whoever asks of one object by its name.
 * @module
 */
import { expect } from 'bun:test'
import type { RegistryUnderTest } from './conformance.ts'
import { collect, tenant } from './conformance-tools.ts'
import type { Listing } from './registry.ts'

/** A listing by name has that object or nothing, at a revision from which its watch goes on. */
export async function oneOfMany({ registry }: RegistryUnderTest): Promise<void> {
  const listed = (name: string): Promise<Listing<'Tenant'>> => registry.list('Tenant', undefined, name)
  await registry.create('Tenant', 'a', tenant('a'))
  expect((await listed('b')).objects).toEqual([])
  const b = await registry.create('Tenant', 'b', tenant('b', 12))
  await registry.create('Tenant', 'bb', tenant('bb', 13))
  const { revision, objects } = await listed('b')
  expect(objects).toEqual([b])
  expect(revision).toBeGreaterThanOrEqual(b.revision)
  expect((await registry.list('Tenant', b.revision, 'b')).objects).toEqual([b])
  await registry.delete('Tenant', 'b')
  expect((await listed('b')).objects).toEqual([])
  expect((await registry.list('Tenant')).objects.map(({ name }) => name).toSorted()).toEqual(['a', 'bb'])
}

/** A watch by name tells everything of that object, and nothing of others. */
export async function followsOneName({ registry }: RegistryUnderTest): Promise<void> {
  const { revision } = await registry.list('Tenant', undefined, 'b')
  const seen = collect(registry, 'Tenant', revision, 4, 'b')
  const a = await registry.create('Tenant', 'a', tenant('a'))
  const b = await registry.create('Tenant', 'b', tenant('b', 12))
  await registry.update('Tenant', 'a', tenant('a', 21), a.revision)
  const b2 = await registry.update('Tenant', 'b', tenant('b', 22), b.revision)
  await registry.delete('Tenant', 'a')
  await registry.delete('Tenant', 'b')
  const again = await registry.create('Tenant', 'b', tenant('b', 32))
  const changes = await seen
  expect(changes.map(({ type, object }) => [type, object.name, object.value.vni])).toEqual([
    ['put', 'b', 12],
    ['put', 'b', 22],
    ['delete', 'b', 22],
    ['put', 'b', 32],
  ])
  expect(await collect(registry, 'Tenant', b2.revision, 2, 'b')).toEqual(changes.slice(2))
  expect(changes.at(-1)).toEqual({ type: 'put', object: again })
}

/** What happens to others is no reason for a watch of one object to expire. */
export async function oneNameStaysFresh({ registry, bookmarkRounds = 20 }: RegistryUnderTest): Promise<void> {
  const { revision } = await registry.list('Tenant', undefined, 'b')
  const first = collect(registry, 'Tenant', revision, 1, 'b')
  for (let round = 0; round < bookmarkRounds; round += 1) {
    const a = await registry.create('Tenant', 'a', tenant('a'))
    // A watcher that never gets to read has not been quiet but asleep.
    await new Promise((resolve) => setTimeout(resolve, 2))
    await registry.delete('Tenant', 'a', a.revision)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  const b = await registry.create('Tenant', 'b', tenant('b', 12))
  expect(await first).toEqual([{ type: 'put', object: b }])
}
