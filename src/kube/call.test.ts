import { expect, test } from 'bun:test'
import { callOf, type KubeCall, type RequestLine } from './call.ts'
import { KubeClient } from './client.ts'
import { CONFIG_MAPS } from './resources.ts'
import { json, serveRaw } from './testing/raw-server.ts'

const V1 = { group: '', version: 'v1' }

test.each([
  ['GET', '/api/v1/pods', {}, { ...V1, resource: 'pods', verb: 'list' }],
  ['GET', '/api/v1/pods', { watch: 'true' }, { ...V1, resource: 'pods', verb: 'watch' }],
  ['GET', '/api/v1/nodes/n1', {}, { ...V1, resource: 'nodes', verb: 'get', name: 'n1' }],
  [
    'PATCH',
    '/api/v1/nodes/n1/status',
    {},
    { ...V1, resource: 'nodes', subresource: 'status', verb: 'patch', name: 'n1' },
  ],
  ['GET', '/api/v1/namespaces', {}, { ...V1, resource: 'namespaces', verb: 'list' }],
  ['GET', '/api/v1/namespaces/a', {}, { ...V1, resource: 'namespaces', verb: 'get', namespace: 'a', name: 'a' }],
  [
    'PUT',
    '/api/v1/namespaces/a/finalize',
    {},
    { ...V1, resource: 'namespaces', subresource: 'finalize', verb: 'update', namespace: 'a', name: 'a' },
  ],
  ['POST', '/api/v1/namespaces/a/events', {}, { ...V1, resource: 'events', verb: 'create', namespace: 'a' }],
  [
    'POST',
    '/api/v1/namespaces/a/pods/p/binding',
    {},
    { ...V1, resource: 'pods', subresource: 'binding', verb: 'create', namespace: 'a', name: 'p' },
  ],
  [
    'PUT',
    '/apis/coordination.k8s.io/v1/namespaces/a/leases/l',
    {},
    { group: 'coordination.k8s.io', version: 'v1', resource: 'leases', verb: 'update', namespace: 'a', name: 'l' },
  ],
  [
    'GET',
    '/api/v1/namespaces/a/configmaps',
    { watch: 'true', fieldSelector: 'metadata.name=c' },
    { ...V1, resource: 'configmaps', verb: 'watch', namespace: 'a', name: 'c' },
  ],
  ['GET', '/api/v1/pods', { fieldSelector: 'spec.nodeName=n1' }, { ...V1, resource: 'pods', verb: 'list' }],
  ['DELETE', '/api/v1/namespaces/a/pods', {}, { ...V1, resource: 'pods', verb: 'deletecollection', namespace: 'a' }],
  ['DELETE', '/api/v1/namespaces/a/pods/p', {}, { ...V1, resource: 'pods', verb: 'delete', namespace: 'a', name: 'p' }],
  ['GET', '/version', {}, undefined],
  ['GET', '/apis', {}, undefined],
  ['GET', '/apis/apps/v1', {}, undefined],
  ['GET', '/api/v1', {}, undefined],
] as const)('%s %s %j', (method, path, query, call) => {
  expect(callOf({ method, path, query } as RequestLine)).toEqual(call as unknown as KubeCall)
})

test('a client tells of what it sends, the look before a watch included', async () => {
  const list = { kind: 'ConfigMapList', apiVersion: 'v1', metadata: { resourceVersion: '7' }, items: [] }
  const server = serveRaw(({ query }, connection) => {
    connection.write(json(query.has('watch') ? 500 : 200, query.has('watch') ? {} : list))
    connection.end()
  })
  const calls: string[] = []
  const onCall = ({ verb, resource, namespace = '*' }: KubeCall) => calls.push(`${verb} ${namespace}/${resource}`)
  const client = new KubeClient({ server: server.url, credentials: () => ({}) }, { onCall })
  await client.list(CONFIG_MAPS)
  const watch = client.watch(CONFIG_MAPS, { namespace: 'a' }, '7', new AbortController().signal)
  await expect(watch.next()).rejects.toThrow('says no')
  expect(calls).toEqual(['list */configmaps', 'list a/configmaps', 'watch a/configmaps'])
  client.close()
  server.stop()
})
