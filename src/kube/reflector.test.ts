import { afterEach, describe, expect, test } from 'bun:test'
import { KubeClient, type KubeClientOptions } from './client.ts'
import { type ReflectResourceOptions, reflectResource } from './reflector.ts'
import { THINGS, ThingServer, textOf } from './testing/thing-server.ts'

let server: ThingServer
const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  server.stop()
})

function setUp(client: KubeClientOptions = {}, options: Partial<ReflectResourceOptions> = {}) {
  server = new ThingServer()
  for (const name of ['a', 'b']) server.put(name, 1)
  const api = new KubeClient({ server: server.url, credentials: () => ({}) }, client)
  const aborter = new AbortController()
  const backoff = { first: 1, most: 4 }
  const reflection = reflectResource(api, THINGS, {}, { backoff, ...options, signal: aborter.signal })
  ends.push(() => {
    aborter.abort()
    return reflection.done
  })
  const present = () => [...reflection.store.values()].map(({ value }) => textOf(value)).toSorted()
  return { ...reflection, present }
}

describe('reflectResource', () => {
  test('follows a resource', async () => {
    const { synced, present } = setUp()
    await synced
    expect(present()).toEqual(['a@11=1', 'b@12=1'])
    server.put('c', 2)
    server.remove('a')
    await until(() => present().length === 2 && present()[1] === 'c@13=2')
    expect(present()).toEqual(['b@12=1', 'c@13=2'])
  })

  test('a quiet watch is asked for again from its last event, and is no failure', async () => {
    const errors: unknown[] = []
    const { synced, present } = setUp({ silence: 30 }, { onError: (error) => errors.push(error) })
    await synced
    server.put('c', 2)
    await until(() => present().includes('c@13=2'))
    const from = () =>
      server.requests.filter(({ query }) => query.has('watch')).map(({ query }) => query.get('resourceVersion'))
    await until(() => from().length >= 4)
    expect(from().slice(0, 4)).toEqual(['12', '13', '13', '13'])
    server.put('d', 2)
    await until(() => present().includes('d@14=2'))
    expect(errors).toEqual([])
  })

  test('another write at a revision of a lost history is seen', async () => {
    const { synced, present } = setUp()
    await synced
    server.put('a', 5)
    server.put('c', 5)
    await until(() => present().includes('c@14=5'))
    expect(present()).toContain('a@13=5')
    server.restart(2)
    server.put('a', 7)
    await until(() => !present().includes('c@14=5'))
    expect(present()).toEqual(['a@13=7', 'b@12=1'])
  })

  test('what the server forgot is asked for as new as it was known, in one piece; when that fails, as it is now', async () => {
    const { synced, present } = setUp()
    await synced
    server.put('c', 3)
    await until(() => present().includes('c@13=3'))
    const lists = () =>
      server.requests
        .filter(({ query }) => !query.has('watch') && query.get('limit') !== '1')
        .map(({ query }) => Object.fromEntries(query))
    // The look before the watch, and the watch, which says that its past is forgotten.
    server.faults.push('fine' as never, 'gone')
    server.restart(0)
    server.put('d', 4)
    await until(() => present().includes('d@14=4'))
    // The new watch is there when it tells something.
    server.put('e', 5)
    await until(() => present().includes('e@15=5'))
    const again = { resourceVersion: '13', resourceVersionMatch: 'NotOlderThan' }
    expect(lists()).toEqual([{ limit: '500' }, again])
    server.faults.push('fine' as never, 'gone', 'unavailable')
    server.restart(0)
    await until(() => lists().length >= 4)
    expect(lists().slice(2)).toEqual([{ ...again, resourceVersion: '15' }, { limit: '500' }])
    server.put('f', 6)
    await until(() => present().includes('f@16=6'))
  })

  test('waits as long as a server asks', async () => {
    const waits: number[] = []
    const { synced } = setUp(
      { deadline: 1000 },
      { onError: (_, retryIn) => waits.push(retryIn), sleep: () => Promise.resolve() },
    )
    server.faults.push('busy', 'busy')
    await synced
    expect(waits).toEqual([7000, 7000])
  })
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(1)
}
