/**
 * What every registry must do, as one suite that each implementation's tests run.
 * @module
 */
import { describe, expect, test } from 'bun:test'
import { KINDS } from './codec.ts'
import { conflicts } from './conformance-cases.ts'
import { collect, examples, node, settled } from './conformance-tools.ts'
import type { Kinds, Registry } from './registry.ts'

/** A registry of its own for one test. */
export interface RegistryUnderTest {
  readonly registry: Registry
  /** Gives back what the registry holds on to. */
  readonly close?: () => Promise<void>
}

/** What a suite's registries are asked to be. */
export interface RegistryDemands {
  /** Changes that a watcher may lag behind. */
  readonly history?: number
}

type Make = (demands: RegistryDemands) => Promise<RegistryUnderTest> | RegistryUnderTest

/** Declares the suite for one implementation. `make` gives an empty registry each time. */
export function registryConformance(name: string, make: Make): void {
  const using = (demands: RegistryDemands, body: (registry: Registry) => Promise<void>) => async () => {
    const { registry, close } = await make(demands)
    try {
      await body(registry)
    } finally {
      await close?.()
    }
  }

  describe(`${name}: objects`, () => {
    test('an empty registry lists nothing and has nothing', using({}, emptyRegistry))
    test('every kind is kept as it was given', using({}, everyKind))
    test('revisions grow across kinds', using({}, revisionsGrow))
    test('what is read cannot be changed by the reader', using({}, readersCannotWrite))
    for (const { title, run, code } of conflicts) {
      test(
        title,
        using({}, async (registry) => expect(await settled(run(registry))).toBe(code)),
      )
    }
    test('of concurrent creations of one name one wins', using({}, oneCreatorWins))
    test('concurrent compare-and-swap writers lose no update', using({}, noUpdateLost))
  })

  describe(`${name}: watch`, () => {
    test('goes on after a revision without a gap', using({}, watchWithoutGap))
    test('carries a deleted object as it last was', using({}, deletesWhole))
    test('tells of its own kind alone, in order', using({}, ownKindInOrder))
    test('ends without an error when aborted', using({}, abortEnds))
    test('lets two watchers see the same', using({}, twoWatchers))
    test('refuses a revision that history does not reach back to', using({ history: 8 }, refusesThePast))
    test('refuses a revision of the future', using({}, refusesTheFuture))
    test('moves a quiet watcher on by bookmarks', using({ history: 8 }, bookmarks))
    test('tells a sleeping watcher that it missed something', using({ history: 8 }, sleeperExpires))
  })
}

async function emptyRegistry(registry: Registry): Promise<void> {
  for (const kind of KINDS) {
    expect((await registry.list(kind)).objects).toEqual([])
    expect(await registry.get(kind, 'default')).toBeUndefined()
  }
}

async function everyKind(registry: Registry): Promise<void> {
  for (const kind of KINDS) await keepsAsGiven(registry, kind)
}

async function keepsAsGiven<K extends keyof Kinds>(registry: Registry, kind: K): Promise<void> {
  const { name, value } = examples[kind]
  const stored = await registry.create(kind, name, value as Kinds[K])
  expect(stored.value).toEqual(value as Kinds[K])
  expect(await registry.get(kind, name)).toEqual(stored)
  const { revision, objects } = await registry.list(kind)
  expect(objects).toEqual([stored])
  expect(revision).toBeGreaterThanOrEqual(stored.revision)
}

async function revisionsGrow(registry: Registry): Promise<void> {
  const a = await registry.create('Node', 'a', node('a'))
  const b = await registry.create('Namespace', 'b', { name: 'b', uid: 'b' })
  const a2 = await registry.update('Node', 'a', node('a', 'again'), a.revision)
  await registry.delete('Namespace', 'b')
  const { revision } = await registry.list('Namespace')
  expect(b.revision).toBeGreaterThan(a.revision)
  expect(a2.revision).toBeGreaterThan(b.revision)
  expect(revision).toBeGreaterThan(a2.revision)
}

async function readersCannotWrite(registry: Registry): Promise<void> {
  const value = { name: 'a', uid: 'first', addresses: [] }
  await registry.create('Node', 'a', value)
  value.uid = 'second'
  const read = await registry.get('Node', 'a')
  expect(() => Object.assign(read?.value ?? {}, { uid: 'third' })).toThrow()
  expect((await registry.get('Node', 'a'))?.value.uid).toBe('first')
}

async function oneCreatorWins(registry: Registry): Promise<void> {
  const attempts = Array.from({ length: 16 }, (_, i) => settled(registry.create('Node', 'a', node('a', `uid-${i}`))))
  const codes = await Promise.all(attempts)
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1)
  expect(codes.filter((code) => code === 'REGISTRY_EXISTS')).toHaveLength(15)
}

async function noUpdateLost(registry: Registry): Promise<void> {
  await registry.create('Tenant', 'a', { namespace: 'a', vni: 0 })
  const addOne = async (): Promise<void> => {
    for (;;) {
      const found = await registry.get('Tenant', 'a')
      if (found === undefined) throw new Error('the object is gone')
      const next = { ...found.value, vni: found.value.vni + 1 }
      if ((await settled(registry.update('Tenant', 'a', next, found.revision))) === 'ok') return
    }
  }
  await Promise.all(Array.from({ length: 12 }, addOne))
  expect((await registry.get('Tenant', 'a'))?.value.vni).toBe(12)
}

async function watchWithoutGap(registry: Registry): Promise<void> {
  await registry.create('Node', 'a', node('a'))
  const { revision } = await registry.list('Node')
  const b = await registry.create('Node', 'b', node('b'))
  const early = collect(registry, 'Node', revision, 2)
  const c = await registry.create('Node', 'c', node('c'))
  const expected = [
    { type: 'put', object: b },
    { type: 'put', object: c },
  ]
  expect(await early).toEqual(expected as never)
  expect(await collect(registry, 'Node', revision, 2)).toEqual(expected as never)
  expect(await collect(registry, 'Node', b.revision, 1)).toEqual(expected.slice(1) as never)
}

async function deletesWhole(registry: Registry): Promise<void> {
  const a = await registry.create('Node', 'a', node('a'))
  const last = await registry.update('Node', 'a', node('a', 'last'), a.revision)
  await registry.delete('Node', 'a')
  const again = await registry.create('Node', 'a', node('a', 'reborn'))
  const [deletion, creation] = await collect(registry, 'Node', last.revision, 2)
  expect(deletion).toMatchObject({ type: 'delete', object: { name: 'a', value: last.value } })
  expect(creation).toEqual({ type: 'put', object: again })
  const deletedAt = deletion?.type === 'delete' ? deletion.object.revision : 0
  expect(deletedAt).toBeGreaterThan(last.revision)
  expect(await collect(registry, 'Node', deletedAt, 1)).toEqual([{ type: 'put', object: again }])
}

async function ownKindInOrder(registry: Registry): Promise<void> {
  const { revision } = await registry.list('Node')
  const seen = collect(registry, 'Node', revision, 20)
  for (let i = 0; i < 20; i += 1) {
    await registry.create('Namespace', `n${i}`, { name: `n${i}`, uid: 'u' })
    await registry.create('Node', `n${i}`, node(`n${i}`))
  }
  const changes = await seen
  expect(changes.map((change) => change.object.name)).toEqual(Array.from({ length: 20 }, (_, i) => `n${i}`))
  const revisions = changes.map((change) => change.object.revision)
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
}

async function abortEnds(registry: Registry): Promise<void> {
  const { revision } = await registry.list('Node')
  const before = new AbortController()
  before.abort()
  for await (const _ of registry.watch('Node', revision, before.signal)) throw new Error('a change after the end')
  const during = new AbortController()
  await registry.create('Node', 'a', node('a'))
  for await (const change of registry.watch('Node', revision, during.signal)) {
    if (change.type === 'put') queueMicrotask(() => during.abort())
  }
}

async function twoWatchers(registry: Registry): Promise<void> {
  const { revision } = await registry.list('Node')
  const both = Promise.all([collect(registry, 'Node', revision, 3), collect(registry, 'Node', revision, 3)])
  const a = await registry.create('Node', 'a', node('a'))
  await registry.update('Node', 'a', node('a', 'again'), a.revision)
  await registry.delete('Node', 'a')
  const [one, other] = await both
  expect(one).toEqual(other)
  expect(one.map(({ type }) => type)).toEqual(['put', 'put', 'delete'])
}

async function refusesThePast(registry: Registry): Promise<void> {
  const { revision } = await registry.list('Node')
  await churn(registry, 40)
  expect(await settled(collect(registry, 'Node', revision, 1))).toBe('REGISTRY_EXPIRED')
}

async function refusesTheFuture(registry: Registry): Promise<void> {
  const { revision } = await registry.list('Node')
  expect(await settled(collect(registry, 'Node', revision + 1000, 1))).toBe('REGISTRY_EXPIRED')
}

/** A watcher whose kind is quiet while others change can go on from its last bookmark: it never expires. */
async function bookmarks(registry: Registry): Promise<void> {
  const { revision } = await registry.list('Node')
  const aborter = new AbortController()
  let latest = revision
  const watching = (async () => {
    for await (const change of registry.watch('Node', revision, aborter.signal)) {
      latest = change.type === 'bookmark' ? change.revision : change.object.revision
    }
  })()
  for (let written = 2; written <= 40; written += 2) {
    await churn(registry, 2)
    while (latest < revision + written - 1) await new Promise(setImmediate)
  }
  const bookmark = latest
  const created = await registry.create('Node', 'a', node('a'))
  expect(await collect(registry, 'Node', bookmark, 1)).toEqual([{ type: 'put', object: created }])
  aborter.abort()
  await watching
}

/** A watcher that does not read costs nothing; when it wakes up too late it is told to list again. */
async function sleeperExpires(registry: Registry): Promise<void> {
  const first = await registry.create('Tenant', 'a', wordyTenant(1))
  const { revision } = await registry.list('Tenant')
  const second = await registry.update('Tenant', 'a', wordyTenant(2), first.revision)
  const watch = async (): Promise<number> => {
    const aborter = new AbortController()
    let seen = 0
    for await (const change of registry.watch('Tenant', revision, aborter.signal)) {
      if (change.type === 'bookmark') continue
      seen += 1
      if (seen === 1) await flood(registry, second.revision)
      if (seen > FLOOD) aborter.abort()
    }
    return seen
  }
  expect(await settled(watch())).toBe('REGISTRY_EXPIRED')
}

/** Changes of 8 KB each: more than any buffer between a server and a client holds. */
const FLOOD = 1500

async function flood(registry: Registry, start: number): Promise<void> {
  let revision = start
  for (let i = 0; i < FLOOD; i += 1) {
    const stored = await registry.update('Tenant', 'a', wordyTenant(i), revision)
    revision = stored.revision
  }
}

function wordyTenant(vni: number): Kinds['Tenant'] {
  const words = 'x'.repeat(4096)
  return { namespace: 'a', vni, outcome: { id: 'r', accepted: false, code: 'C', message: words, remedy: words } }
}

async function churn(registry: Registry, times: number): Promise<void> {
  for (let i = 0; i < times / 2; i += 1) {
    await registry.create('Namespace', 'churn', { name: 'churn', uid: 'u' })
    await registry.delete('Namespace', 'churn')
  }
}
