import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Answer, CONFIG_MAPS, type Json, MERGE, startServer, type TestServer } from '../testing/harness.ts'

let api: TestServer
const NAMES = Array.from({ length: 50 }, (_, index) => `c-${String(index).padStart(2, '0')}`)
const PAGED = '/api/v1/namespaces/kube-public/configmaps'

beforeAll(async () => {
  api = await startServer()
  const labels = (index: number): Json => ({
    half: index % 2 === 0 ? 'even' : 'odd',
    number: String(index),
    ...(index < 3 ? { low: 'yes' } : {}),
  })
  for (const [index, name] of NAMES.entries()) {
    await api.call('POST', PAGED, { metadata: { name, labels: labels(index) } })
  }
})

afterAll(() => api.stop())

function namesOf({ body }: Answer): readonly string[] {
  return body.items.map(({ metadata }: Json) => metadata.name)
}

test('pages are of one moment while others write', async () => {
  const first = await api.call('GET', `${PAGED}?limit=20`)
  expect(namesOf(first)).toEqual(NAMES.slice(0, 20))
  expect(first.body.metadata.remainingItemCount).toBe(30)
  await api.call('POST', PAGED, { metadata: { name: 'c-25a' } })
  await api.call('DELETE', `${PAGED}/c-30`)
  await api.call('PATCH', `${PAGED}/c-31`, { data: { new: 'yes' } }, MERGE)
  const second = await api.call('GET', `${PAGED}?limit=100&continue=${first.body.metadata.continue}`)
  expect(namesOf(second)).toEqual(NAMES.slice(20))
  expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion)
  expect(second.body.metadata.continue).toBeUndefined()
  expect(second.body.items[11].data).toBeUndefined()
  const then = await api.call(
    'GET',
    `${PAGED}?resourceVersionMatch=Exact&resourceVersion=${first.body.metadata.resourceVersion}`,
  )
  expect(namesOf(then)).toEqual(NAMES)
  await api.call('DELETE', `${PAGED}/c-25a`)
  await api.call('POST', PAGED, { metadata: { name: 'c-30', labels: { half: 'even', number: '30' } } })
})

const SELECTORS: readonly (readonly [string, number])[] = [
  ['half=even', 25],
  ['half==even,number!=0', 24],
  ['half in (even, odd)', 50],
  ['half notin (even)', 25],
  ['low', 3],
  ['!low', 47],
  ['number>10,number<20', 9],
  ['low=yes,half=odd', 1],
  ['none=', 0],
]

test.each(SELECTORS)('labels %s', async (selector, count) => {
  const answer = await api.call('GET', `${PAGED}?labelSelector=${encodeURIComponent(selector)}`)
  expect(answer.body.items).toHaveLength(count)
})

test('fields', async () => {
  expect(namesOf(await api.call('GET', `${PAGED}?fieldSelector=metadata.name=c-07`))).toEqual(['c-07'])
  expect(namesOf(await api.call('GET', '/api/v1/configmaps?fieldSelector=metadata.namespace!=kube-public'))).toEqual([])
  expect((await api.call('GET', '/api/v1/pods?fieldSelector=spec.foo=v')).body.message).toBe(
    'field label not supported: spec.foo',
  )
  const event = {
    metadata: { name: 'e' },
    involvedObject: { kind: 'Pod', name: 'p' },
    reason: 'Started',
    type: 'Normal',
  }
  await api.call('POST', '/api/v1/namespaces/default/events', event)
  const path = '/api/v1/namespaces/default/events?fieldSelector='
  expect(namesOf(await api.call('GET', `${path}involvedObject.kind=Pod,involvedObject.name=p,reason=Started`))).toEqual(
    ['e'],
  )
  expect(namesOf(await api.call('GET', `${path}involvedObject.name=q`))).toEqual([])
})

test('limit and selector together', async () => {
  const first = await api.call('GET', `${PAGED}?limit=2&labelSelector=low`)
  expect(namesOf(first)).toEqual(['c-00', 'c-01'])
  const second = await api.call('GET', `${PAGED}?limit=2&labelSelector=low&continue=${first.body.metadata.continue}`)
  expect([namesOf(second), second.body.metadata.continue]).toEqual([['c-02'], undefined])
})

test('a collection is deleted by selector', async () => {
  for (const name of ['x', 'y']) await api.call('POST', CONFIG_MAPS, { metadata: { name, labels: { name } } })
  const deleted = await api.call('DELETE', `${CONFIG_MAPS}?labelSelector=name=x`)
  expect(namesOf(deleted)).toEqual(['x'])
  expect(namesOf(await api.call('GET', CONFIG_MAPS))).toEqual(['y'])
})

test('objects come whole, as tables, or as metadata alone', async () => {
  const accept = (as: string) => ({ accept: `application/json;as=${as};v=v1;g=meta.k8s.io,application/json` })
  expect((await api.call('GET', PAGED, undefined, accept('Table'))).body.kind).toBe('Table')
  expect((await api.call('GET', `${PAGED}/c-01`, undefined, accept('Table'))).body.rows).toHaveLength(1)
  const partial = await api.call('GET', PAGED, undefined, accept('PartialObjectMetadataList'))
  expect([partial.body.kind, Object.keys(partial.body.items[0])]).toEqual([
    'PartialObjectMetadataList',
    ['kind', 'apiVersion', 'metadata'],
  ])
})
