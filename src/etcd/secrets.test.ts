/**
 * A server that repeats what it was told: nothing of a password or a token comes out in an error.
 */
import { afterEach, describe, expect, test } from 'bun:test'
import type { EtcdConfig } from './config.ts'
import { EtcdError } from './errors.ts'
import type { KeySpace } from './key-space.ts'
import { EtcdV2 } from './v2.ts'
import { EtcdV3 } from './v3.ts'

const PASSWORD = 'zebra"hornet\\quartz vellum'
const TOKEN = 'QmVhcmVyT2ZHcmVhdFNlY3JldHM.4711'
const BASIC = Buffer.from(`root:${PASSWORD}`).toString('base64')

/** What may be said to a server that asks for it. */
const ECHOES: readonly (readonly [string, (told: string) => string])[] = [
  ['as it is', (told) => told],
  ['as an error of 3.5', (error) => JSON.stringify({ error, code: 3, message: error })],
  ['as an error of 3.4', (message) => JSON.stringify({ error: { grpc_code: 14, message, http_status: message } })],
  ['as a code', (code) => JSON.stringify({ code, grpc_code: code, errorCode: code, error: code })],
  ['as an error of v2', (message) => JSON.stringify({ errorCode: 105, message, cause: message, index: message })],
  ['as an unknown error of v2', (message) => JSON.stringify({ errorCode: 999, message, cause: message })],
  ['as a folder', (message) => JSON.stringify({ errorCode: 102, message })],
  [
    'as an answer',
    (key) => JSON.stringify({ token: key, header: key, kvs: key, node: { key, dir: key }, action: key }),
  ],
  ['as a removed folder', (key) => JSON.stringify({ action: 'delete', node: { key, dir: true, modifiedIndex: 9 } })],
  ['as the end of a watch', (why) => `{"result":{"canceled":true,"cancel_reason":${JSON.stringify(why)}}}\n`],
  ['as words that etcd uses', (told) => JSON.stringify({ error: `etcdserver: invalid auth token ${told}`, code: 16 })],
]
const STATUSES = [200, 201, 301, 400, 401, 403, 404, 412, 500, 503]

/** What the server answers as it should. */
const LETS = ['nobody in', 'log in', 'read'] as const

const running: { stop(force: boolean): unknown }[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop(true)
})

const CLIENTS = [
  ['v2', (config: EtcdConfig): KeySpace => new EtcdV2(config, { silence: 200 })],
  ['v3', (config: EtcdConfig): KeySpace => new EtcdV3(config, { silence: 200 })],
] as const

describe.each(CLIENTS)('%s', (_, open) => {
  test.each(ECHOES)('what was told and comes back %s is in no error', async (_, echo) => {
    for (const status of STATUSES) {
      for (const lets of LETS) {
        const space = open({
          endpoints: [serve(echo, status, lets)],
          credentials: () => ({ username: 'root', password: PASSWORD }),
        })
        for (const error of await failures(space)) {
          expect(error).toBeInstanceOf(EtcdError)
          expect(revealedBy(error)).toEqual([])
        }
        space.close()
      }
    }
  })
})

async function failures(space: KeySpace): Promise<readonly unknown[]> {
  const move = { from: { key: '/a/b', value: '', revision: 1, created: 1 }, to: '/a/c', value: 'x' }
  const calls = [space.get('/a/b'), space.list('/a/'), space.put('/a/b', 'x', 'absent'), space.delete('/a/b', 1)]
  const outcomes = await Promise.allSettled([...calls, space.move(move), watched(space)])
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
}

async function watched(space: KeySpace): Promise<void> {
  for await (const _ of space.watch('/a/', 7, AbortSignal.timeout(100))) return
}

/** Pieces of secrets in all that a log could hold of an error. */
function revealedBy(error: unknown): readonly string[] {
  const { cause, message, stack, ...rest } = error as Error & Record<string, unknown>
  const said = [Bun.inspect(error, { depth: 9 }), JSON.stringify({ ...rest, message, stack }), String(cause)].join('\n')
  return ['zebra', 'hornet', 'quartz', 'vellum', ...pieces(TOKEN), ...pieces(BASIC)].filter((one) => said.includes(one))
}

function pieces(secret: string): readonly string[] {
  return Array.from({ length: secret.length - 5 }, (_, i) => secret.slice(i, i + 6))
}

function serve(echo: (told: string) => string, status: number, lets: (typeof LETS)[number]): string {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      const told = `${request.headers.get('authorization') ?? ''} ${await request.text()}`
      const headers = { 'x-etcd-index': '7', 'x-etcd-cluster-id': 'a', location: told.trim() }
      const answer = { header: { revision: '7' }, token: TOKEN, node: { key: '/a', dir: true } }
      const { pathname, searchParams } = new URL(request.url)
      const isLogin = pathname === '/v3/auth/authenticate'
      const isRead = pathname === '/v3/kv/range' || (request.method === 'GET' && !searchParams.has('wait'))
      if ((isLogin && lets !== 'nobody in') || (isRead && lets === 'read')) return Response.json(answer, { headers })
      return new Response(echo(told), { status, headers })
    },
  })
  running.push(server)
  return `http://127.0.0.1:${server.port}`
}
