import { expect, test } from 'bun:test'
import { formats } from '../all-formats.ts'
import { startServer } from '../testing/harness.ts'

test('fields that a definition prunes are refused, warned of, or passed over', async () => {
  const api = await startServer({ formats })
  const schema = { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } }
  const versions = [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }]
  const names = { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' }
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'things.x.dev' },
    spec: { group: 'x.dev', scope: 'Namespaced', names, versions },
  }
  const made = await api.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition)
  expect(made.status).toBe(201)
  const path = '/apis/x.dev/v1/namespaces/default/things'
  const thing = { metadata: { generateName: 't-' }, spec: { size: 1, sise: 2 } }
  const strict = await api.call('POST', `${path}?fieldValidation=Strict`, thing)
  expect([strict.status, strict.body.message]).toEqual([400, 'strict decoding error: unknown field "spec.sise"'])
  expect((await api.call('GET', path)).body.items).toEqual([])
  const warned = await fetch(`${api.server.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.server.tokenOf('admin')}` },
    body: JSON.stringify(thing),
  })
  expect([warned.status, warned.headers.get('warning')]).toEqual([201, '299 - "unknown field \\"spec.sise\\""'])
  const ignored = await api.call('POST', `${path}?fieldValidation=Ignore`, thing)
  expect([ignored.status, ignored.body.spec]).toEqual([201, { size: 1 }])
  await api.stop()
})

test('fields that are known are not lost, wherever they go', async () => {
  const api = await startServer({ formats })
  const core = '/api/v1/namespaces/default'
  const secret = { metadata: { name: 's' }, stringData: { a: 'x' } }
  const kept = await api.call('POST', `${core}/secrets?fieldValidation=Strict`, secret)
  expect([kept.status, kept.body.data, kept.body.stringData]).toEqual([201, { a: 'eA==' }, undefined])
  const spec = { hostNetwork: false, containers: [{ name: 'c', image: 'i', workingDir: '', ports: [] }] }
  const pod = await api.call('POST', `${core}/pods?fieldValidation=Strict`, { metadata: { name: 'p' }, spec })
  expect([pod.status, pod.body.spec.hostNetwork]).toEqual([201, undefined])
  await api.stop()
})
