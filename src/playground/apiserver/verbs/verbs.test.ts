import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { CONFIG_MAPS, MERGE, startServer, type TestServer } from '../testing/harness.ts'

let api: TestServer

beforeAll(async () => {
  api = await startServer()
  await api.call('POST', CONFIG_MAPS, { metadata: { name: 'there' }, data: { k: 'v' } })
})

afterAll(() => api.stop())

describe('an object', () => {
  test('gets its metadata from the server, which nobody changes', async () => {
    const made = await api.call('POST', CONFIG_MAPS, {
      metadata: { generateName: 'g-', uid: 'mine', managedFields: [{}] },
    })
    const { metadata } = made.body
    expect(metadata.name).toMatch(/^g-[a-z0-9]{5}$/)
    expect([metadata.namespace, metadata.generateName]).toEqual(['default', 'g-'])
    expect(metadata.uid).not.toBe('mine')
    expect(metadata.managedFields).toBeUndefined()
    const path = `${CONFIG_MAPS}/${metadata.name}`
    const patched = await api.call(
      'PATCH',
      path,
      { metadata: { creationTimestamp: '2000-01-01T00:00:00Z', uid: null } },
      MERGE,
    )
    expect(patched.body.metadata).toEqual(metadata)
  })

  test('written as it is keeps its revision', async () => {
    const before = await api.call('GET', `${CONFIG_MAPS}/there`)
    const after = await api.call('PUT', `${CONFIG_MAPS}/there`, { metadata: { name: 'there' }, data: { k: 'v' } })
    expect([after.status, after.body.metadata.resourceVersion]).toEqual([200, before.body.metadata.resourceVersion])
  })

  test('tried is not written', async () => {
    const tried = await api.call('POST', `${CONFIG_MAPS}?dryRun=All`, { metadata: { name: 'tried' } })
    expect([tried.status, tried.body.metadata.name]).toEqual([201, 'tried'])
    expect((await api.call('GET', `${CONFIG_MAPS}/tried`)).status).toBe(404)
    await api.call('DELETE', `${CONFIG_MAPS}/there?dryRun=All`)
    expect((await api.call('GET', `${CONFIG_MAPS}/there`)).status).toBe(200)
  })

  test('waits for its finalizers, takes no new ones, and goes with the last', async () => {
    const path = `${CONFIG_MAPS}/final`
    await api.call('POST', CONFIG_MAPS, { metadata: { name: 'final', finalizers: ['x.y/z'] } })
    const deleted = await api.call('DELETE', path)
    expect(deleted.body.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, finalizers: ['x.y/z'] })
    const again = await api.call('DELETE', path)
    expect(again.body.metadata.resourceVersion).toBe(deleted.body.metadata.resourceVersion)
    const more = await api.call('PATCH', path, { metadata: { finalizers: ['x.y/z', 'b.c/d'] } }, MERGE)
    expect([more.status, more.body.message]).toEqual([
      422,
      'ConfigMap "final" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"b.c/d"}',
    ])
    expect((await api.call('PATCH', path, { metadata: { finalizers: null } }, MERGE)).status).toBe(200)
    expect((await api.call('GET', path)).status).toBe(404)
  })

  test('is deleted with a word of success', async () => {
    const made = await api.call('POST', CONFIG_MAPS, { metadata: { name: 'short' } })
    const deleted = await api.call('DELETE', `${CONFIG_MAPS}/short`)
    const details = { name: 'short', kind: 'configmaps', uid: made.body.metadata.uid }
    expect(deleted.body).toEqual({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })
  })
})

describe('parts', () => {
  const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'

  test('status and the rest are written apart, and only the rest counts generations', async () => {
    const made = await api.call('POST', DEPLOYMENTS, {
      metadata: { name: 'd' },
      spec: { replicas: 1 },
      status: { replicas: 9 },
    })
    expect([made.body.metadata.generation, made.body.status]).toEqual([1, undefined])
    const status = await api.call(
      'PATCH',
      `${DEPLOYMENTS}/d/status`,
      { spec: { replicas: 7 }, status: { replicas: 1 } },
      MERGE,
    )
    expect([status.body.spec.replicas, status.body.status.replicas, status.body.metadata.generation]).toEqual([1, 1, 1])
    const spec = await api.call('PATCH', `${DEPLOYMENTS}/d`, { spec: { replicas: 2 }, status: { replicas: 7 } }, MERGE)
    expect([spec.body.spec.replicas, spec.body.status.replicas, spec.body.metadata.generation]).toEqual([2, 1, 2])
  })

  test('annotations of a pod go with its status, those of others do not', async () => {
    const pods = '/api/v1/namespaces/default/pods'
    const spec = { containers: [{ name: 'c', image: 'i' }] }
    await api.call('POST', pods, { metadata: { name: 'annotated', annotations: { a: '1' } }, spec })
    await api.call('POST', DEPLOYMENTS, { metadata: { name: 'annotated', annotations: { a: '1' } }, spec: {} })
    const annotate = (path: string) =>
      api.call('PATCH', `${path}/annotated/status`, { metadata: { annotations: { b: '2' } } }, MERGE)
    expect((await annotate(pods)).body.metadata.annotations).toEqual({ a: '1', b: '2' })
    expect((await annotate(DEPLOYMENTS)).body.metadata.annotations).toEqual({ a: '1' })
  })

  test('scale is an object of its own', async () => {
    await api.call('POST', DEPLOYMENTS, {
      metadata: { name: 's' },
      spec: { replicas: 1, selector: { matchLabels: { a: 'b' } } },
    })
    const scale = await api.call('PATCH', `${DEPLOYMENTS}/s/scale`, { spec: { replicas: 3 } }, MERGE)
    expect(scale.body).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      spec: { replicas: 3 },
      status: { selector: 'a=b' },
    })
    expect((await api.call('GET', `${DEPLOYMENTS}/s`)).body.spec.replicas).toBe(3)
    expect((await api.call('PATCH', `${DEPLOYMENTS}/s/scale`, { spec: { replicas: -1 } }, MERGE)).status).toBe(422)
    const old = { metadata: { name: 's', resourceVersion: '1' }, spec: { replicas: 1 } }
    expect((await api.call('PUT', `${DEPLOYMENTS}/s/scale`, old)).status).toBe(409)
  })
})

test('who am I, and may I', async () => {
  const may = await api.call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { spec: {} })
  expect([may.status, may.body.status.allowed]).toEqual([201, true])
  const who = await api.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {})
  expect(who.body.status.userInfo.username).toBe('admin')
})
