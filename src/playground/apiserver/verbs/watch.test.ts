import { afterAll, beforeAll, expect, test } from 'bun:test'
import { CONFIG_MAPS, type Json, MERGE, startServer, type TestServer } from '../testing/harness.ts'

let api: TestServer
const WATCHED = '/api/v1/namespaces/kube-public/configmaps'

beforeAll(async () => {
  api = await startServer({ bookmarkInterval: 20, history: { count: 10, age: 3600_000 } })
})

afterAll(() => api.stop())

function shortOf({ type, object }: Json): string {
  return `${type} ${object.metadata.name}`
}

test('tells what is there, then what changes, of its namespace alone', async () => {
  await api.call('POST', WATCHED, { metadata: { name: 'first' } })
  const watch = await api.watch(`${WATCHED}?watch=true`)
  expect(shortOf(await watch.next())).toBe('ADDED first')
  await api.call('POST', CONFIG_MAPS, { metadata: { name: 'elsewhere' } })
  const made = await api.call('POST', WATCHED, { metadata: { name: 'second' } })
  expect(await watch.next()).toEqual({ type: 'ADDED', object: made.body })
  await api.call('PATCH', `${WATCHED}/second`, { data: { a: 'b' } }, MERGE)
  expect(shortOf(await watch.next())).toBe('MODIFIED second')
  await api.call('DELETE', `${WATCHED}/second`)
  const gone = await watch.next()
  expect([
    shortOf(gone),
    Number(gone.object.metadata.resourceVersion) > Number(made.body.metadata.resourceVersion),
  ]).toEqual(['DELETED second', true])
  watch.end()
})

test('goes on from a revision without a gap', async () => {
  const { body } = await api.call('GET', WATCHED)
  for (const name of ['a', 'b', 'c']) await api.call('POST', WATCHED, { metadata: { name } })
  const watch = await api.watch(`${WATCHED}?watch=true&resourceVersion=${body.metadata.resourceVersion}`)
  expect([await watch.next(), await watch.next(), await watch.next()].map(shortOf)).toEqual([
    'ADDED a',
    'ADDED b',
    'ADDED c',
  ])
  watch.end()
})

test('an object that comes to match is added, one that no longer does is deleted as it was', async () => {
  const watch = await api.watch(`${WATCHED}?watch=true&labelSelector=on=yes`)
  await api.call('POST', WATCHED, { metadata: { name: 'l' } })
  await api.call('PATCH', `${WATCHED}/l`, { metadata: { labels: { on: 'yes' } } }, MERGE)
  const changed = await api.call('PATCH', `${WATCHED}/l`, { metadata: { labels: null } }, MERGE)
  expect(shortOf(await watch.next())).toBe('ADDED l')
  const gone = await watch.next()
  expect([shortOf(gone), gone.object.metadata.labels]).toEqual(['DELETED l', { on: 'yes' }])
  expect(gone.object.metadata.resourceVersion).toBe(changed.body.metadata.resourceVersion)
  watch.end()
})

test('bookmarks tell how far a quiet watch has come, and the last thing of one that ends', async () => {
  const watch = await api.watch(`${WATCHED}?watch=true&allowWatchBookmarks=true&fieldSelector=metadata.name=none`)
  const first = await watch.next()
  expect([first.type, first.object.kind]).toEqual(['BOOKMARK', 'ConfigMap'])
  watch.end()
  const ending = await api.watch(
    `${WATCHED}?watch=true&allowWatchBookmarks=true&timeoutSeconds=1&fieldSelector=metadata.name=none`,
  )
  const events = await ending.rest()
  expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['BOOKMARK']))
})

test('initial events end with a bookmark that says so', async () => {
  const watch = await api.watch(
    `${WATCHED}?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&fieldSelector=metadata.name=first`,
  )
  expect(shortOf(await watch.next())).toBe('ADDED first')
  const end = await watch.next()
  expect([end.type, end.object.metadata.annotations]).toEqual(['BOOKMARK', { 'k8s.io/initial-events-end': 'true' }])
  watch.end()
})

test.each(['1', '9007199254740000'])('revision %s is of another history', async (revision) => {
  const watch = await api.watch(`${WATCHED}?watch=true&resourceVersion=${revision}`)
  const [event, ...more] = await watch.rest()
  expect([event.type, event.object.code, event.object.reason, more]).toEqual(['ERROR', 410, 'Expired', []])
  expect(event.object.message).toStartWith(`too old resource version: ${revision} (`)
})

test('a reader that sleeps costs nothing and is caught up or told', async () => {
  const watch = await api.watch(`${CONFIG_MAPS}?watch=true`)
  const data = { text: 'x'.repeat(100_000) }
  for (let index = 0; index < 40; index += 1) {
    await api.call('POST', CONFIG_MAPS, { metadata: { name: `big-${index}` }, data })
  }
  // Everybody else is served meanwhile.
  expect((await api.call('GET', CONFIG_MAPS)).body.items.length).toBeGreaterThanOrEqual(40)
  const seen: string[] = []
  while (!seen.includes('ADDED big-39')) seen.push(shortOf(await watch.next()))
  expect(seen.filter((event) => event.includes('big-'))).toHaveLength(40)
  watch.end()
})
