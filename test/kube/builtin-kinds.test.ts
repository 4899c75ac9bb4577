/**
 * The embedded API server's built-in kinds held against a real kube-apiserver: the same defaults, the same refusals in
 * the same words.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { type KubeObject, pathOf } from '../../src/kube/object.ts'
import { CHANGES } from '../../src/playground/apiserver/builtin/prepare/testing/changes.ts'
import {
  plainWords,
  prepared,
  REFUSED,
  resourceOf,
} from '../../src/playground/apiserver/builtin/prepare/testing/prepare.ts'
import { STORED } from '../../src/playground/apiserver/builtin/prepare/testing/stored.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'

interface Answer {
  readonly status: number
  readonly body: KubeObject & { readonly message?: string }
}

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const starting = ControlPlane.start(ASSETS)
  afterAll(async () => (await starting).stop(), 30_000)

  test('it is there', async () => console.log(`kube-apiserver ${await (await starting).version()}`), 120_000)

  describe('a kube-apiserver refuses in the same words', () => {
    for (const [index, [object, words]] of REFUSED.entries()) {
      test(`${object.kind} ${index}: ${words.slice(0, 80)}`, async () => {
        const { status, body } = await send(await starting, 'POST', object)
        expect(status).toBeGreaterThanOrEqual(400)
        expect(words).toBe(plainWords(body.message ?? ''))
      })
    }
  })

  describe('a kube-apiserver completes in the same way', () => {
    for (const [index, object] of STORED.entries()) {
      test(`${object.kind} ${index}`, async () => {
        const { status, body } = await send(await starting, 'POST', object)
        expect([status, body.message]).toEqual([201, undefined])
        expect(comparable(prepared(object))).toEqual(comparable(body))
      })
    }
  })

  describe('a kube-apiserver judges changes in the same way', () => {
    for (const [index, [before, patch, words]] of CHANGES.entries()) {
      test(`${before.kind} ${index}: ${JSON.stringify(patch).slice(0, 60)}`, async () => {
        const plane = await starting
        const object = { ...before, metadata: { name: `changed${index}` } }
        expect((await send(plane, 'POST', object, '')).status).toBe(201)
        const { status, body } = await send(plane, 'PATCH', object, 'dryRun=All', patch)
        const said = status < 300 ? undefined : plainWords(body.message ?? '').replace(/\n[\s\S]*$/, '')
        expect(words).toBe(said)
      })
    }
  })
}

async function send(
  plane: ControlPlane,
  method: 'POST' | 'PATCH',
  object: KubeObject,
  query = 'dryRun=All',
  sent: unknown = object,
): Promise<Answer> {
  const resource = resourceOf(object.kind)
  const namespace = resource.namespaced
    ? ((object.metadata['namespace'] as string | undefined) ?? 'default')
    : undefined
  const path = pathOf(resource, namespace, method === 'PATCH' ? object.metadata.name : undefined)
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  const headers = { authorization: `Bearer ${plane.token}`, 'content-type': type }
  const { ca = '' } = plane.config()
  const body = JSON.stringify(sent)
  const answer = await fetch(`${plane.server}${path}?${query}`, { method, headers, tls: { ca }, body })
  return { status: answer.status, body: (await answer.json()) as Answer['body'] }
}

/** What others than the kind's own rules add is left out: admission, addresses, the state at the start. */
function comparable({ metadata: _metadata, status: _status, ...rest }: KubeObject): unknown {
  const text = JSON.stringify(rest, (key, value) => (ADDED.has(key) || value === null ? undefined : value))
  return JSON.parse(text)
}

const ADDED = new Set([
  ...['tolerations', 'taints', 'priority', 'preemptionPolicy', 'creationTimestamp'],
  ...['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'nodePort', 'uid'],
])
