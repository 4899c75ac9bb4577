import { afterAll, beforeAll, expect, test } from 'bun:test'
import { CONFIG_MAPS, type Json, MERGE, startServer, type TestServer } from '../testing/harness.ts'

let api: TestServer

beforeAll(async () => {
  api = await startServer()
  await api.call('POST', CONFIG_MAPS, { metadata: { name: 'there' }, data: { k: 'v' } })
})

afterAll(() => api.stop())

/** Words and codes as a kube-apiserver 1.32 gives them. */
const REFUSALS: readonly (readonly [string, string, string, unknown, number, string, string])[] = [
  [
    'an object that is there',
    'POST',
    '',
    { metadata: { name: 'there' } },
    409,
    'AlreadyExists',
    'configmaps "there" already exists',
  ],
  [
    'a revision on a new object',
    'POST',
    '',
    { metadata: { name: 'z', resourceVersion: '5' } },
    500,
    '',
    'resourceVersion should not be set on objects to be created',
  ],
  ['no such object', 'GET', '/x', undefined, 404, 'NotFound', 'configmaps "x" not found'],
  ['nothing to replace', 'PUT', '/x', { metadata: { name: 'x' } }, 404, 'NotFound', 'configmaps "x" not found'],
  ['nothing to patch', 'PATCH', '/x', {}, 404, 'NotFound', 'configmaps "x" not found'],
  ['nothing to delete', 'DELETE', '/x', undefined, 404, 'NotFound', 'configmaps "x" not found'],
  [
    'another revision',
    'PUT',
    '/there',
    { metadata: { name: 'there', resourceVersion: '5' } },
    409,
    'Conflict',
    'Operation cannot be fulfilled on configmaps "there": the object has been modified; please apply your changes to the latest version and try again',
  ],
  [
    'another name',
    'PUT',
    '/there',
    { metadata: { name: 'b' } },
    400,
    'BadRequest',
    'the name of the object (b) does not match the name on the URL (there)',
  ],
  [
    'another namespace',
    'POST',
    '',
    { metadata: { name: 'q', namespace: 'kube-system' } },
    400,
    'BadRequest',
    'the namespace of the provided object does not match the namespace sent on the request',
  ],
  [
    'no name',
    'POST',
    '',
    { metadata: {} },
    422,
    'Invalid',
    'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
  ],
  [
    'an unknown field',
    'GET',
    '?fieldSelector=data.k=v',
    undefined,
    400,
    'BadRequest',
    '"data.k" is not a known field selector: only "metadata.name", "metadata.namespace"',
  ],
  [
    'dry run in other words',
    'POST',
    '?dryRun=foo',
    { metadata: { name: 'dry' } },
    422,
    'Invalid',
    'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"foo"}: supported values: "All"',
  ],
  [
    'a match without a revision',
    'GET',
    '?resourceVersionMatch=Exact',
    undefined,
    422,
    'Invalid',
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  ],
  [
    'initial events without a match',
    'GET',
    '?watch=1&sendInitialEvents=true',
    undefined,
    422,
    'Invalid',
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
  ],
  [
    'a revision not reached',
    'GET',
    '?resourceVersion=9007199254740000',
    undefined,
    504,
    'Timeout',
    'Timeout: Too large resource version: 9007199254740000',
  ],
  [
    'no such method',
    'PUT',
    '',
    {},
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
  ],
  [
    'a wrong precondition',
    'DELETE',
    '/there',
    { preconditions: { uid: 'x' } },
    409,
    'Conflict',
    'Operation cannot be fulfilled on ConfigMap "there": the UID in the precondition (x) does not match',
  ],
  [
    'a kind of another resource',
    'POST',
    '',
    { kind: 'Secret', apiVersion: 'v1', metadata: { name: 'q' } },
    400,
    'BadRequest',
    'Secret in version "v1" cannot be handled as a ConfigMap',
  ],
  ['no JSON', 'POST', '', '{"metadata":', 400, 'BadRequest', 'the object provided is unrecognized'],
  ['no object', 'POST', '', [], 400, 'BadRequest', 'the object provided is unrecognized'],
  [
    'metadata of another type',
    'POST',
    '',
    { metadata: { name: 1 } },
    400,
    'BadRequest',
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: metadata.name is no string',
  ],
  [
    'a key that is none',
    'POST',
    '',
    '{"metadata":{"name":"q","labels":{"__proto__":"x"}}}',
    400,
    'BadRequest',
    '"__proto__" is no field',
  ],
  [
    'a nest too deep',
    'POST',
    '',
    `${'[['.repeat(50_000)}${']]'.repeat(50_000)}`,
    400,
    'BadRequest',
    'the object provided is',
  ],
  [
    'a body too large',
    'POST',
    '',
    JSON.stringify({ x: 'y'.repeat(4_000_000) }),
    413,
    'RequestEntityTooLarge',
    'the request',
  ],
  [
    'a label selector that is none',
    'GET',
    '?labelSelector=a%20in%20b',
    undefined,
    400,
    'BadRequest',
    'unable to parse requirement',
  ],
  [
    'a continue token that is none',
    'GET',
    '?limit=1&continue=zzz',
    undefined,
    400,
    'BadRequest',
    'invalid continue token',
  ],
  [
    'an unknown part',
    'GET',
    '/there/status',
    undefined,
    404,
    'NotFound',
    'the server could not find the requested resource',
  ],
]

test.each(REFUSALS)('refuses %s', async (_what, method, path, body, status, reason, message) => {
  const answer = await api.call(method, CONFIG_MAPS + path, body, method === 'PATCH' ? MERGE : {})
  expect([answer.status, answer.body.reason, answer.body.code]).toEqual([status, reason, status])
  expect(answer.body.message).toStartWith(message)
  expect(answer.body).toMatchObject({ kind: 'Status', apiVersion: 'v1', status: 'Failure' })
})

test('refuses server-side apply in a sentence, and media types it does not know', async () => {
  const apply = await api.call('PATCH', `${CONFIG_MAPS}/there`, '{}', {
    'content-type': 'application/apply-patch+yaml',
  })
  expect([apply.status, apply.body.reason]).toEqual([415, 'UnsupportedMediaType'])
  expect(apply.body.message).toContain('server-side apply')
  expect((await api.call('POST', CONFIG_MAPS, 'a', { 'content-type': 'text/plain' })).status).toBe(415)
})

test('says why a name, a label or a namespace is wrong', async () => {
  const name = await api.call('POST', CONFIG_MAPS, { metadata: { name: 'A_b' } })
  expect(name.body.details).toMatchObject({
    name: 'A_b',
    kind: 'ConfigMap',
    causes: [{ reason: 'FieldValueInvalid', field: 'metadata.name' }],
  })
  expect((await api.call('POST', CONFIG_MAPS, { metadata: { name: 'q', labels: { 'a/b/c': 'x' } } })).status).toBe(422)
  const nowhere = await api.call('POST', '/api/v1/namespaces/nope/configmaps', { metadata: { name: 'a' } })
  expect([nowhere.status, nowhere.body.message]).toEqual([404, 'namespaces "nope" not found'])
})

test('lets nobody in without a token', async () => {
  const url = api.server.url + CONFIG_MAPS
  expect((await fetch(url)).status).toBe(403)
  const wrong = await fetch(url, { headers: { authorization: 'Bearer wrong' } })
  expect([wrong.status, ((await wrong.json()) as Json).reason]).toEqual([401, 'Unauthorized'])
})
