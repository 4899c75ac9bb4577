/**
 * Policies of every kind on a real kube-apiserver: what it makes of them still says the same, what Weft would not
 * understand it refuses, and definitions that are installed later are noticed.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { weftBindings } from '../../src/compat/bindings.ts'
import { everyCrd } from '../../src/compat/crds.ts'
import { BROKEN, RULES, SUBJECTS } from '../../src/compat/kubernetes/testing/network-policies.ts'
import {
  type Case,
  commonCases,
  PORTS_V1ALPHA1,
  PORTS_V1ALPHA2,
} from '../../src/compat/network-policy-api/testing/cases.ts'
import type { KubeApi } from '../../src/kube/api.ts'
import { KubeClient } from '../../src/kube/client.ts'
import { KubeError } from '../../src/kube/errors.ts'
import { apiVersionOf, type KubeObject } from '../../src/kube/object.ts'
import { KubeRegistry } from '../../src/kube/registry.ts'
import { CUSTOM_RESOURCE_DEFINITIONS } from '../../src/kube/resources.ts'
import { POLICY_KINDS, type Policy, type PolicyKind } from '../../src/network/model/policy.ts'
import { decodeValue } from '../../src/registry/codec.ts'
import { reflect, type Store } from '../../src/registry/reflector.ts'
import { CALICO_CASES } from '../tables/calico/cases.ts'
import { generatedWorlds } from '../tables/calico/generate.ts'
import { ASSETS, ControlPlane, SKIPPED } from './control-plane.ts'
import { eventually } from './process.ts'

const LIMIT = 120_000
const NAME = 'default'

if (ASSETS === undefined) {
  console.log(SKIPPED)
  test.skip(SKIPPED, () => undefined)
} else {
  const assets = ASSETS
  describe('a real kube-apiserver', () => policiesOn(assets))
}

function policiesOn(assets: string): void {
  let plane: ControlPlane
  let api: KubeClient
  const ending = new AbortController()
  const faults: unknown[] = []
  let stores: ReadonlyMap<PolicyKind, Store<PolicyKind>>

  beforeAll(async () => {
    plane = await ControlPlane.start(assets)
    api = new KubeClient(plane.config())
    console.log(`kube-apiserver ${await plane.version()}`)
    stores = await reflected(api, ending.signal, faults)
  }, LIMIT)

  afterAll(async () => {
    ending.abort()
    api?.close()
    await plane?.stop()
  }, LIMIT)

  test(
    'kinds that are not defined are empty, and there soon after they are',
    async () => {
      expect([...stores.values()].map(({ size }) => size)).toEqual(POLICY_KINDS.map(() => 0))
      for (const crd of everyCrd()) await api.create(CUSTOM_RESOURCE_DEFINITIONS, crd)
      for (const kind of POLICY_KINDS) {
        await eventually(() => api.create(weftBindings[kind].resource, objectOf(kind, specs[kind])), 30_000)
      }
      await eventually(
        async () => expect([...stores.values()].map(({ size }) => size)).toEqual(POLICY_KINDS.map(() => 1)),
        30_000,
      )
      expect(faults).toEqual([])
      for (const kind of POLICY_KINDS) await api.delete(weftBindings[kind].resource, objectOf(kind, {}).metadata)
      await eventually(
        async () => expect([...stores.values()].map(({ size }) => size)).toEqual(POLICY_KINDS.map(() => 0)),
        30_000,
      )
    },
    LIMIT,
  )

  test.each([...SUBJECTS, ...RULES])('NetworkPolicy: %s', async (_, spec) => {
    expect(saidBy(await served(api, 'NetworkPolicy', spec))).toEqual(saidBy(read('NetworkPolicy', spec)))
  })

  test.each([...BROKEN])('NetworkPolicy: %s; it is refused, or fails closed', async (title, spec) => {
    await isRefusedOrCut(api, 'NetworkPolicy', spec, title)
  })

  test('policies of Calico say the same when the server has had them', async () => {
    const written = [
      ...CALICO_CASES.map(({ calico = [] }) => calico),
      ...generatedWorlds(10, 3).map(({ calico }) => calico),
    ]
    for (const { name: _, namespace, ...spec } of written.flat()) {
      const kind = namespace === undefined ? 'GlobalNetworkPolicy' : 'CalicoNetworkPolicy'
      expect(saidBy(await served(api, kind, spec))).toEqual(saidBy(read(kind, spec)))
    }
  })

  const cases: readonly (readonly [PolicyKind, object, readonly Case[]])[] = [
    ['AdminNetworkPolicy', { priority: 7 }, [...commonCases('Allow'), ...PORTS_V1ALPHA1]],
    ['BaselineAdminNetworkPolicy', {}, [...commonCases('Allow'), ...PORTS_V1ALPHA1]],
    ['ClusterNetworkPolicy', { tier: 'Admin', priority: 7 }, [...commonCases('Accept'), ...PORTS_V1ALPHA2]],
  ]
  for (const [kind, base, each] of cases) {
    test.each([...each])(`${kind}: %s`, async (title, given, _, ...fields) => {
      const spec = { ...base, subject: { namespaces: {} }, ...given }
      if (fields.length > 0) await isRefusedOrCut(api, kind, spec, title)
      else expect(saidBy(await served(api, kind, spec))).toEqual(saidBy(read(kind, spec)))
    })
  }

  test.each([
    [{ egress: [{ type: 'Allow', to: { dnsName: 'www.example.org' } }, DENY_REST] }, true],
    [{ egress: [{ type: 'Allow', to: {} }] }, false],
    [{ egress: [{ type: 'Allow', to: { dnsName: 'a.test', cidrSelector: '10.0.0.0/8' } }] }, false],
    [{ egress: [{ type: 'Pass', to: { dnsName: 'a.test' } }] }, false],
    [{}, false],
  ])('EgressNetworkPolicy %p', async (spec, isTaken) => {
    if (!isTaken) await isRefusedOrCut(api, 'EgressNetworkPolicy', spec, JSON.stringify(spec))
    else
      expect(saidBy(await served(api, 'EgressNetworkPolicy', spec))).toEqual(saidBy(read('EgressNetworkPolicy', spec)))
  })

  test('of the baseline there is the one named default', async () => {
    const object = {
      ...objectOf('BaselineAdminNetworkPolicy', specs.BaselineAdminNetworkPolicy),
      metadata: { name: 'x' },
    }
    expect(api.create(weftBindings.BaselineAdminNetworkPolicy.resource, object)).rejects.toMatchObject({
      code: 'KUBE_INVALID',
    })
  })

  test.each(['AdminNetworkPolicy', 'BaselineAdminNetworkPolicy', 'ClusterNetworkPolicy'] as const)(
    'the status of a %s is written apart',
    async (kind) => {
      const { resource } = weftBindings[kind]
      const { metadata } = await api.create(resource, objectOf(kind, specs[kind]))
      const times = { lastTransitionTime: '2026-01-01T00:00:00Z' }
      const condition = { type: 'Accepted', status: 'False', reason: 'NotUnderstood', message: 'spec', ...times }
      const patch = { spec: { subject: null }, status: { conditions: [condition] } }
      const patched = await api.patch(resource, metadata, 'merge', patch, 'status')
      expect(patched['status']).toEqual({ conditions: [condition] })
      expect(patched.metadata.generation).toBe(1)
      await api.delete(resource, metadata)
    },
  )
}

const DENY_REST = { type: 'Deny', to: { cidrSelector: '0.0.0.0/0' } }

/** The least that each kind takes. */
const specs: { readonly [K in PolicyKind]: object } = {
  NetworkPolicy: {},
  AdminNetworkPolicy: { priority: 1, subject: { namespaces: {} } },
  BaselineAdminNetworkPolicy: { subject: { namespaces: {} } },
  ClusterNetworkPolicy: { tier: 'Admin', priority: 1, subject: { namespaces: {} } },
  EgressNetworkPolicy: { egress: [DENY_REST] },
  CalicoNetworkPolicy: { types: ['Ingress'] },
  GlobalNetworkPolicy: { types: ['Ingress'] },
}

/** Every kind's policies as the registry keeps them; it looks for missing kinds after a second, not after a minute. */
async function reflected(api: KubeApi, signal: AbortSignal, faults: unknown[]) {
  const sleep = (): Promise<void> => Bun.sleep(1000)
  const registry = new KubeRegistry(api, weftBindings, { sleep })
  const stores = new Map<PolicyKind, Store<PolicyKind>>()
  for (const kind of POLICY_KINDS) {
    const { store, synced } = reflect(registry, kind, { signal, onError: (error) => faults.push(error) })
    await synced
    stores.set(kind, store)
  }
  return stores
}

function objectOf(kind: PolicyKind, spec: object): KubeObject {
  const { resource } = weftBindings[kind]
  const place = resource.namespaced ? { name: NAME, namespace: 'default' } : { name: NAME }
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata: place, spec }
}

/** What the API server makes of it, and what that says. */
async function served(api: KubeClient, kind: PolicyKind, spec: object): Promise<Policy> {
  const made = await api.createDry(weftBindings[kind].resource, objectOf(kind, spec))
  return policyIn(kind, made)
}

function read(kind: PolicyKind, spec: object): Policy {
  return policyIn(kind, objectOf(kind, spec))
}

function policyIn(kind: PolicyKind, object: KubeObject): Policy {
  const { nameOf, decode } = weftBindings[kind]
  return decodeValue(kind, nameOf(object) ?? '', decode(object))
}

function saidBy({ uid: _, ...policy }: Policy): unknown {
  return policy
}

/** It is refused; or it fails closed as before; or a field is left out that the server does not know either. */
async function isRefusedOrCut(api: KubeClient, kind: PolicyKind, spec: object, title: string): Promise<void> {
  try {
    const { problems } = await served(api, kind, spec)
    if (problems === undefined) expect(title).toContain('nobody knows')
    else expect(problems).toEqual(read(kind, spec).problems ?? [])
  } catch (error) {
    if (!(error instanceof KubeError)) throw error
    expect(error.code).toBe('KUBE_INVALID')
  }
}
