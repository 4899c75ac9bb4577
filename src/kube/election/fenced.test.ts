import { expect, test } from 'bun:test'
import { fenced } from '../../registry/fenced.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import type { KubeApi } from '../api.ts'
import { KubeClient } from '../client.ts'
import { KubeError } from '../errors.ts'
import { CONFIG_MAPS } from '../resources.ts'
import { fencedApi } from './fenced.ts'
import type { Term } from './term.ts'

function fence() {
  const ending = new AbortController()
  const term: Term = {
    number: 1,
    signal: ending.signal,
    assertHeld: () => {
      if (ending.signal.aborted) throw new KubeError('KUBE_LEASE_LOST', 'it is over', 'nothing')
    },
  }
  return { term, end: () => ending.abort() }
}

test('shared state is read always and written while it may be', async () => {
  const { term, end } = fence()
  const registry = new MemoryRegistry()
  const behind = fenced(registry, term)
  const namespace = { name: 'a', uid: 'u' }
  const stored = await behind.create('Namespace', 'a', namespace)
  end()
  expect((await behind.list('Namespace')).objects).toEqual([stored])
  const { revision } = stored
  const writes = [
    () => behind.create('Namespace', 'b', { ...namespace, name: 'b' }),
    () => behind.update('Namespace', 'a', namespace, revision),
    () => behind.delete('Namespace', 'a'),
  ]
  for (const write of writes) await expect(write()).rejects.toMatchObject({ code: 'REGISTRY_FENCED' })
  expect((await registry.list('Namespace')).objects).toEqual([stored])
})

test('nothing that the API offers is lost behind the fence', () => {
  const offered = Object.getOwnPropertyNames(KubeClient.prototype).filter((name) => !NOT_OF_API.has(name))
  const client = new KubeClient({ server: 'http://127.0.0.1:1', credentials: () => ({}) })
  expect(Object.keys(fencedApi(client, fence().term)).sort()).toEqual(offered.sort())
})

test('a write that is on its way when it ends is broken off', async () => {
  const { term, end } = fence()
  let broken = false
  const api = {
    create: (_: unknown, __: unknown, signal: AbortSignal) => {
      signal.addEventListener('abort', () => {
        broken = true
      })
      return new Promise(() => undefined)
    },
  } as unknown as KubeApi
  const writing = fencedApi(api, term).create(CONFIG_MAPS, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x' },
  })
  const slow = fenced({ delete: () => new Promise(() => undefined) } as never, term).delete('Pod', 'a/b')
  const outcomes = Promise.allSettled([writing, slow])
  end()
  const reasons = (await outcomes).map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined))
  expect(reasons).toMatchObject([{ code: 'KUBE_LEASE_LOST' }, { code: 'REGISTRY_FENCED' }])
  for (const { message } of reasons) expect(message).toContain('may be written')
  expect(broken).toBe(true)
  await expect(fencedApi(api, term).delete(CONFIG_MAPS, { name: 'x' })).rejects.toMatchObject({
    code: 'KUBE_LEASE_LOST',
  })
})

/** Of the client alone. */
const NOT_OF_API: ReadonlySet<string> = new Set(['constructor', 'close'])
