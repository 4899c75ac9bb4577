/**
 * The client of etcd against real ones: both interfaces, with and without TLS and accounts.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import type { EtcdConfig } from '../../src/etcd/config.ts'
import type { Batch, Entry, KeySpace } from '../../src/etcd/key-space.ts'
import { type EtcdOptions, EtcdV2 } from '../../src/etcd/v2.ts'
import { EtcdV3 } from '../../src/etcd/v3.ts'
import { eventually } from '../kube/process.ts'
import { ETCDS, EtcdServer, SKIPPED } from './etcd-server.ts'
import { clearHistory } from './history.ts'

const CLIENTS = [
  ['v2', (config: EtcdConfig, options?: EtcdOptions): KeySpace => new EtcdV2(config, options)],
  ['v3', (config: EtcdConfig, options?: EtcdOptions): KeySpace => new EtcdV3(config, options)],
] as const

if (ETCDS.length === 0) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
}

for (const program of ETCDS) {
  for (const tls of [false, true]) {
    describe(`${program}${tls ? ' with TLS' : ''}`, () => {
      const starting = EtcdServer.start({ program, tls })
      afterAll(async () => (await starting).stop())

      describe.each(CLIENTS)('%s', (api, open) => {
        test('keeps, compares, swaps, deletes', async () => {
          const space = open((await starting).config())
          const key = '/t/keep/a b%'
          expect((await space.get(key)).entry).toBeUndefined()
          const made = await space.put(key, 'one "é"\n', 'absent')
          expect(made).toMatchObject({ key, value: 'one "é"\n', created: made.revision })
          expect(await space.get(key)).toEqual({ revision: expect.any(Number), entry: made })
          expect(await codeOf(space.put(key, 'two', 'absent'))).toBe('ETCD_CONFLICT')
          expect(await codeOf(space.put(key, 'two', made.revision - 1))).toBe('ETCD_CONFLICT')
          const next = await space.put(key, '', made.revision)
          expect(next).toMatchObject({ value: '', created: made.created })
          expect(next.revision).toBeGreaterThan(made.revision)
          expect(await codeOf(space.delete(key, made.revision))).toBe('ETCD_CONFLICT')
          await space.delete(key, next.revision)
          expect(await codeOf(space.delete(key, next.revision))).toBe('ETCD_CONFLICT')
          expect(await codeOf(space.put(key, 'x', next.revision))).toBe('ETCD_CONFLICT')
          space.close()
        })

        test('a key for a while goes by itself, one that is written for ever stays', async () => {
          const space = open((await starting).config())
          const watched: Batch[] = []
          const ending = new AbortController()
          const { revision } = await space.list('/t/while/')
          const watching = (async () => {
            for await (const batch of space.watch('/t/while/', revision, ending.signal)) watched.push(batch)
          })()
          // On a busy machine the end may come before it is written over: then once more.
          const overwritten = (key: string, write: (at: number) => Promise<Entry>): Promise<Entry> =>
            eventually(async () => write((await space.putFor(3, key, 'x', 'absent')).revision), 30_000)
          const kept = await overwritten('/t/while/b', (at) => space.put('/t/while/b', 'x', at))
          expect(kept.isTemporary).toBeUndefined()
          const longer = await overwritten('/t/while/c', (at) => space.putFor(3600, '/t/while/c', 'x', at))
          expect(longer).toMatchObject({ value: 'x', isTemporary: true })
          expect(await codeOf(space.putFor(3, '/t/while/c', 'y', 'absent'))).toBe('ETCD_CONFLICT')
          // The last one to end: the others' time is over by then.
          const made = await space.putFor(3, '/t/while/a', 'x', 'absent')
          expect(made).toMatchObject({ value: 'x', isTemporary: true })
          await eventually(async () => expect((await space.get('/t/while/a')).entry).toBeUndefined(), 30_000)
          expect(await keysIn(space, '/t/while/')).toEqual(['/t/while/b', '/t/while/c'])
          // v2 lists in no order.
          const ends = (await space.list('/t/while/')).entries.map(
            ({ key, isTemporary }) => [key, isTemporary] as const,
          )
          expect(Object.fromEntries(ends)).toEqual({ '/t/while/b': undefined, '/t/while/c': true })
          const told = () => watched.flatMap(({ events }) => events)
          const isGone = () => told().some((event) => event.type === 'delete' && event.key === '/t/while/a')
          await eventually(async () => expect(isGone()).toBe(true), 30_000)
          ending.abort()
          await watching
          space.close()
        })

        test('lists a folder and no other', async () => {
          const space = open((await starting).config())
          expect((await space.list('/t/list/')).entries).toEqual([])
          for (const key of ['/t/list/a', '/t/list/b/c', '/t/list0', '/t/lis']) await space.put(key, 'x', 'absent')
          const { revision, entries } = await space.list('/t/list/')
          expect(entries.map(({ key }) => key).toSorted()).toEqual(['/t/list/a', '/t/list/b/c'])
          expect(revision).toBeGreaterThanOrEqual(Math.max(...entries.map((entry) => entry.revision)))
          space.close()
        })

        test('moves a record, or leaves it', async () => {
          const space = open((await starting).config())
          const from = await space.put('/t/move/a', 'x', 'absent')
          await space.put('/t/move/taken', 'x', 'absent')
          expect(await codeOf(space.move({ from, to: '/t/move/taken', value: 'y' }))).toBe('ETCD_CONFLICT')
          const old = { ...from, revision: from.revision - 1 }
          expect(await codeOf(space.move({ from: old, to: '/t/move/b', value: 'y' }))).toBe('ETCD_CONFLICT')
          expect(await keysIn(space, '/t/move/')).toEqual(['/t/move/a', '/t/move/taken'])
          await space.move({ from, to: '/t/move/b', value: 'y' })
          expect(await keysIn(space, '/t/move/')).toEqual(['/t/move/b', '/t/move/taken'])
          const there = await space.get('/t/move/b')
          const taken = await space.get('/t/move/taken')
          const over = taken.entry?.revision ?? 0
          if (there.entry === undefined) throw new Error('it was moved there')
          const move = { from: there.entry, to: '/t/move/taken', value: 'z' }
          expect(await codeOf(space.move({ ...move, over: over - 1 }))).toBe('ETCD_CONFLICT')
          expect(await keysIn(space, '/t/move/')).toEqual(['/t/move/b', '/t/move/taken'])
          await space.move({ ...move, over })
          expect((await space.list('/t/move/')).entries).toMatchObject([{ key: '/t/move/taken', value: 'z' }])
          space.close()
        })

        test('a move whose last answer is lost loses no record', async () => {
          const lossy = losing(await starting, (request) => request.method === 'DELETE' || request.url.endsWith('/txn'))
          const there = open((await starting).config())
          const space = open({ ...(await starting).config(), endpoints: [`http://127.0.0.1:${lossy.port}`] })
          const from = await there.put('/t/lost/a', 'x', 'absent')
          expect(await codeOf(space.move({ from, to: '/t/lost/b', value: 'y' }))).toBe('ETCD_UNAVAILABLE')
          expect(await keysIn(there, '/t/lost/')).toEqual(['/t/lost/b'])
          for (const one of [space, there]) one.close()
          await lossy.stop(true)
        })

        test('watches from where it was, deletions with what was', async () => {
          const space = open((await starting).config())
          await space.put('/t/watch', 'before', 'absent').catch(() => undefined)
          const a = await space.put('/t/watched/a', 'one', 'absent')
          const seen = take(space, '/t/watched/', a.revision, 3)
          const b = await space.put('/t/watched/b', 'two', 'absent')
          await space.put('/t/watched2', 'else', 'absent')
          await space.delete(b.key, b.revision)
          const c = await space.put('/t/watched/a', 'three', a.revision)
          const events = (await seen).flatMap((batch) => batch.events)
          expect(events).toEqual([
            { type: 'put', entry: b },
            { type: 'delete', key: b.key, last: b },
            { type: 'put', entry: c },
          ])
          space.close()
        })

        test('a silent watch is opened anew and misses nothing', async () => {
          const space = open((await starting).config(), { silence: 50 })
          const { revision } = await space.list('/t/silent/')
          const seen = take(space, '/t/silent/', revision, 1)
          await Bun.sleep(300)
          const entry = await space.put('/t/silent/a', 'x', 'absent')
          expect((await seen).flatMap((batch) => batch.events)).toEqual([{ type: 'put', entry }])
          space.close()
        })

        test('history that is cleared, or was never made, is told', async () => {
          const server = await starting
          const space = open(server.config())
          const { revision } = await space.list('/t/')
          await clearHistory(server, api)
          expect(await codeOf(take(space, '/t/', revision, 1))).toBe('ETCD_EXPIRED')
          expect(await codeOf(take(space, '/t/', revision + 100_000, 1))).toBe('ETCD_EXPIRED')
          space.close()
        })
      })
    })
  }

  describe(`${program} with accounts`, () => {
    const starting = withAccounts(program)
    afterAll(async () => (await starting).stop())

    test.each(CLIENTS)('%s', async (_, open) => {
      const config = (await starting).config()
      const as = (username: string, password: string): KeySpace =>
        open({ ...config, credentials: () => ({ username, password }) })
      const bob = as('bob', 'p:w €')
      await bob.put('/k8s.ovs.com/x', 'y', 'absent')
      expect((await bob.list('/k8s.ovs.com/')).entries).toHaveLength(1)
      const { revision } = await bob.list('/k8s.ovs.com/')
      const seen = take(bob, '/k8s.ovs.com/', revision, 1)
      await bob.put('/k8s.ovs.com/z', 'y', 'absent')
      expect(await seen).toHaveLength(1)
      expect(await codeOf(bob.get('/elsewhere'))).toBe('ETCD_FORBIDDEN')
      expect(await codeOf(take(bob, '/elsewhere/', 0, 1))).toBe('ETCD_FORBIDDEN')
      const refused = await as('bob', 'guessed')
        .get('/k8s.ovs.com/x')
        .catch((error: unknown) => error)
      expect(refused).toEqual(expect.objectContaining({ code: expect.stringMatching(/ETCD_(FORBIDDEN|UNAUTHORIZED)/) }))
      expect(JSON.stringify([refused, String(refused)])).not.toContain('guessed')
      expect(await codeOf(open(config).get('/k8s.ovs.com/x'))).toMatch(/ETCD_(FORBIDDEN|UNAUTHORIZED)/)
    })

    test('a token that ended is renewed', async () => {
      const server = await starting
      const bob = new EtcdV3({ ...server.config(), credentials: () => ({ username: 'bob', password: 'p:w €' }) })
      await bob.get('/k8s.ovs.com/token')
      // Tokens are in its memory alone.
      await server.halt()
      await server.start()
      expect((await bob.get('/k8s.ovs.com/token')).entry).toBeUndefined()
    })
  })
}

async function withAccounts(program: string): Promise<EtcdServer> {
  const server = await EtcdServer.start({ program })
  for (const api of [2, 3] as const) {
    const run = (...args: string[]) => server.etcdctl(api, args)
    await run('user', 'add', 'root:secret')
    await run('user', 'add', 'bob:p:w €')
    await run('role', 'add', 'weft')
    if (api === 2) {
      await run('role', 'grant', 'weft', '-path', '/k8s.ovs.com*', '-readwrite')
      await run('user', 'grant', 'bob', '-roles', 'weft')
      await run('auth', 'enable')
      await run('-u', 'root:secret', 'role', 'revoke', 'guest', '-path', '/*', '-readwrite')
    } else {
      await run('role', 'add', 'root')
      await run('role', 'grant-permission', 'weft', '--prefix=true', 'readwrite', '/k8s.ovs.com')
      await run('user', 'grant-role', 'bob', 'weft')
      await run('user', 'grant-role', 'root', 'root')
      await run('auth', 'enable')
    }
  }
  return server
}

async function take(space: KeySpace, folder: string, after: number, count: number): Promise<Batch[]> {
  const aborter = new AbortController()
  const batches: Batch[] = []
  for await (const batch of space.watch(folder, after, aborter.signal)) {
    if (batch.events.length > 0) batches.push(batch)
    if (batches.length === count) break
  }
  aborter.abort()
  return batches
}

async function keysIn(space: KeySpace, folder: string): Promise<readonly string[]> {
  return (await space.list(folder)).entries.map(({ key }) => key).toSorted()
}

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'ok',
    (error: { readonly code?: unknown }) => error.code ?? error,
  )
}

/** A way to etcd on which the answers to some requests are lost, once each, though they are carried out. */
function losing(server: EtcdServer, isLost: (request: Request) => boolean) {
  const { ca, credentials } = server.config()
  const tls = ca === undefined ? {} : { tls: { ca, ...credentials() } }
  let isOver = false
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url)
      const { method } = request
      const body = method === 'GET' || method === 'DELETE' ? {} : { body: await request.text() }
      const headers = { 'content-type': request.headers.get('content-type') ?? 'application/json' }
      const answer = await fetch(`${server.endpoint}${pathname}${search}`, { method, headers, ...body, ...tls })
      if (isOver || !isLost(request)) return answer
      isOver = true
      return new Response('', { status: 503 })
    },
  })
}
