import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KubeClient } from './client.ts'
import { Discovery } from './discovery.ts'
import { KubeError } from './errors.ts'
import { EVENTS, LEASES, PODS } from './resources.ts'
import { json, serveRaw } from './testing/raw-server.ts'

/** A server with these documents; what it has none of is not found. */
function setUp(documents: Record<string, unknown>) {
  const asked: string[] = []
  const discovery = new Discovery(async (path) => {
    asked.push(path)
    if (documents[path] instanceof Error) throw documents[path]
    if (documents[path] === undefined) throw new KubeError('KUBE_NOT_FOUND', 'no', 'none', { status: 404 })
    return documents[path]
  })
  return { asked, discovery, documents }
}

const listOf = (...names: readonly string[]) => ({
  kind: 'APIResourceList',
  resources: names.map((name) => ({ name })),
})

describe('discovery', () => {
  test('tells what is served, and asks once for a group and version', async () => {
    const { asked, discovery } = setUp({ '/api/v1': listOf('pods', 'pods/eviction', 'events') })
    expect(await Promise.all([discovery.serves(PODS), discovery.serves(EVENTS)])).toEqual([true, true])
    expect(await discovery.serves({ ...PODS, plural: 'pods/eviction' })).toBe(true)
    expect(asked).toEqual(['/api/v1'])
  })

  test('asks again for what was not there, and for what somebody missed', async () => {
    const { asked, discovery, documents } = setUp({ '/apis/coordination.k8s.io/v1': listOf('others') })
    expect(await discovery.serves(LEASES)).toBe(false)
    documents['/apis/coordination.k8s.io/v1'] = listOf('others', 'leases')
    expect(await discovery.serves(LEASES)).toBe(true)
    delete documents['/apis/coordination.k8s.io/v1']
    expect(await discovery.serves(LEASES)).toBe(true)
    discovery.forget(LEASES)
    expect(await discovery.serves(LEASES)).toBe(false)
    expect(asked).toHaveLength(3)
  })

  test('keeps no failure for an answer', async () => {
    const { discovery, documents } = setUp({ '/api/v1': new KubeError('KUBE_UNAVAILABLE', 'down', 'wait') })
    await expect(discovery.serves(PODS)).rejects.toMatchObject({ code: 'KUBE_UNAVAILABLE' })
    documents['/api/v1'] = listOf('pods')
    expect(await discovery.serves(PODS)).toBe(true)
    await expect(discovery.version()).rejects.toMatchObject({ code: 'KUBE_NOT_FOUND' })
    documents['/version'] = { major: '1', minor: '32+', gitVersion: 'v1.32.13-x' }
    expect(await discovery.version()).toEqual({ major: 1, minor: 32, text: 'v1.32.13-x' })
  })

  test('understands or refuses whatever a server says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (anything) => {
        const { discovery } = setUp({ '/api/v1': anything ?? null, '/version': anything ?? null })
        for (const call of [discovery.serves(PODS), discovery.version()]) {
          const outcome = await call.then(
            () => 'fine',
            (error: unknown) => (error instanceof KubeError ? 'refused' : error),
          )
          expect(['fine', 'refused']).toContain(outcome as string)
        }
      }),
    )
  })
})

test('a collection that is not there is said to be none, and asked for anew', async () => {
  let has = true
  const server = serveRaw(({ path }, connection) => {
    const isList = path.endsWith('/leases')
    connection.write(isList ? json(404, {}) : json(200, has ? listOf('leases') : listOf()))
    connection.end()
  })
  const client = new KubeClient({ server: server.url, credentials: () => ({}) })
  expect(await client.serves(LEASES)).toBe(true)
  has = false
  await expect(client.list(LEASES)).rejects.toMatchObject({
    code: 'KUBE_NOT_FOUND',
    message: 'the API server has no leases of coordination.k8s.io/v1',
  })
  expect(await client.serves(LEASES)).toBe(false)
  client.close()
  server.stop()
})
