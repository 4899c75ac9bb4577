/**
 * Servers that are no etcd, or a sick one.
 */
import { afterEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { EtcdError } from './errors.ts'
import type { Batch, KeySpace } from './key-space.ts'
import { type EtcdOptions, EtcdV2 } from './v2.ts'
import { EtcdV3 } from './v3.ts'

const CLIENTS = [
  ['v2', (endpoints: readonly string[], options?: EtcdOptions): KeySpace => new EtcdV2(anonymous(endpoints), options)],
  ['v3', (endpoints: readonly string[], options?: EtcdOptions): KeySpace => new EtcdV3(anonymous(endpoints), options)],
] as const

const NOTHING: { readonly [A in string]: () => Response } = {
  v2: () =>
    Response.json(
      { errorCode: 100, index: 7 },
      { status: 404, headers: { 'x-etcd-index': '7', 'x-etcd-cluster-id': 'a' } },
    ),
  v3: () => Response.json({ header: { cluster_id: '1', revision: '7' } }),
}

const running: { stop(force: boolean): unknown }[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop(true)
})

describe.each(CLIENTS)('%s', (api, open) => {
  const nothing = NOTHING[api] ?? (() => new Response())

  test('garbage is a failure like any other', async () => {
    let answer: Response = new Response()
    const space = open([serve(() => answer.clone() as Response)])
    const noise = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ node: fc.jsonValue(), kvs: fc.jsonValue(), header: fc.jsonValue(), errorCode: fc.jsonValue() })
        .map((o) => JSON.stringify(o)),
      fc
        .record({
          header: fc.constant({ revision: '7' }),
          kvs: fc.jsonValue(),
          responses: fc.jsonValue(),
          succeeded: fc.constant(true),
        })
        .map((o) => JSON.stringify(o)),
      fc
        .record({
          action: fc.constant('get'),
          node: fc.record({ key: fc.string(), dir: fc.boolean(), nodes: fc.jsonValue() }),
        })
        .map((o) => JSON.stringify(o)),
    )
    const status = fc.constantFrom(200, 201, 301, 400, 401, 403, 404, 412, 500, 503)
    const headers = fc.constantFrom({}, { 'x-etcd-index': '7' }, { 'x-etcd-index': 'seven' })
    await fc.assert(
      fc.asyncProperty(noise, status, headers, async (text, code, more) => {
        answer = new Response(text, { status: code, headers: more as Record<string, string> })
        const calls = [space.get('/a'), space.list('/a/'), space.put('/a', 'x', 'absent'), take(space, 1)]
        for (const outcome of await Promise.allSettled(calls)) {
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(EtcdError)
        }
      }),
      { numRuns: 150 },
    )
  })

  test('a member that hangs is left for the next one, and not asked first again', async () => {
    const asked: string[] = []
    const hanging = serve(() => {
      asked.push('hanging')
      return new Promise<Response>(() => undefined)
    })
    const answering = serve(() => {
      asked.push('answering')
      return nothing()
    })
    const space = open([hanging, answering], { deadline: 100 })
    expect((await space.get('/a')).revision).toBe(7)
    expect((await space.get('/a')).revision).toBe(7)
    expect(asked).toEqual(['hanging', 'answering', 'answering'])
  })

  test('a write is not made twice: another member is asked only when the first was not reached', async () => {
    let writes = 0
    const answering = serve(() => {
      writes += 1
      return nothing()
    })
    const hanging = serve(() => new Promise<Response>(() => undefined))
    await open([hanging, answering], { deadline: 50 })
      .put('/a', 'x', 'absent')
      .catch(() => undefined)
    expect(writes).toBe(0)
    await open(['http://127.0.0.1:1', answering])
      .put('/a', 'x', 'absent')
      .catch(() => undefined)
    expect(writes).toBe(1)
  })

  test('an answer that trickles on, and one without an end, are cut off', async () => {
    const trickling = serve(() => new Response(drops(' ', 10)))
    expect(await codeOf(open([trickling], { deadline: 100 }).get('/a'))).toBe('ETCD_UNAVAILABLE')
    const endless = serve(() => new Response(drops('x'.repeat(1 << 16), 0)))
    expect(await codeOf(open([endless], { maxBody: 1 << 20 }).list('/a/'))).toBe('ETCD_UNAVAILABLE')
  })

  test('a watch whose event never ends, byte by byte, is not waited for', async () => {
    let opened = 0
    const trickling = serve(async (request) => {
      if (!(request.url.includes('wait=true') || request.url.endsWith('/watch'))) return nothing()
      opened += 1
      return new Response(drops(' ', 10), { headers: nothing().headers })
    })
    const ending = new AbortController()
    const watch = open([trickling], { silence: 100 }).watch('/a/', 7, ending.signal)
    const end = watch[Symbol.asyncIterator]().next()
    // It is opened anew.
    while (opened < 3) await Bun.sleep(20)
    ending.abort()
    expect((await end).done).toBe(true)
  })

  test('when nobody answers, every member is named, once', async () => {
    const error = await open(['http://127.0.0.1:1', 'http://127.0.0.1:2'])
      .get('/a')
      .catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'ETCD_UNAVAILABLE', isUnsent: true })
    expect(String(error)).toMatch(/127\.0\.0\.1:1 .*127\.0\.0\.1:2 /)
  })

  test('a redirection is not followed with our credentials', async () => {
    let visits = 0
    const elsewhere = serve(() => {
      visits += 1
      return nothing()
    })
    const from = serve(() => Response.redirect(`${elsewhere}/v2/keys/a`, 307))
    expect(await codeOf(open([from]).get('/a'))).toBe('ETCD_UNAVAILABLE')
    expect(visits).toBe(0)
  })

  test('a call that is ended ends at once', async () => {
    const hanging = serve(() => new Promise<Response>(() => undefined))
    const aborter = new AbortController()
    const call = open([hanging]).get('/a', aborter.signal)
    queueMicrotask(() => aborter.abort())
    expect(await call.catch((error: unknown) => String(error))).toContain('ended before its answer came')
  })
})

test('an etcd that counts back has lost its history', async () => {
  let revision = 9
  const space = new EtcdV3(
    anonymous([serve(() => Response.json({ header: { cluster_id: '1', revision: String(revision) } }))]),
  )
  expect((await space.get('/a')).revision).toBe(9)
  revision = 3
  expect(await codeOf(take(space, 9))).toBe('ETCD_EXPIRED')
})

test('another cluster has another history', async () => {
  let cluster = '1'
  const space = new EtcdV3(anonymous([serve(() => Response.json({ header: { cluster_id: cluster, revision: '9' } }))]))
  await space.get('/a')
  expect(space.history).toBe(0)
  cluster = '2'
  await space.get('/a')
  expect(space.history).toBe(1)
})

function anonymous(endpoints: readonly string[]) {
  return { endpoints, credentials: () => ({}) }
}

function serve(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, idleTimeout: 0, fetch: answer })
  running.push(server)
  return `http://127.0.0.1:${server.port}`
}

function drops(drop: string, pause: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: async (controller) => {
      await Bun.sleep(pause)
      controller.enqueue(new TextEncoder().encode(drop))
    },
  })
}

async function take(space: KeySpace, after: number): Promise<Batch | undefined> {
  for await (const batch of space.watch('/a/', after, new AbortController().signal)) return batch
  return undefined
}

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'ok',
    (error: { readonly code?: unknown }) => error.code ?? error,
  )
}
