import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { CONFIG_MAPS, eventually, type Json, MERGE, PODS, startServer, type TestServer } from '../testing/harness.ts'

let api: TestServer
const now = new Date()

beforeAll(async () => {
  api = await startServer({ now: () => now })
})

afterAll(() => api.stop())

async function make(path: string, name: string, rest: Json = {}): Promise<Json> {
  const { metadata, ...others } = rest
  return (await api.call('POST', path, { metadata: { name, ...metadata }, ...others })).body
}

function gone(path: string): Promise<unknown> {
  return eventually(
    () => api.call('GET', path),
    ({ status }) => status === 404,
  )
}

function ownedBy({ kind, apiVersion, metadata }: Json, more: Json = {}): Json {
  return { metadata: { ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, ...more }] } }
}

describe('namespaces', () => {
  test('those of the system are there, and stay', async () => {
    const { body } = await api.call('GET', '/api/v1/namespaces')
    expect(body.items.map(({ metadata }: Json) => metadata.name)).toEqual([
      'default',
      'kube-node-lease',
      'kube-public',
      'kube-system',
    ])
    const refused = await api.call('DELETE', '/api/v1/namespaces/kube-system')
    expect([refused.status, refused.body.message]).toEqual([
      403,
      'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    ])
  })

  test('one that is deleted takes nothing new, empties itself and goes', async () => {
    const made = await make('/api/v1/namespaces', 'tt')
    expect([made.status.phase, made.spec.finalizers, made.metadata.labels]).toEqual([
      'Active',
      ['kubernetes'],
      { 'kubernetes.io/metadata.name': 'tt' },
    ])
    const inside = '/api/v1/namespaces/tt/configmaps'
    await make(inside, 'held', { metadata: { finalizers: ['x.y/z'] } })
    for (let index = 0; index < 20; index += 1) await make(inside, `free-${index}`)
    const deleted = await api.call('DELETE', '/api/v1/namespaces/tt')
    expect([deleted.body.status.phase, deleted.body.metadata.deletionTimestamp]).toEqual([
      'Terminating',
      expect.any(String),
    ])
    const refused = await api.call('POST', inside, { metadata: { name: 'b' } })
    expect([refused.status, refused.body.message, refused.body.details.causes[0].reason]).toEqual([
      403,
      'configmaps "b" is forbidden: unable to create new content in namespace tt because it is being terminated',
      'NamespaceTerminating',
    ])
    await eventually(
      () => api.call('GET', inside),
      ({ body }) => body.items.length === 1,
    )
    expect((await api.call('GET', '/api/v1/namespaces/tt')).status).toBe(200)
    await api.call('PATCH', `${inside}/held`, { metadata: { finalizers: null } }, MERGE)
    await gone('/api/v1/namespaces/tt')
  })

  test('has a service account', async () => {
    await make('/api/v1/namespaces', 'sa')
    await eventually(
      () => api.call('GET', '/api/v1/namespaces/sa/serviceaccounts/default'),
      ({ status }) => status === 200,
    )
  })
})

describe('pods', () => {
  const CONTAINERS = { spec: { containers: [{ name: 'c', image: 'i' }] } }

  test('one on a node is given time, less when asked twice, never more', async () => {
    await make(PODS, 'bound', CONTAINERS)
    const binding = { metadata: { name: 'bound' }, target: { kind: 'Node', name: 'n1' } }
    expect((await api.call('POST', `${PODS}/bound/binding`, binding)).status).toBe(201)
    const again = await api.call('POST', `${PODS}/bound/binding`, binding)
    expect([again.status, again.body.message]).toEqual([
      409,
      'Operation cannot be fulfilled on pods/binding "bound": pod bound is already assigned to node "n1"',
    ])
    const found = await api.call('GET', `/api/v1/pods?fieldSelector=spec.nodeName=n1`)
    expect(found.body.items).toHaveLength(1)
    const deleted = await api.call('DELETE', `${PODS}/bound`)
    expect(deleted.body.metadata.deletionGracePeriodSeconds).toBe(30)
    expect(Date.parse(deleted.body.metadata.deletionTimestamp) - now.getTime()).toBeGreaterThan(28_000)
    const quicker = await api.call('DELETE', `${PODS}/bound?gracePeriodSeconds=5`)
    expect(quicker.body.metadata.deletionGracePeriodSeconds).toBe(5)
    const slower = await api.call('DELETE', `${PODS}/bound`, { gracePeriodSeconds: 20 })
    expect(slower.body.metadata.deletionGracePeriodSeconds).toBe(5)
    await api.call('DELETE', `${PODS}/bound`, { gracePeriodSeconds: 0 })
    expect((await api.call('GET', `${PODS}/bound`)).status).toBe(404)
  })

  test('one that is nowhere goes at once', async () => {
    const made = await make(PODS, 'nowhere', CONTAINERS)
    expect(made.status.phase).toBe('Pending')
    const deleted = await api.call('DELETE', `${PODS}/nowhere`)
    expect([deleted.body.kind, deleted.body.metadata.deletionGracePeriodSeconds]).toEqual(['Pod', 0])
    expect((await api.call('GET', `${PODS}/nowhere`)).status).toBe(404)
  })

  test('an eviction deletes', async () => {
    await make(PODS, 'evicted', CONTAINERS)
    expect((await api.call('POST', `${PODS}/evicted/eviction`, { metadata: { name: 'evicted' } })).status).toBe(201)
    expect((await api.call('GET', `${PODS}/evicted`)).status).toBe(404)
  })
})

describe('owners', () => {
  test('in the background: dependents follow, and theirs', async () => {
    const owner = await make(CONFIG_MAPS, 'owner')
    const child = await make(CONFIG_MAPS, 'child', ownedBy(owner))
    await make(CONFIG_MAPS, 'grandchild', ownedBy(child))
    await api.call('DELETE', `${CONFIG_MAPS}/owner`)
    await gone(`${CONFIG_MAPS}/child`)
    await gone(`${CONFIG_MAPS}/grandchild`)
  })

  test('in the foreground: the owner goes last', async () => {
    const owner = await make(CONFIG_MAPS, 'owner')
    await make(CONFIG_MAPS, 'child', {
      metadata: { ...ownedBy(owner, { blockOwnerDeletion: true }).metadata, finalizers: ['x.y/z'] },
    })
    const deleted = await api.call('DELETE', `${CONFIG_MAPS}/owner`, { propagationPolicy: 'Foreground' })
    expect(deleted.body.metadata.finalizers).toEqual(['foregroundDeletion'])
    await eventually(
      () => api.call('GET', `${CONFIG_MAPS}/child`),
      ({ body }) => body.metadata.deletionTimestamp !== undefined,
    )
    expect((await api.call('GET', `${CONFIG_MAPS}/owner`)).status).toBe(200)
    await api.call('PATCH', `${CONFIG_MAPS}/child`, { metadata: { finalizers: null } }, MERGE)
    await gone(`${CONFIG_MAPS}/owner`)
    expect((await api.call('GET', `${CONFIG_MAPS}/child`)).status).toBe(404)
  })

  test('orphans stay', async () => {
    const owner = await make(CONFIG_MAPS, 'owner')
    await make(CONFIG_MAPS, 'orphan', ownedBy(owner))
    await api.call('DELETE', `${CONFIG_MAPS}/owner?propagationPolicy=Orphan`)
    await gone(`${CONFIG_MAPS}/owner`)
    expect((await api.call('GET', `${CONFIG_MAPS}/orphan`)).body.metadata.ownerReferences).toBeUndefined()
  })

  test('an owner that was never there, and one of a kind that nobody serves', async () => {
    const nobody = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'none', uid: 'none' } }
    await make(CONFIG_MAPS, 'lost', ownedBy(nobody))
    await gone(`${CONFIG_MAPS}/lost`)
    await make(CONFIG_MAPS, 'kept', ownedBy({ ...nobody, kind: 'Unknown' }))
    await make(CONFIG_MAPS, 'lost', ownedBy(nobody))
    await gone(`${CONFIG_MAPS}/lost`)
    expect((await api.call('GET', `${CONFIG_MAPS}/kept`)).status).toBe(200)
  })
})

test('a definition takes its objects with it', async () => {
  const spec = {
    group: 'x.dev',
    scope: 'Namespaced',
    names: { plural: 'things', kind: 'Thing' },
    versions: [{ name: 'v1', storage: true }],
  }
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  const made = await make(definitions, 'things.x.dev', { spec })
  expect(made.status.conditions.map(({ type, status }: Json) => `${type}=${status}`)).toEqual([
    'NamesAccepted=True',
    'Established=True',
  ])
  const things = '/apis/x.dev/v1/namespaces/default/things'
  await make(things, 'held', { metadata: { finalizers: ['x.y/z'] } })
  await make(things, 'free')
  await api.call('DELETE', `${definitions}/things.x.dev`)
  await gone(`${things}/free`)
  expect((await api.call('GET', `${definitions}/things.x.dev`)).status).toBe(200)
  await api.call('PATCH', `${things}/held`, { metadata: { finalizers: null } }, MERGE)
  await gone(`${definitions}/things.x.dev`)
  expect((await api.call('GET', things)).status).toBe(404)
})
