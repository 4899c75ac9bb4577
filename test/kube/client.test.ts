/**
 * The client against a real kube-apiserver: who we are to it, what it says no to, and how it comes back.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NODE_NETWORKS } from '../../src/compat/weft/node-network.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import { EventRecorder } from '../../src/kube/events.ts'
import { loadKubeconfig } from '../../src/kube/kubeconfig.ts'
import type { KubeObject, Resource } from '../../src/kube/object.ts'
import { reflectResource } from '../../src/kube/reflector.ts'
import { CONFIG_MAPS, EVENTS, LEASES, NODES } from '../../src/kube/resources.ts'
import { makeCertificates } from './certificates.ts'
import { installCrds } from './cluster-objects.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually } from './process.ts'

const HERE = { namespace: 'default' }

function map(name: string, data: Readonly<Record<string, string>> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...HERE }, data }
}

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const starting = ControlPlane.start(ASSETS)
  afterAll(async () => (await starting).stop())
  describe('KubeClient on a real kube-apiserver', () => suite(starting))
}

function suite(starting: Promise<ControlPlane>): void {
  const clientOf = async (): Promise<KubeClient> => new KubeClient((await starting).config())

  describe.each(accounts())('%s', (_, clusterOf, userOf, outcome) => {
    test(`is ${outcome}`, async () => {
      const plane = await starting
      const path = join(plane.folder, 'kubeconfig')
      const cluster = { server: plane.server, ...(await clusterOf(plane)) }
      const config = {
        'current-context': 'x',
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster }],
        users: [{ name: 'u', user: await userOf(plane) }],
      }
      writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
      const client = new KubeClient(loadKubeconfig(path, {}))
      expect(await codeOf(client.list(CONFIG_MAPS))).toBe(outcome)
      client.close()
    }, 60_000)
  })

  test('says no in words that are understood', async () => {
    const client = await clientOf()
    const made = await client.create(CONFIG_MAPS, map('no', { a: '1' }))
    expect(made.metadata['managedFields']).toBeUndefined()
    const other: Resource = { ...CONFIG_MAPS, plural: 'nothings', kind: 'Nothing' }
    const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['KUBE_EXISTS', () => client.create(CONFIG_MAPS, map('no'))],
      ['KUBE_INVALID', () => client.create(CONFIG_MAPS, map('No Name'))],
      ['KUBE_INVALID', () => client.create(CONFIG_MAPS, { ...map('x'), data: 7 })],
      ['KUBE_INVALID', () => client.get(CONFIG_MAPS, { name: '..', namespace: 'default' })],
      ['KUBE_NOT_FOUND', () => client.list(other)],
      ['KUBE_NOT_FOUND', () => client.delete(CONFIG_MAPS, { name: 'nobody', ...HERE })],
      [
        'KUBE_NOT_FOUND',
        () => client.create(CONFIG_MAPS, { ...map('x'), metadata: { name: 'x', namespace: 'nowhere' } }),
      ],
      ['ok', () => client.replace(CONFIG_MAPS, { ...made, data: { a: '2' } })],
      ['KUBE_CONFLICT', () => client.replace(CONFIG_MAPS, { ...made, data: { a: '3' } })],
      [
        'ok',
        () =>
          client.patch(CONFIG_MAPS, made.metadata as never, 'json', [{ op: 'replace', path: '/data/a', value: '4' }]),
      ],
      ['ok', () => client.patch(CONFIG_MAPS, made.metadata as never, 'strategic', { data: { b: '5' } })],
      ['KUBE_CONFLICT', () => client.delete(CONFIG_MAPS, { name: 'no', ...HERE }, { uid: 'another' })],
      ['KUBE_CONFLICT', () => client.delete(CONFIG_MAPS, { name: 'no', ...HERE }, { resourceVersion: '1' })],
    ]
    for (const [code, call] of calls)
      expect([String(call), await codeOf(call())]).toEqual([String(call), code as never])
    expect((await client.get(CONFIG_MAPS, { name: 'no', ...HERE }))?.['data']).toEqual({ a: '4', b: '5' })
    await client.delete(CONFIG_MAPS, { name: 'no', ...HERE })
    expect(await client.get(CONFIG_MAPS, { name: 'no', ...HERE })).toBeUndefined()
  }, 60_000)

  test('a list in pages is the whole list', async () => {
    const plane = await starting
    const client = new KubeClient(plane.config(), { pageSize: 3 })
    for (let i = 0; i < 10; i += 1) await client.create(CONFIG_MAPS, map(`page-${i}`))
    const { items } = await client.list(CONFIG_MAPS, HERE)
    const names = items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('page-'))
    expect(names).toEqual(Array.from({ length: 10 }, (_, i) => `page-${i}`))
    const one = await client.list(CONFIG_MAPS, { ...HERE, fieldSelector: 'metadata.name=page-4' })
    expect(one.items.map(({ metadata }) => metadata.name)).toEqual(['page-4'])
    client.close()
  }, 60_000)

  test('a server that is killed, and one that forgets, is caught up with', async () => {
    const plane = await starting
    const client = await clientOf()
    const aborter = new AbortController()
    const errors: unknown[] = []
    const selection = { namespace: 'default' }
    const { store, synced, done } = reflectResource(client, CONFIG_MAPS, selection, {
      signal: aborter.signal,
      backoff: { first: 50, most: 500 },
      onError: (error) => errors.push(error),
    })
    await synced
    const isEqual = async (): Promise<void> => {
      const { items } = await client.list(CONFIG_MAPS, selection)
      const wanted = items.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).toSorted()
      const present = [...store.values()].map(
        ({ value: { metadata } }) => `${metadata.name}@${metadata.resourceVersion}`,
      )
      expect(present.toSorted()).toEqual(wanted)
    }
    await client.create(CONFIG_MAPS, map('before'))
    await eventually(isEqual, 30_000)
    await plane.stopApiserver()
    await plane.startApiserver()
    await client.create(CONFIG_MAPS, map('after-kill'))
    await eventually(isEqual, 30_000)
    await client.delete(CONFIG_MAPS, { name: 'before', ...HERE })
    await plane.forgetPast()
    await client.create(CONFIG_MAPS, map('after-loss'))
    await eventually(isEqual, 30_000)
    expect(errors.every((error) => error instanceof KubeError)).toBe(true)
    aborter.abort()
    await done
    client.close()
  }, 120_000)

  test('a list that is new enough comes from memory, and nobody waits for the future', async () => {
    const client = new KubeClient((await starting).config(), { deadline: 20_000 })
    const made = await client.create(CONFIG_MAPS, map('new-enough'))
    const { resourceVersion = '' } = made.metadata
    const { items } = await client.list(CONFIG_MAPS, HERE, undefined, resourceVersion)
    expect(items.some(({ metadata }) => metadata.name === 'new-enough')).toBe(true)
    expect(await codeOf(client.list(CONFIG_MAPS, HERE, undefined, '99999999'))).toBe('KUBE_UNAVAILABLE')
    client.close()
  }, 60_000)

  test('a list of one name that nobody has tells how far the server is, of any kind', async () => {
    const client = await clientOf()
    await installCrds(client)
    const selection = { fieldSelector: 'metadata.name=none' }
    for (const resource of [CONFIG_MAPS, NODES, LEASES, NODE_NETWORKS]) {
      const made = await client.create(CONFIG_MAPS, map(`far-${resource.plural}`))
      const { resourceVersion, items } = await client.list(resource, {
        ...(resource.namespaced ? HERE : {}),
        ...selection,
      })
      expect(items).toEqual([])
      expect(BigInt(resourceVersion)).toBeGreaterThanOrEqual(BigInt(made.metadata.resourceVersion ?? 'none'))
    }
    // A server that was put back to an earlier state is known by it.
    const watch = client.watch(NODES, {}, '99999999', new AbortController().signal)
    expect(await codeOf(watch[Symbol.asyncIterator]().next())).toBe('KUBE_EXPIRED')
    client.close()
  }, 60_000)

  test('events are there for who looks at the object', async () => {
    const client = await clientOf()
    const about = await client.create(CONFIG_MAPS, map('told-of'))
    const errors: unknown[] = []
    const recorder = new EventRecorder(client, { component: 'weft-test', onError: (error) => errors.push(error) })
    for (let i = 0; i < 3; i += 1) recorder.record(about, { type: 'Warning', reason: 'Tried', message: 'it was tried' })
    await recorder.settled()
    expect(errors).toEqual([])
    const { items } = await client.list(EVENTS, { ...HERE, fieldSelector: `involvedObject.uid=${about.metadata.uid}` })
    expect(items).toMatchObject([{ reason: 'Tried', count: 3, type: 'Warning', source: { component: 'weft-test' } }])
    client.close()
  }, 60_000)
}

type Part = (plane: ControlPlane) => object | Promise<object>

function accounts(): readonly (readonly [string, Part, Part, string])[] {
  const ca: Part = ({ certificates }) => ({ 'certificate-authority': certificates.ca })
  const token: Part = (plane) => ({ token: plane.token })
  const anotherCa: Part = async ({ folder }) => {
    const other = join(folder, 'other')
    await Bun.write(join(other, '.keep'), '')
    const { ca } = await makeCertificates(other)
    return { 'certificate-authority-data': readFileSync(ca).toString('base64') }
  }
  const named =
    (name: string): Part =>
    async (plane) => ({ ...(await ca(plane)), 'tls-server-name': name })
  const tokenFile: Part = (plane) => {
    writeFileSync(join(plane.folder, 'token'), `${plane.token}\n`)
    return { tokenFile: 'token' }
  }
  const certificate: Part = ({ certificates: { clientCert, clientKey } }) => ({
    'client-certificate': clientCert,
    'client-key-data': readFileSync(clientKey).toString('base64'),
  })
  return [
    ['a token', ca, token, 'ok'],
    ['a token in a file', ca, tokenFile, 'ok'],
    ['a client certificate', ca, certificate, 'ok'],
    ['a token that is none', ca, () => ({ token: 'nonsense' }), 'KUBE_UNAUTHORIZED'],
    ['nobody', ca, () => ({}), 'KUBE_FORBIDDEN'],
    ['another authority', anotherCa, token, 'KUBE_UNAVAILABLE'],
    ['an authority of the system', () => ({}), token, 'KUBE_UNAVAILABLE'],
    ['no look at the certificate', () => ({ 'insecure-skip-tls-verify': true }), token, 'ok'],
    ['the name in the certificate', named('kubernetes'), token, 'ok'],
    ['another name than in the certificate', named('example.test'), token, 'KUBE_UNAVAILABLE'],
  ]
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    if (error instanceof KubeError) return error.code
    throw error
  }
}
