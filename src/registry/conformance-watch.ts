/**
 * What a watch must do at the ends of history.
 * @module
 */
import { expect } from 'bun:test'
import type { RegistryUnderTest } from './conformance.ts'
import { collect, network, settled, tenant, wordy } from './conformance-tools.ts'
import type { Registry } from './registry.ts'

/** A watch that is aborted, before or while it runs, ends as if it were over. */
export async function abortEnds({ registry }: RegistryUnderTest): Promise<void> {
  const { revision } = await registry.list('Tenant')
  const before = new AbortController()
  before.abort()
  for await (const _ of registry.watch('Tenant', revision, before.signal)) throw new Error('a change after the end')
  const during = new AbortController()
  await registry.create('Tenant', 'a', tenant('a'))
  for await (const change of registry.watch('Tenant', revision, during.signal)) {
    if (change.type === 'put') queueMicrotask(() => during.abort())
  }
}

/** A revision is no place to go on from when something was forgotten since. */
export async function refusesThePast(subject: RegistryUnderTest): Promise<void> {
  const { registry } = subject
  const { revision } = await registry.list('Tenant')
  await registry.create('Tenant', 'a', tenant('a'))
  await forgetPast(subject)
  expect(await settled(collect(registry, 'Tenant', revision, 1))).toBe('REGISTRY_EXPIRED')
}

/** A revision that never was belongs to another history. */
export async function refusesTheFuture({ registry }: RegistryUnderTest): Promise<void> {
  const { revision } = await registry.list('Tenant')
  expect(await settled(collect(registry, 'Tenant', revision + 1000, 1))).toBe('REGISTRY_EXPIRED')
}

/** A watcher whose kind is quiet while others change can go on from its last bookmark: it never expires. */
export async function bookmarks({ registry, bookmarkRounds = 20 }: RegistryUnderTest): Promise<void> {
  const { revision } = await registry.list('Tenant')
  const aborter = new AbortController()
  let latest = revision
  const watching = (async () => {
    for await (const change of registry.watch('Tenant', revision, aborter.signal)) {
      latest = change.type === 'bookmark' ? change.revision : change.object.revision
    }
  })()
  // What is caught only here would be an error that nobody saw while the loop below waits.
  const failed = watching.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  for (let round = 0; round < bookmarkRounds; round += 1) {
    const before = (await registry.list('NodeNetwork')).revision
    await churn(registry, 2)
    while (latest <= before) {
      const failure = await Promise.race([failed, pause()])
      if (failure !== undefined) throw failure.error
    }
  }
  const bookmark = latest
  const created = await registry.create('Tenant', 'a', tenant('a'))
  expect(await collect(registry, 'Tenant', bookmark, 1)).toEqual([{ type: 'put', object: created }])
  aborter.abort()
  await watching
}

/** A watcher that does not read costs nothing; when it wakes up too late it is told to list again. */
export async function sleeperExpires(subject: RegistryUnderTest): Promise<void> {
  const { registry } = subject
  const first = await registry.create('Tenant', 'a', wordy('a', WORDS, 1))
  let { revision } = await registry.list('Tenant')
  const second = await registry.update('Tenant', 'a', wordy('a', WORDS, 2), first.revision)
  let seen = 0
  const watch = async (): Promise<void> => {
    for await (const change of registry.watch('Tenant', revision, new AbortController().signal)) {
      if (change.type === 'bookmark') continue
      revision = change.object.revision
      seen += 1
      if (seen > FLOOD) return
      if (seen > 1) continue
      await flood(registry, second.revision)
      await forgetPast(subject)
    }
  }
  // A connection may break under a sleeper; whoever goes on where it was is told just the same.
  let outcome = await settled(watch())
  while (outcome === 'REGISTRY_UNAVAILABLE') outcome = await settled(watch())
  expect(outcome).toBe('REGISTRY_EXPIRED')
  expect(seen).toBeLessThan(FLOOD)
}

/** Changes of 8 KB each: more than any buffer between a server and a client holds. */
const FLOOD = 1500
const WORDS = 4096

async function flood(registry: Registry, start: number): Promise<void> {
  let revision = start
  for (let i = 0; i < FLOOD; i += 1) {
    const stored = await registry.update('Tenant', 'a', wordy('a', WORDS, 11 + i), revision)
    revision = stored.revision
  }
}

/** A history of eight does not survive forty changes. */
async function forgetPast({ registry, forgetPast }: RegistryUnderTest): Promise<void> {
  await (forgetPast === undefined ? churn(registry, 40) : forgetPast())
}

async function churn(registry: Registry, times: number): Promise<void> {
  for (let i = 0; i < times / 2; i += 1) {
    await registry.create('NodeNetwork', 'churn', network('churn'))
    await registry.delete('NodeNetwork', 'churn')
  }
}

function pause(): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, 2, undefined)
  })
}
