import { afterEach, describe, expect, test } from 'bun:test'
import { KubeClient } from './client.ts'
import { KubeError } from './errors.ts'
import { Gate } from './gate.ts'
import { reflectResource } from './reflector.ts'
import { NODES, PODS } from './resources.ts'
import { json, type RawRequest, serveRaw } from './testing/raw-server.ts'
import { THINGS, ThingServer } from './testing/thing-server.ts'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** A server that answers everything with an empty list of pods, when it is let to. */
function serve(wait: () => Promise<unknown> = () => Promise.resolve()) {
  const requests: RawRequest[] = []
  const server = serveRaw(async (request, connection) => {
    requests.push(request)
    await wait()
    const kind = request.path.endsWith('/nodes') ? 'NodeList' : 'PodList'
    connection.write(json(200, { kind, apiVersion: 'v1', metadata: { resourceVersion: '7' }, items: [] }))
    connection.end()
  })
  const client = new KubeClient({ server: server.url, credentials: () => ({}) })
  ends.push(() => {
    client.close()
    server.stop()
  })
  return { requests, client }
}

describe('a list', () => {
  test('is one of two at a time: after an outage everything is listed at once, but not from here', async () => {
    const held: (() => void)[] = []
    const { client, requests } = serve(() => new Promise<void>((resolve) => held.push(resolve)))
    const lists = Array.from({ length: 5 }, () => client.list(PODS))
    let most = 0
    for (let answered = 0; answered < 5; ) {
      const next = held.shift()
      if (next === undefined) {
        await Bun.sleep(1)
        continue
      }
      // The others had their chance to ask.
      await Bun.sleep(5)
      most = Math.max(most, requests.length - answered)
      answered += 1
      next()
    }
    await Promise.all(lists)
    expect(most).toBe(2)
  })

  test('comes in pages, a choice by a field in one piece', async () => {
    const { client, requests } = serve()
    await client.list(PODS)
    await client.list(PODS, { fieldSelector: 'spec.nodeName=n1' })
    expect(requests.map(({ query }) => query.get('limit'))).toEqual(['500', null])
  })
})

test.each([
  [PODS, {}, '/api/v1/namespaces/default/pods', 'metadata.name=none'],
  [PODS, { namespace: 'a', labelSelector: 'x=y' }, '/api/v1/namespaces/a/pods', 'metadata.name=none'],
  [PODS, { fieldSelector: 'spec.nodeName=n1' }, '/api/v1/namespaces/default/pods', 'metadata.name=none'],
  [NODES, { fieldSelector: 'metadata.name=n1' }, '/api/v1/nodes', 'metadata.name=n1'],
] as const)('before a watch the server is asked how far it is, about one name: %j %j', async (...args) => {
  const [resource, selection, path, fieldSelector] = args
  const { client, requests } = serve()
  const ending = new AbortController()
  const watch = client.watch(resource, selection, '8', ending.signal)
  await expect(watch.next()).rejects.toMatchObject({ code: 'KUBE_EXPIRED' })
  expect(requests).toHaveLength(1)
  expect(requests[0]?.path).toBe(path)
  expect(Object.fromEntries(requests[0]?.query ?? [])).toEqual({ fieldSelector, limit: '1' })
})

test('nothing is sent in a form that only some servers take: no server-side apply, no protobuf', async () => {
  const { client, requests } = serve()
  const at = { name: 'x', namespace: 'a' }
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: at }
  const calls = [
    client.get(PODS, at),
    client.list(PODS),
    client.create(PODS, object),
    client.replace(PODS, object, 'status'),
    client.patch(PODS, at, 'json', []),
    client.patch(PODS, at, 'merge', {}),
    client.patch(PODS, at, 'strategic', {}),
    client.post(PODS, at, 'binding', object),
    client.delete(PODS, at),
    client.watch(PODS, {}, '1', new AbortController().signal).next(),
  ]
  await Promise.allSettled(calls)
  const sent = new Set(requests.map(({ method, headers }) => `${method} ${headers.get('content-type')}`))
  expect([...sent].toSorted()).toEqual([
    'DELETE application/json',
    'GET undefined',
    'PATCH application/json-patch+json',
    'PATCH application/merge-patch+json',
    'PATCH application/strategic-merge-patch+json',
    'POST application/json',
    'PUT application/json',
  ])
  expect(new Set(requests.map(({ headers }) => headers.get('accept')))).toEqual(new Set(['application/json']))
  expect(requests.filter(({ query }) => query.has('fieldManager') || query.has('force'))).toEqual([])
})

test('who is refused for a while goes on with the watch, and lists nothing', async () => {
  const server = new ThingServer()
  server.put('a', 1)
  let token = 'good'
  const refusing = (code: 'KUBE_UNAUTHORIZED' | 'KUBE_FORBIDDEN') => new KubeError(code, 'no', 'ask somebody')
  const api = new KubeClient({ server: server.url, credentials: () => ({}) }, { silence: 20 })
  let refusals = 0
  const watch: KubeClient['watch'] = (...args) => {
    if (token === 'good') return api.watch(...args)
    refusals += 1
    throw refusing(refusals % 2 === 0 ? 'KUBE_FORBIDDEN' : 'KUBE_UNAUTHORIZED')
  }
  const behind = { list: api.list.bind(api), watch } as unknown as KubeClient
  const aborter = new AbortController()
  const { store, synced, done } = reflectResource(
    behind,
    THINGS,
    {},
    { signal: aborter.signal, backoff: { first: 1, most: 4 } },
  )
  await synced
  const listed = () => server.requests.filter(({ query }) => !query.has('watch') && query.get('limit') === '500').length
  token = 'void'
  while (refusals < 4) await Bun.sleep(1)
  server.put('b', 2)
  token = 'good'
  while (!store.has('b')) await Bun.sleep(1)
  expect(listed()).toBe(1)
  aborter.abort()
  await done
  server.stop()
})

test('a gate lets in who came first', async () => {
  const gate = new Gate(1)
  const order: number[] = []
  const enter = async (who: number): Promise<void> => {
    using _place = await gate.enter()
    order.push(who)
    await Promise.resolve()
  }
  await Promise.all([enter(1), enter(2), enter(3)])
  await enter(4)
  expect(order).toEqual([1, 2, 3, 4])
})
