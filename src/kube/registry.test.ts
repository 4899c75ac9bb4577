/**
 * What the registry makes of objects that other people write.
 */
import { describe, expect, test } from 'bun:test'
import { reflect } from '../registry/reflector.ts'
import type { Change, Kind, Stored } from '../registry/registry.ts'
import { RegistryError } from '../registry/registry.ts'
import type { KubeApi, KubeEvent } from './api.ts'
import type { KubeBindings } from './binding.ts'
import { KubeError } from './errors.ts'
import { type InvalidObject, InvalidObjects, type OnInvalid } from './invalid.ts'
import type { LastGood, Seen } from './known.ts'
import type { KubeObject } from './object.ts'
import { KubeRegistry } from './registry.ts'
import { THINGS } from './testing/thing-server.ts'
import { VirtualTime } from './testing/virtual-time.ts'

/** Tenants as things: the value is the VNI, and what is labelled so is somebody else's. */
const bindings = {
  Tenant: {
    resource: THINGS,
    place: (name: string) => ({ name }),
    nameOf: ({ metadata }: KubeObject) => (metadata.labels?.['foreign'] === 'yes' ? undefined : metadata.name),
    decode: (object: KubeObject) => ({ namespace: object.metadata.name, vni: object['value'] }),
  },
} as unknown as KubeBindings

const keeping = { Tenant: { ...bindings.Tenant, keepsLast: true } } as unknown as KubeBindings

function thing(name: string, value: unknown, revision: number, labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'test/v1', kind: 'Thing', metadata: { name, resourceVersion: String(revision), labels }, value }
}

/** An API that lists this, then tells these events, then is quiet. */
function apiOf(items: readonly KubeObject[], events: readonly KubeEvent[]): KubeApi {
  return {
    list: async () => ({ resourceVersion: '10', items }),
    watch: async function* (_: unknown, __: unknown, after: string, signal: AbortSignal) {
      const isAfter = (event: KubeEvent): boolean =>
        Number(event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion) >
        Number(after)
      yield* events.filter(isAfter)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  } as unknown as KubeApi
}

function listening(told: OnInvalid): InvalidObjects {
  const invalid = new InvalidObjects()
  invalid.listen(told)
  return invalid
}

async function changesOf(
  items: readonly KubeObject[],
  events: readonly KubeEvent[],
  count: number,
  bound: KubeBindings = bindings,
) {
  const invalid: InvalidObject[] = []
  const registry = new KubeRegistry(apiOf(items, events), bound, { invalid: listening((one) => invalid.push(one)) })
  const { objects } = await registry.list('Tenant')
  const changes: Change<'Tenant'>[] = []
  const aborter = new AbortController()
  for await (const change of registry.watch('Tenant', 10, aborter.signal)) {
    changes.push(change)
    if (changes.length === count) break
  }
  aborter.abort()
  return { listed: objects.map(told), changes: changes.map(changed), invalid }
}

const told = ({ name, revision, value }: Stored<'Tenant'>): string => `${name}@${revision}=${value.vni}`
const changed = (change: Change<'Tenant'>): string =>
  change.type === 'bookmark' ? `bookmark ${change.revision}` : `${change.type} ${told(change.object)}`
const event = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): KubeEvent => ({ type, object })

describe('an object that means nothing', () => {
  test('is left out of a listing and reported once per revision', async () => {
    const registryInvalid: InvalidObject[] = []
    const items = [thing('a', 11, 5), thing('b', 'eleven', 6), thing('c', 12, 7)]
    const invalid = listening((one) => registryInvalid.push(one))
    const registry = new KubeRegistry(apiOf(items, []), bindings, { invalid })
    for (let i = 0; i < 3; i += 1)
      expect((await registry.list('Tenant')).objects.map(told)).toEqual(['a@5=11', 'c@7=12'])
    expect(registryInvalid).toEqual([
      { kind: 'Tenant', name: 'b', revision: 6, problem: expect.stringContaining('Tenant "b" is invalid: vni') },
    ])
  })

  test('that was valid is deleted, as it last was, at the revision that broke it; and comes back', async () => {
    const { changes, invalid } = await changesOf(
      [thing('a', 11, 5)],
      [
        event('MODIFIED', thing('a', -1, 11)),
        event('MODIFIED', thing('a', -2, 12)),
        event('MODIFIED', thing('a', 12, 13)),
        event('MODIFIED', thing('a', -3, 14)),
        event('DELETED', thing('a', -3, 15)),
        event('ADDED', thing('a', -4, 16)),
        event('DELETED', thing('a', -4, 17)),
        event('ADDED', thing('a', 13, 18)),
      ],
      8,
    )
    expect(changes).toEqual([
      'delete a@11=11',
      'bookmark 12',
      'put a@13=12',
      'delete a@14=12',
      'bookmark 15',
      'bookmark 16',
      'bookmark 17',
      'put a@18=13',
    ])
    // What is gone is not told of once more.
    expect(invalid.map(({ revision }) => revision)).toEqual([11, 12, 14, 16])
  })

  test('a deletion of what became invalid meanwhile carries what it last was', async () => {
    const { changes } = await changesOf([thing('a', 11, 5)], [event('DELETED', thing('a', -1, 11))], 1)
    expect(changes).toEqual(['delete a@11=11'])
  })
})

test('an object that becomes another’s is deleted, and nobody hears of those that always were', async () => {
  const { listed, changes, invalid } = await changesOf(
    [thing('a', 11, 5), thing('b', 12, 6, { foreign: 'yes' })],
    [
      event('MODIFIED', thing('b', 13, 11, { foreign: 'yes' })),
      event('MODIFIED', thing('a', 11, 12, { foreign: 'yes' })),
      event('DELETED', thing('a', 11, 13, { foreign: 'yes' })),
    ],
    3,
  )
  expect(listed).toEqual(['a@5=11'])
  expect(changes).toEqual(['bookmark 11', 'delete a@12=11', 'bookmark 13'])
  expect(invalid).toEqual([])
})

test('a watcher that lags behind another is told of a deletion all the same', async () => {
  const events = [event('MODIFIED', thing('a', -1, 11)), event('DELETED', thing('a', -1, 12))]
  const registry = new KubeRegistry(apiOf([thing('a', 11, 5)], events), bindings)
  await registry.list('Tenant')
  for (let i = 0; i < 2; i += 1) {
    const aborter = new AbortController()
    const changes: string[] = []
    for await (const change of registry.watch('Tenant', 10, aborter.signal)) {
      changes.push(changed(change))
      if (changes.length === 2) break
    }
    aborter.abort()
    expect(changes).toEqual(['delete a@11=11', 'bookmark 12'])
  }
})

test('a reflection ends equal to what is valid', async () => {
  const events = [
    event('MODIFIED', thing('a', -1, 11)),
    event('ADDED', thing('c', 13, 12)),
    event('MODIFIED', thing('b', 14, 13)),
  ]
  const registry = new KubeRegistry(apiOf([thing('a', 11, 5), thing('b', 12, 6)], events), bindings)
  const aborter = new AbortController()
  const { store, done } = reflect(registry, 'Tenant', { signal: aborter.signal })
  while (store.get('b')?.revision !== 13) await Bun.sleep(1)
  expect([...store.values()].map(told)).toEqual(['b@13=14', 'c@12=13'])
  aborter.abort()
  await done
})

describe('failures', () => {
  const failing = (error: unknown): KubeRegistry => {
    const fail = () => Promise.reject(error)
    return new KubeRegistry({ list: fail, get: fail, delete: fail } as unknown as KubeApi, bindings)
  }
  const codeOf = async (call: Promise<unknown>): Promise<unknown> => {
    const error = await call.catch((cause: unknown) => cause)
    return error instanceof RegistryError ? error.code : error
  }

  test.each([
    ['KUBE_NOT_FOUND', 'REGISTRY_NOT_FOUND', 'REGISTRY_UNAVAILABLE'],
    ['KUBE_CONFLICT', 'REGISTRY_CONFLICT', 'REGISTRY_CONFLICT'],
    ['KUBE_EXPIRED', 'REGISTRY_EXPIRED', 'REGISTRY_EXPIRED'],
    ['KUBE_FORBIDDEN', 'REGISTRY_UNAVAILABLE', 'REGISTRY_UNAVAILABLE'],
    ['KUBE_UNAUTHORIZED', 'REGISTRY_UNAVAILABLE', 'REGISTRY_UNAVAILABLE'],
    ['KUBE_CONFIG', 'REGISTRY_UNAVAILABLE', 'REGISTRY_UNAVAILABLE'],
  ] as const)('%s is %s of an object and %s of a kind', async (code, ofObject, ofKind) => {
    const registry = failing(new KubeError(code, 'no', 'no'))
    expect(await codeOf(registry.delete('Tenant', 'a'))).toBe(ofObject)
    expect(await codeOf(registry.list('Tenant'))).toBe(ofKind)
  })

  test('a mistake of ours stays one', async () => {
    const mistake = new TypeError('a mistake')
    expect(await codeOf(failing(mistake).list('Tenant'))).toBe(mistake)
  })

  test('a revision that is no number is not understood', async () => {
    const api = { list: async () => ({ resourceVersion: '9007199254740993', items: [] }) } as unknown as KubeApi
    expect(await codeOf(new KubeRegistry(api, bindings).list('Tenant' as Kind))).toBe('REGISTRY_UNAVAILABLE')
  })
})

describe('a kind that a server may be without', () => {
  const optional = { Tenant: { ...bindings.Tenant, isOptional: true } } as unknown as KubeBindings
  const absent = new KubeError('KUBE_NOT_FOUND', 'the server could not find the requested resource', 'none')

  /** A server that has the kind while `isThere`; counts what it is asked for. */
  function serverOf(items: readonly KubeObject[]) {
    const server = { isThere: false, lists: 0, watches: 0, end: Promise.withResolvers<void>() }
    const api = {
      list: async () => {
        server.lists += 1
        if (!server.isThere) throw absent
        return { resourceVersion: '10', items }
      },
      watch: async function* () {
        server.watches += 1
        yield { type: 'BOOKMARK', resourceVersion: '10' }
        await server.end.promise
        throw absent
      },
    } as unknown as KubeApi
    return { server, api }
  }

  test('is empty, looked for once a minute, and there when it comes', async () => {
    const { server, api } = serverOf([thing('a', 1, 5)])
    const time = new VirtualTime()
    const aborter = new AbortController()
    const errors: unknown[] = []
    const registry = new KubeRegistry(api, optional, { sleep: time.sleep, random: () => 0 })
    const { store, synced } = reflect(registry, 'Tenant', {
      signal: aborter.signal,
      onError: (error) => errors.push(error),
      sleep: time.sleep,
      random: () => 0,
    })
    /** In small steps, so that everybody gets round to what is due; and a second more a minute. */
    const minutes = async (count: number): Promise<void> => {
      for (let step = 0; step < count * 610; step += 1) await time.pass(100)
    }
    await synced
    expect([store.size, server.lists]).toEqual([0, 1])
    await minutes(5)
    expect([server.lists, server.watches]).toEqual([6, 0])
    server.isThere = true
    await minutes(1)
    expect([...store.keys()]).toEqual(['a'])
    await minutes(10)
    expect([server.lists, server.watches]).toEqual([7, 1])

    server.isThere = false
    server.end.resolve()
    await minutes(1)
    expect(store.size).toBe(0)
    expect(errors.map(String)).toEqual(errors.map(() => 'RegistryError: no Tenant is served any more'))
    aborter.abort()
  })

  test('is looked for three quarters of a minute later at least, and a minute at most', async () => {
    for (const [value, wait] of [
      [0, 60_000],
      [0.999, 45_015],
    ] as const) {
      const waits: number[] = []
      const sleep = async (milliseconds: number): Promise<void> => void waits.push(milliseconds)
      const registry = new KubeRegistry(serverOf([]).api, optional, { sleep, random: () => value })
      const watched = Array.fromAsync(registry.watch('Tenant', 0, new AbortController().signal))
      expect(watched).rejects.toMatchObject({ code: 'REGISTRY_EXPIRED' })
      await watched.catch(() => undefined)
      expect(waits).toEqual([wait])
    }
  })

  test('that every server has is a failure while it is not there', async () => {
    const { api } = serverOf([])
    expect(new KubeRegistry(api, bindings).list('Tenant')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' })
  })
})

describe('an object of a kind that keeps what it last was', () => {
  test('stays what it was until it is corrected, and is told of as any other', async () => {
    const { changes, invalid } = await changesOf(
      [thing('a', 11, 5)],
      [
        event('MODIFIED', thing('a', 'eleven', 11)),
        event('MODIFIED', thing('a', 'twelve', 12)),
        event('MODIFIED', thing('a', 13, 13)),
      ],
      3,
      keeping,
    )
    expect(changes).toEqual(['bookmark 11', 'bookmark 12', 'put a@13=13'])
    expect(invalid.map(({ revision }) => revision)).toEqual([11, 12])
  })

  test.each<[string, KubeEvent]>([
    ['gone', event('DELETED', thing('a', 'eleven', 12))],
    ['none of the kind', event('MODIFIED', thing('a', 11, 12, { foreign: 'yes' }))],
  ])('is gone when it is %s', async (_, end) => {
    const { changes } = await changesOf(
      [thing('a', 11, 5)],
      [event('MODIFIED', thing('a', 'eleven', 11)), end],
      2,
      keeping,
    )
    expect(changes).toEqual(['bookmark 11', 'delete a@12=11'])
  })

  test('is absent when nobody knows what it was', async () => {
    const events = [event('ADDED', thing('b', 'x', 11)), event('MODIFIED', thing('b', 'y', 12))]
    const { listed, changes } = await changesOf([thing('a', 'eleven', 5)], events, 2, keeping)
    expect(listed).toEqual([])
    expect(changes).toEqual(['bookmark 11', 'bookmark 12'])
  })

  test('is absent when another of its name was there before', async () => {
    const events = [event('DELETED', thing('a', 11, 11)), event('ADDED', thing('a', 'x', 12))]
    const { changes } = await changesOf([thing('a', 11, 5)], events, 2, keeping)
    expect(changes).toEqual(['delete a@11=11', 'bookmark 12'])
  })

  test('is what it was in listings, also for the next process', async () => {
    const kept = new Map<Kind, ReadonlyMap<string, Seen<Kind>>>()
    const lastGood: LastGood = {
      read: (kind) => [...(kept.get(kind) ?? [])] as never,
      write: (kind, entries) => kept.set(kind, new Map(entries as never)),
    }
    const listed = async (bound: KubeBindings, ...items: readonly KubeObject[]): Promise<readonly string[]> =>
      (await new KubeRegistry(apiOf(items, []), bound, { lastGood }).list('Tenant')).objects.map(told)
    expect(await listed(bindings, thing('a', 11, 5))).toEqual(['a@5=11'])
    expect(await listed(keeping, thing('a', 'eleven', 6))).toEqual([])
    expect(await listed(keeping, thing('a', 11, 7), thing('b', 12, 8))).toEqual(['a@7=11', 'b@8=12'])
    expect(await listed(keeping, thing('a', 'eleven', 9))).toEqual(['a@7=11'])
    expect(await listed(keeping, thing('b', 'twelve', 10))).toEqual([])
  })
})
