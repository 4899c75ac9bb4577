/**
 * What is not understood of policies is said where their authors look, on API servers that check what they are given: the
 * playground's, and a real one.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { weftBindings } from '../../src/compat/bindings.ts'
import { ControllerDaemon } from '../../src/controller/daemon.ts'
import type { KubeApi } from '../../src/kube/api.ts'
import { apiVersionOf, type KubeObject } from '../../src/kube/object.ts'
import { EVENTS, NAMESPACES } from '../../src/kube/resources.ts'
import { cidr } from '../../src/network/model/address.ts'
import type { PolicyKind } from '../../src/network/model/policy.ts'
import { type OpenRegistry, openPlace } from '../../src/place/place.ts'
import { formats } from '../../src/playground/apiserver/all-formats.ts'
import { serveApi } from '../../src/playground/apiserver/serve.ts'
import { installCrds } from './cluster-objects.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually } from './process.ts'

const LIMIT = 120_000
const PATIENCE = 20_000

/** A server whose kubeconfig is written to a file. */
type Serve = (folder: string, file: string) => Promise<{ stop(): Promise<void> }>

describe('the playground’s API server', () =>
  saysSo(async (dir, file) => {
    const serviceNetworks = [cidr('172.30.0.0/16')]
    const server = await serveApi({ dir, formats, tls: false, serviceNetworks, bookmarkInterval: 20 })
    server.writeKubeconfig(file, 'admin')
    return server
  }))

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const assets = ASSETS
  describe('a real kube-apiserver', () =>
    saysSo(async (_, file) => {
      const plane = await ControlPlane.start(assets)
      plane.writeKubeconfig(file)
      return plane
    }))
}

function saysSo(serve: Serve): void {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-policy-status-'))
  const ending = new AbortController()
  let server: { stop(): Promise<void> } | undefined
  let opened: OpenRegistry
  let running: Promise<void> | undefined

  beforeAll(async () => {
    const file = join(folder, 'kubeconfig')
    server = await serve(folder, file)
    opened = openPlace({ kind: 'kubeconfig', file })
    await installCrds(api())
    await api().create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    const say = (): void => undefined
    const log = { info: say, warn: say, error: say }
    running = new ControllerDaemon({ ...opened, wish: {}, log, signal: ending.signal }).run()
  }, LIMIT)

  afterAll(async () => {
    ending.abort()
    await running
    opened?.close()
    await server?.stop()
    rmSync(folder, { recursive: true, force: true })
  }, LIMIT)

  function api(): KubeApi {
    if (opened.api === undefined) throw new Error('it is an API server')
    return opened.api
  }

  async function accepted(kind: PolicyKind, name: string): Promise<Record<string, unknown>> {
    const object = await api().get(weftBindings[kind].resource, { name })
    const conditions: readonly Record<string, unknown>[] = Object(object?.['status'])['conditions'] ?? []
    const found = conditions.find(({ type }) => type === 'Accepted')
    if (found === undefined) throw new Error(`${name} says nothing`)
    return { ...found, generation: object?.metadata.generation }
  }

  async function eventsAt(name: string): Promise<readonly KubeObject[]> {
    const { items } = await api().list(EVENTS)
    return items.filter(
      ({ involvedObject: about, reason }) => Object(about)['name'] === name && reason === 'PolicyNotUnderstood',
    )
  }

  test.each([
    ['AdminNetworkPolicy', 'tenants', { priority: 5 }],
    ['BaselineAdminNetworkPolicy', 'default', {}],
    ['ClusterNetworkPolicy', 'tenants', { priority: 5, tier: 'Admin' }],
  ] as const)(
    '%s: a condition',
    async (kind, name, more) => {
      const { resource } = weftBindings[kind]
      const spec = { ...more, subject: { namespaces: {} }, egress: [{ action: 'Deny', to: [{ namespaces: {} }] }] }
      await api().create(resource, policy(kind, { name }, spec))
      await eventually(async () => {
        expect(await accepted(kind, name)).toMatchObject({ status: 'True', reason: 'Accepted', observedGeneration: 1 })
      }, PATIENCE)
      const strange = { ...spec, egress: [{ action: 'Deny', to: [{ nodes: { matchLabels: { a: 'b' } } }] }] }
      await api().patch(resource, { name }, 'merge', { spec: strange })
      await eventually(async () => {
        expect(await accepted(kind, name)).toEqual(
          expect.objectContaining({
            status: 'False',
            reason: 'PolicyNotUnderstood',
            observedGeneration: 2,
            generation: 2,
            message: expect.stringContaining('spec.egress[0].to[0].nodes'),
          }),
        )
      }, PATIENCE)
      // It says so once, and then nothing is written any more.
      const { metadata } = (await api().get(resource, { name })) ?? {}
      await Bun.sleep(300)
      expect((await api().get(resource, { name }))?.metadata.resourceVersion).toBe(metadata?.resourceVersion)
      await api().patch(resource, { name }, 'merge', { spec })
      await eventually(async () => {
        expect(await accepted(kind, name)).toMatchObject({ status: 'True', observedGeneration: 3 })
      }, PATIENCE)
    },
    LIMIT,
  )

  test(
    'two EgressNetworkPolicies in a namespace: an event at both',
    async () => {
      const { resource } = weftBindings.EgressNetworkPolicy
      const spec = { egress: [{ type: 'Deny', to: { cidrSelector: '0.0.0.0/0' } }] }
      for (const name of ['one', 'two']) {
        await api().create(resource, policy('EgressNetworkPolicy', { name, namespace: 'shop' }, spec))
      }
      for (const name of ['one', 'two']) {
        await eventually(async () => {
          const events = await eventsAt(name)
          expect(events).toHaveLength(1)
          expect(events[0]).toMatchObject({ type: 'Warning', involvedObject: { kind: 'EgressNetworkPolicy' } })
          expect(events[0]?.['message']).toContain('metadata.namespace: the namespace has 2 egress firewalls')
        }, PATIENCE)
      }
    },
    LIMIT,
  )
}

function policy(kind: PolicyKind, metadata: KubeObject['metadata'], spec: object): KubeObject {
  return { apiVersion: apiVersionOf(weftBindings[kind].resource), kind, metadata, spec }
}
