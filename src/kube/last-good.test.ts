/**
 * What counts of an object that cannot be read any more: what that very object last was, and nothing older.
 */
import { expect, test } from 'bun:test'
import type { Change, Kind, Stored } from '../registry/registry.ts'
import type { KubeApi, KubeEvent } from './api.ts'
import type { KubeBindings } from './binding.ts'
import type { KubeObject } from './object.ts'
import { KubeRegistry } from './registry.ts'
import { THINGS } from './testing/thing-server.ts'

const keeping = {
  Tenant: {
    resource: THINGS,
    keepsLast: true,
    place: (name: string) => ({ name }),
    nameOf: ({ metadata }: KubeObject) => metadata.name,
    decode: (object: KubeObject) => ({ namespace: object.metadata.name, vni: object['value'] }),
  },
} as unknown as KubeBindings

function thing(uid: string, value: unknown, revision: number): KubeObject {
  const metadata = { name: 'a', uid, resourceVersion: String(revision) }
  return { apiVersion: 'test/v1', kind: 'Thing', metadata, value }
}

interface Answer {
  readonly revision: number
  readonly items: readonly KubeObject[]
}

/** An API whose lists answer these in their order, and whose watches tell these events. */
function registryOf(
  answers: readonly (Answer | Promise<Answer>)[],
  events: readonly KubeEvent[] = [],
  kept = memory(),
) {
  const left = [...answers]
  const api = {
    list: async () => {
      const { revision, items } = (await left.shift()) ?? { revision: 0, items: [] }
      return { resourceVersion: String(revision), items }
    },
    watch: async function* () {
      yield* events
      await Promise.withResolvers<never>().promise
    },
  } as unknown as KubeApi
  return new KubeRegistry(api, keeping, { lastGood: kept })
}

function memory() {
  const kinds = new Map<Kind, unknown>()
  return {
    read: (kind: Kind) => [...((kinds.get(kind) as ReadonlyMap<string, never> | undefined) ?? [])],
    write: (kind: Kind, entries: ReadonlyMap<string, unknown>) => void kinds.set(kind, new Map(entries)),
  }
}

const told = ({ name, revision, value }: Stored<'Tenant'>): string => `${name}@${revision}=${value.vni}`

async function listed(registry: KubeRegistry, atLeast?: number): Promise<readonly string[]> {
  return (await registry.list('Tenant', atLeast)).objects.map(told)
}

async function watched(registry: KubeRegistry): Promise<readonly string[]> {
  const changes: Change<'Tenant'>[] = []
  for await (const change of registry.watch('Tenant', 1, new AbortController().signal)) {
    changes.push(change)
    break
  }
  return changes.map((one) => (one.type === 'bookmark' ? 'bookmark' : `${one.type} ${told(one.object)}`))
}

test('what an object was is nothing of another one of its name, in this process and in the next', async () => {
  const kept = memory()
  const good = { revision: 5, items: [thing('first', 11, 5)] }
  const spoilt = { revision: 9, items: [thing('second', 'eleven', 9)] }
  const registry = registryOf([good, spoilt], [], kept)
  expect(await listed(registry)).toEqual(['a@5=11'])
  expect(await listed(registryOf([spoilt], [], kept))).toEqual([])
  expect(await listed(registry)).toEqual([])
})

test('a listing that is older than what a watch told takes nothing back', async () => {
  const events: readonly KubeEvent[] = [{ type: 'MODIFIED', object: thing('first', 12, 8) }]
  const old = { revision: 6, items: [thing('first', 11, 5)] }
  const spoilt = { revision: 9, items: [thing('first', 'twelve', 9)] }
  const registry = registryOf([{ revision: 5, items: [thing('first', 11, 5)] }, old, spoilt], events)
  await listed(registry)
  expect(await watched(registry)).toEqual(['put a@8=12'])
  await listed(registry, 0)
  expect(await listed(registry)).toEqual(['a@8=12'])
})

test('an answer that was long under way takes nothing back that was learned since', async () => {
  const events: readonly KubeEvent[] = [{ type: 'MODIFIED', object: thing('first', 12, 8) }]
  const late = Promise.withResolvers<Answer>()
  const spoilt = { revision: 9, items: [thing('first', 'twelve', 9)] }
  const registry = registryOf([late.promise, spoilt], events)
  const listing = listed(registry)
  await watched(registry)
  late.resolve({ revision: 5, items: [] })
  await listing
  expect(await listed(registry)).toEqual(['a@8=12'])
})

test('a watch that lags behind does not take the one that came after for the one that is gone', async () => {
  const events: readonly KubeEvent[] = [{ type: 'DELETED', object: thing('first', 11, 6) }]
  const spoilt = { revision: 9, items: [thing('second', 'twelve', 9)] }
  const registry = registryOf([{ revision: 8, items: [thing('second', 12, 8)] }, spoilt], events)
  await listed(registry)
  await watched(registry)
  expect(await listed(registry)).toEqual(['a@8=12'])
})

test('of a server that lost its history what it says now counts, though its numbers are lower', async () => {
  const spoilt = { revision: 4, items: [thing('first', 'eleven', 4)] }
  const registry = registryOf([
    { revision: 80, items: [thing('first', 11, 80)] },
    { revision: 3, items: [thing('first', 12, 3)] },
    spoilt,
  ])
  await listed(registry)
  expect(await listed(registry)).toEqual(['a@3=12'])
  expect(await listed(registry)).toEqual(['a@3=12'])
})
