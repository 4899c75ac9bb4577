/**
 * What every registry must do, as one suite that each implementation's tests run.
 *
 * It writes tenants and nodes' networks, which are Weft's own; of the kinds that other people write it only asks that
 * they are kept.
 * @module
 */
import { describe, expect, test } from 'bun:test'
import { KINDS } from './codec.ts'
import { conflicts } from './conformance-cases.ts'
import { followsOneName, oneNameStaysFresh, oneOfMany } from './conformance-one.ts'
import { collect, examples, network, settled, tenant } from './conformance-tools.ts'
import { abortEnds, bookmarks, refusesTheFuture, refusesThePast, sleeperExpires } from './conformance-watch.ts'
import type { Kind, Kinds, Registry, Stored } from './registry.ts'

/** A registry of its own for one test, empty but for what is foreign. */
export interface RegistryUnderTest {
  readonly registry: Registry
  /** Gives back what the registry holds on to. */
  readonly close?: () => Promise<void>
  /** Makes the registry forget every change so far. Absent: forty more changes do. */
  readonly forgetPast?: () => Promise<void>
  /** Objects that somebody else keeps in it. */
  readonly isForeign?: (kind: Kind, name: string) => boolean
  /** The uids of these kinds are the registry's to give, and the time of creation. */
  readonly givesUids?: readonly Kind[]
  /** How often a bookmark is waited for; 20 times when absent. */
  readonly bookmarkRounds?: number
}

/** What a suite's registries are asked to be. */
export interface RegistryDemands {
  /** Changes that a watcher may lag behind. */
  readonly history?: number
}

type Make = (demands: RegistryDemands) => Promise<RegistryUnderTest> | RegistryUnderTest

/** Declares the suite for one implementation. `make` gives an empty registry each time. */
export function registryConformance(name: string, make: Make, timeout = 20_000): void {
  const check = (title: string, body: (subject: RegistryUnderTest) => Promise<void>, demands: RegistryDemands = {}) =>
    test(
      title,
      async () => {
        const subject = await make(demands)
        try {
          await body(subject)
        } finally {
          await subject.close?.()
        }
      },
      timeout,
    )

  describe(`${name}: objects`, () => {
    check('an empty registry lists nothing and has nothing', emptyRegistry)
    check('every kind is kept as it was given', everyKind)
    check('revisions grow across kinds', revisionsGrow)
    check('what is read cannot be changed by the reader', readersCannotWrite)
    for (const { title, run, code } of conflicts) {
      check(title, async ({ registry }) => expect(await settled(run(registry))).toBe(code))
    }
    check('one object is listed alone by its name', oneOfMany)
    check('of concurrent creations of one name one wins', oneCreatorWins)
    check('concurrent compare-and-swap writers lose no update', noUpdateLost)
  })

  describe(`${name}: watch`, () => {
    check('goes on after a revision without a gap', watchWithoutGap)
    check('carries a deleted object as it last was', deletesWhole)
    check('tells of its own kind alone, in order', ownKindInOrder)
    check('tells of one object alone by its name', followsOneName)
    check('moves a watcher of one quiet object on while others of its kind change', oneNameStaysFresh, { history: 8 })
    check('ends without an error when aborted', abortEnds)
    check('lets two watchers see the same', twoWatchers)
    check('refuses a revision that history does not reach back to', refusesThePast, { history: 8 })
    check('refuses a revision of the future', refusesTheFuture)
    check('moves a quiet watcher on by bookmarks', bookmarks, { history: 8 })
    check('tells a sleeping watcher that it missed something', sleeperExpires, { history: 8 })
  })
}

async function emptyRegistry({ registry, isForeign = () => false }: RegistryUnderTest): Promise<void> {
  for (const kind of KINDS) {
    const { objects } = await registry.list(kind)
    expect(objects.filter(({ name }) => !isForeign(kind, name))).toEqual([])
    expect(await registry.get(kind, 'absent')).toBeUndefined()
  }
}

async function everyKind(subject: RegistryUnderTest): Promise<void> {
  for (const kind of KINDS) await keepsAsGiven(subject, kind)
}

async function keepsAsGiven<K extends Kind>(
  { registry, isForeign = () => false, givesUids = [] }: RegistryUnderTest,
  kind: K,
): Promise<void> {
  const { name, value } = examples[kind]
  const stored: Stored<K> = await registry.create(kind, name, value as Kinds[K])
  const given = 'createdAt' in value ? { uid: SOMETHING, createdAt: SOMETHING } : { uid: SOMETHING }
  const expected = givesUids.includes(kind) ? { ...value, ...given } : value
  expect(stored.value).toEqual(expected as never)
  expect(await registry.get(kind, name)).toEqual(stored)
  const { revision, objects } = await registry.list(kind)
  expect(objects.filter((object) => !isForeign(kind, object.name))).toEqual([stored])
  expect(revision).toBeGreaterThanOrEqual(stored.revision)
}

const SOMETHING = expect.stringMatching(/./)

async function revisionsGrow({ registry }: RegistryUnderTest): Promise<void> {
  const a = await registry.create('Tenant', 'a', tenant('a'))
  const b = await registry.create('NodeNetwork', 'b', network('b'))
  const a2 = await registry.update('Tenant', 'a', tenant('a', 12), a.revision)
  await registry.delete('NodeNetwork', 'b')
  const { revision } = await registry.list('NodeNetwork')
  expect(b.revision).toBeGreaterThan(a.revision)
  expect(a2.revision).toBeGreaterThan(b.revision)
  expect(revision).toBeGreaterThan(a2.revision)
}

async function readersCannotWrite({ registry }: RegistryUnderTest): Promise<void> {
  const value = { namespace: 'a', vni: 11 }
  await registry.create('Tenant', 'a', value)
  value.vni = 12
  const read = await registry.get('Tenant', 'a')
  expect(() => Object.assign(read?.value ?? {}, { vni: 13 })).toThrow()
  expect((await registry.get('Tenant', 'a'))?.value.vni).toBe(11)
}

async function oneCreatorWins({ registry }: RegistryUnderTest): Promise<void> {
  const attempts = Array.from({ length: 16 }, (_, i) => settled(registry.create('Tenant', 'a', tenant('a', 11 + i))))
  const codes = await Promise.all(attempts)
  expect(codes.filter((code) => code === 'ok')).toHaveLength(1)
  expect(codes.filter((code) => code === 'REGISTRY_EXISTS')).toHaveLength(15)
}

async function noUpdateLost({ registry }: RegistryUnderTest): Promise<void> {
  await registry.create('Tenant', 'a', tenant('a', 0))
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

async function watchWithoutGap({ registry }: RegistryUnderTest): Promise<void> {
  await registry.create('Tenant', 'a', tenant('a'))
  const { revision } = await registry.list('Tenant')
  const b = await registry.create('Tenant', 'b', tenant('b'))
  const early = collect(registry, 'Tenant', revision, 2)
  const c = await registry.create('Tenant', 'c', tenant('c'))
  const expected = [
    { type: 'put', object: b },
    { type: 'put', object: c },
  ]
  expect(await early).toEqual(expected as never)
  expect(await collect(registry, 'Tenant', revision, 2)).toEqual(expected as never)
  expect(await collect(registry, 'Tenant', b.revision, 1)).toEqual(expected.slice(1) as never)
}

async function deletesWhole({ registry }: RegistryUnderTest): Promise<void> {
  const a = await registry.create('Tenant', 'a', tenant('a'))
  const last = await registry.update('Tenant', 'a', tenant('a', 12), a.revision)
  await registry.delete('Tenant', 'a')
  const again = await registry.create('Tenant', 'a', tenant('a', 13))
  const [deletion, creation] = await collect(registry, 'Tenant', last.revision, 2)
  expect(deletion).toMatchObject({ type: 'delete', object: { name: 'a', value: last.value } })
  expect(creation).toEqual({ type: 'put', object: again })
  const deletedAt = deletion?.type === 'delete' ? deletion.object.revision : 0
  expect(deletedAt).toBeGreaterThan(last.revision)
  expect(await collect(registry, 'Tenant', deletedAt, 1)).toEqual([{ type: 'put', object: again }])
}

async function ownKindInOrder({ registry }: RegistryUnderTest): Promise<void> {
  const { revision } = await registry.list('Tenant')
  const seen = collect(registry, 'Tenant', revision, 20)
  for (let i = 0; i < 20; i += 1) {
    await registry.create('NodeNetwork', `n${i}`, network(`n${i}`))
    await registry.create('Tenant', `n${i}`, tenant(`n${i}`))
  }
  const changes = await seen
  expect(changes.map((change) => change.object.name)).toEqual(Array.from({ length: 20 }, (_, i) => `n${i}`))
  const revisions = changes.map((change) => change.object.revision)
  expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
}

async function twoWatchers({ registry }: RegistryUnderTest): Promise<void> {
  const { revision } = await registry.list('Tenant')
  const both = Promise.all([collect(registry, 'Tenant', revision, 3), collect(registry, 'Tenant', revision, 3)])
  const a = await registry.create('Tenant', 'a', tenant('a'))
  await registry.update('Tenant', 'a', tenant('a', 12), a.revision)
  await registry.delete('Tenant', 'a')
  const [one, other] = await both
  expect(one).toEqual(other)
  expect(one.map(({ type }) => type)).toEqual(['put', 'put', 'delete'])
}
