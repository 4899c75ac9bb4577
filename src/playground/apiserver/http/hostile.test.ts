import { afterAll, beforeAll, expect, test } from 'bun:test'
import fc from 'fast-check'
import { formats } from '../all-formats.ts'
import { ApiError } from '../contract.ts'
import { parseFieldSelector } from '../selectors/field.ts'
import { parseLabelSelector } from '../selectors/label.ts'
import { parseMessage } from '../streams/channels.ts'
import { CONFIG_MAPS, startServer, type TestServer } from '../testing/harness.ts'

let api: TestServer

beforeAll(async () => {
  api = await startServer({ formats })
})

afterAll(() => api.stop())

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('a', ',', '=', '!', '(', ')', ' ', '>', 'in', '.', '\\') }),
)

test('selectors are read or refused, never anything else', () => {
  fc.assert(
    fc.property(text, (selector) => {
      for (const parse of [parseLabelSelector, (given: string) => parseFieldSelector(given, '/pods')]) {
        try {
          parse(selector)
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError)
          expect((error as ApiError).status).toBe(400)
        }
      }
    }),
    { numRuns: 2000 },
  )
})

test('a long selector takes no long time', () => {
  expect(() => parseLabelSelector('a'.repeat(100_000))).toThrow(ApiError)
  expect(() => parseLabelSelector(`${'a.'.repeat(50_000)}!`)).toThrow(ApiError)
  expect(() => parseFieldSelector(`${'a'.repeat(100_000)}!`, '/pods')).toThrow(ApiError)
})

test('messages of an exec are read or passed over', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => void parseMessage(bytes, 'v5.channel.k8s.io')))
})

const word = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('api', 'apis', 'v1', 'apps', 'namespaces', 'default', 'configmaps', '..', '%', '%2e%2e', '__proto__'),
)
const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE')

test('any call is answered in the API’s words, and the server lives on', async () => {
  const call = fc.record({ method, words: fc.array(word, { maxLength: 7 }), query: text, body: fc.json() })
  await fc.assert(
    fc.asyncProperty(call, async ({ method: verb, words, query, body }) => {
      const path = `/${words.map(encodeURI).join('/')}?labelSelector=${encodeURIComponent(query)}&limit=${encodeURIComponent(query)}`
      const answer = await api.call(verb, path, verb === 'GET' ? undefined : body)
      expect(answer.status).not.toBe(500)
      if (answer.status >= 400) expect(answer.body).toMatchObject({ kind: 'Status', code: answer.status })
    }),
    { numRuns: 300 },
  )
})

test('any object is taken or refused', async () => {
  const field = fc.constantFrom(
    'metadata',
    'name',
    'labels',
    'finalizers',
    'ownerReferences',
    'spec',
    'clusterIP',
    'clusterIPs',
    'ports',
    'nodePort',
    'type',
    'status',
    'conditions',
    'versions',
    'names',
    'ipFamilies',
    'replicas',
  )
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, 1, -1, 1e300, 'NodePort', 'None', 'IPv6', '10.96.0.9', 'x', true),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(field, tie('any'), { maxKeys: 5 }),
    ),
  })).any
  const collections = [
    CONFIG_MAPS,
    '/api/v1/namespaces/default/services',
    '/api/v1/namespaces/default/pods',
    '/api/v1/namespaces',
    '/apis/apps/v1/namespaces/default/deployments',
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...collections),
      fc.dictionary(field, value, { maxKeys: 5 }),
      async (path, object) => {
        const answer = await api.call('POST', path, {
          ...object,
          metadata: { generateName: 'x-', ...(object['metadata'] as object | undefined) },
        })
        expect([201, 400, 403, 409, 422]).toContain(answer.status)
        if (answer.status !== 201) return
        const at = `${path}/${answer.body.metadata.name}`
        expect((await api.call('PUT', at, answer.body)).status).toBe(200)
        expect((await api.call('DELETE', at)).status).toBe(200)
      },
    ),
    { numRuns: 300 },
  )
  expect((await api.call('GET', CONFIG_MAPS)).status).toBe(200)
})
