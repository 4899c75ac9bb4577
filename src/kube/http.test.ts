import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { KubeConfig } from './config.ts'
import { KubeError } from './errors.ts'
import { type HttpRequest, HttpTransport } from './http.ts'
import { parseRetryAfter, statusError } from './status.ts'
import { answer, json, type RawHandler, type RawRequest, type RawServer, serveRaw } from './testing/raw-server.ts'

let server: RawServer | undefined
afterEach(() => server?.stop())

/** Answers with one of these after the other, the last one for good. */
function serve(...answers: readonly string[]) {
  const requests: RawRequest[] = []
  const handler: RawHandler = (request, connection) => {
    connection.write(answers[Math.min(requests.length, answers.length - 1)] ?? '')
    requests.push(request)
    connection.end()
  }
  server = serveRaw(handler)
  const config = { server: server.url, credentials: () => ({ token: 's3cr3t' }) } satisfies KubeConfig
  return { requests, config }
}

const READ: HttpRequest = { method: 'GET', path: '/x' }
const WRITE: HttpRequest = { method: 'POST', path: '/x', body: {} }
const LATER = { 'retry-after': '0' }

describe('a server that asks to be called again', () => {
  test.each([
    ['too many requests, read', 429, READ, LATER, 2],
    ['too many requests, write', 429, WRITE, LATER, 2],
    ['overloaded, read', 503, READ, LATER, 2],
    ['overloaded, write: it may have been done', 503, WRITE, LATER, 1],
    ['without saying when', 429, READ, {}, 1],
    ['later than the deadline', 429, READ, { 'retry-after': '3600' }, 1],
    ['a failure', 500, READ, LATER, 1],
  ] as const)('%s', async (_, status, request, headers, calls) => {
    const { requests, config } = serve(json(status, {}, headers), json(200, { fine: true }))
    const call = new HttpTransport(config, { random: () => 0 }).json(request)
    if (calls === 2) expect(await call).toEqual({ fine: true })
    else expect(await failureOf(call)).toMatchObject({ code: 'KUBE_UNAVAILABLE', status })
    expect(requests).toHaveLength(calls)
  })

  test('is not called without end', async () => {
    const { requests, config } = serve(json(429, {}, LATER))
    const failure = await failureOf(new HttpTransport(config, {}).json(READ))
    expect(failure).toMatchObject({ code: 'KUBE_UNAVAILABLE', retryAfter: 0 })
    expect(requests).toHaveLength(4)
  })
})

test.each([
  ['12', 12_000],
  ['0', 0],
  ['Sat, 21 Nov 2026 05:00:10 GMT', 10_000],
  ['Sat, 21 Nov 2020 05:00:10 GMT', 0],
  ['soon', undefined],
  ['-1', undefined],
  ['1e9', undefined],
  [null, undefined],
])('Retry-After %p is %p ms', (text, milliseconds) => {
  expect(parseRetryAfter(text, Date.parse('2026-11-21T05:00:00Z'))).toBe(milliseconds as number)
})

test.each([
  [409, 'AlreadyExists', 'KUBE_EXISTS'],
  [409, 'Conflict', 'KUBE_CONFLICT'],
  [409, undefined, 'KUBE_CONFLICT'],
  [404, 'NotFound', 'KUBE_NOT_FOUND'],
  [410, 'Expired', 'KUBE_EXPIRED'],
  [410, 'Gone', 'KUBE_EXPIRED'],
  [422, 'Invalid', 'KUBE_INVALID'],
  [400, 'BadRequest', 'KUBE_INVALID'],
  [413, undefined, 'KUBE_INVALID'],
  [403, 'Forbidden', 'KUBE_FORBIDDEN'],
  [401, 'Unauthorized', 'KUBE_UNAUTHORIZED'],
  [504, 'Timeout', 'KUBE_UNAVAILABLE'],
  [500, 'InternalError', 'KUBE_UNAVAILABLE'],
  [302, undefined, 'KUBE_UNAVAILABLE'],
] as const)('%i %p is %s', (status, reason, code) => {
  expect(statusError({ kind: 'Status', reason }, { status, retryAfter: undefined }).code).toBe(code)
})

test('a refusal without a Status is understood by its number', async () => {
  const { config } = serve(answer(404, '404 page not found\n'))
  expect(await failureOf(new HttpTransport(config, {}).json(READ))).toMatchObject({
    code: 'KUBE_NOT_FOUND',
    status: 404,
  })
})

test('a token is sent to nobody else', async () => {
  const { requests, config } = serve(answer(302, '', { location: '/elsewhere' }))
  expect(await failureOf(new HttpTransport(config, {}).json(READ))).toMatchObject({
    code: 'KUBE_UNAVAILABLE',
    status: 302,
  })
  expect(requests.map(({ path }) => path)).toEqual(['/x'])
})

test('a server that repeats the token does not get it into an error', async () => {
  const { config } = serve(json(403, { kind: 'Status', reason: 'Forbidden', message: 'who is Bearer s3cr3t?' }))
  const failure = await failureOf(new HttpTransport(config, {}).json(READ))
  expect(Bun.inspect(failure, { depth: 9 })).not.toContain('s3cr3t')
  expect(failure).toEqual(
    expect.objectContaining({ code: 'KUBE_FORBIDDEN', message: expect.stringContaining('who is Bearer …?') }),
  )
})

test('no error holds the token', async () => {
  for (const wrong of [answer(200, 'no JSON'), json(401, {}), '', 'HTTP/9 what\r\n\r\n']) {
    const { config } = serve(wrong)
    const failure = await failureOf(new HttpTransport(config, { deadline: 500 }).json(READ))
    expect(Bun.inspect(failure, { depth: 9 })).not.toContain('s3cr3t')
    server?.stop()
  }
})

describe('a token in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-token-'))
  const tokenFile = join(folder, 'token')
  afterEach(() => rmSync(tokenFile, { force: true }))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('is read anew after a while, and at once when it is refused', async () => {
    let clock = 0
    const { requests, config } = serve(json(200, {}), json(200, {}), json(200, {}), json(401, {}), json(200, {}))
    const http = new HttpTransport({ ...config, tokenFile }, { now: () => clock })
    writeFileSync(tokenFile, 'one\n')
    await http.json(READ)
    writeFileSync(tokenFile, 'two\n')
    await http.json(READ)
    clock += 60_000
    await http.json(READ)
    writeFileSync(tokenFile, 'three\n')
    await http.json(READ)
    const sent = requests.map(({ headers }) => headers.get('authorization'))
    expect(sent).toEqual(['one', 'one', 'two', 'two', 'three'].map((token) => `Bearer ${token}`))
  })

  test('that is refused for good is asked with once', async () => {
    const { requests, config } = serve(json(401, {}))
    writeFileSync(tokenFile, 'one')
    const failure = await failureOf(new HttpTransport({ ...config, tokenFile }, {}).json(READ))
    expect(failure.code).toBe('KUBE_UNAUTHORIZED')
    expect(requests).toHaveLength(1)
  })

  test('that is gone, or holds a text, is a fault of the configuration', async () => {
    const { config } = serve(json(200, {}))
    const http = new HttpTransport({ ...config, tokenFile }, {})
    expect((await failureOf(http.json(READ))).code).toBe('KUBE_CONFIG')
    writeFileSync(tokenFile, 'two words\n')
    expect((await failureOf(http.json(READ))).code).toBe('KUBE_CONFIG')
  })

  test('that is gone for a moment is used as it last was', async () => {
    let clock = 0
    const { requests, config } = serve(json(200, {}), json(200, {}), json(401, {}))
    const http = new HttpTransport({ ...config, tokenFile }, { now: () => clock })
    writeFileSync(tokenFile, 'one')
    await http.json(READ)
    rmSync(tokenFile)
    clock += 60_000
    await http.json(READ)
    expect((await failureOf(http.json(READ))).code).toBe('KUBE_UNAUTHORIZED')
    expect(new Set(requests.map(({ headers }) => headers.get('authorization')))).toEqual(new Set(['Bearer one']))
  })
})

async function failureOf(call: Promise<unknown>): Promise<KubeError> {
  const failure = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (failure instanceof KubeError) return failure
  throw failure ?? new Error('nothing failed')
}
