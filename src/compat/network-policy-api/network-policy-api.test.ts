import { describe, expect, test } from 'bun:test'
import type { KubeObject } from '../../kube/object.ts'
import type { Policy, PolicyRule } from '../../network/model/policy.ts'
import { decodeValue } from '../../registry/codec.ts'
import { weftBindings } from '../bindings.ts'
import { type Case, commonCases, PORTS_V1ALPHA1, PORTS_V1ALPHA2 } from './testing/cases.ts'

type Kind = 'AdminNetworkPolicy' | 'BaselineAdminNetworkPolicy' | 'ClusterNetworkPolicy'

const SUBJECT = { subject: { namespaces: {} } }

function read(kind: Kind, spec: unknown, name = 'default'): Policy {
  const object = { metadata: { name, uid: 'u' }, spec } as unknown as KubeObject
  return decodeValue(kind, name, weftBindings[kind].decode(JSON.parse(JSON.stringify(object))))
}

const KINDS: readonly (readonly [Kind, object, readonly Case[]])[] = [
  ['AdminNetworkPolicy', { priority: 7 }, [...commonCases('Allow'), ...PORTS_V1ALPHA1]],
  ['BaselineAdminNetworkPolicy', {}, [...commonCases('Allow'), ...PORTS_V1ALPHA1]],
  ['ClusterNetworkPolicy', { priority: 7, tier: 'Baseline' }, [...commonCases('Accept'), ...PORTS_V1ALPHA2]],
]

describe.each(KINDS.map(([kind, base, cases]) => ({ kind, base, cases })))('$kind', ({ kind, base, cases }) => {
  test.each([...cases])('%s', (_, spec, { subject, ingress, egress }, ...fields) => {
    const found = read(kind, { ...base, ...SUBJECT, ...spec })
    if (subject !== undefined) expect<unknown>(found.subject).toEqual(subject)
    if (ingress !== undefined) expect<unknown>(plain(found.ingress)).toEqual(ingress)
    if (egress !== undefined) expect<unknown>(plain(found.egress)).toEqual(egress)
    expect((found.problems ?? []).map(({ field }) => field)).toEqual([...fields])
  })

  test.each([[undefined], [null], [7], ['x'], [[]]])('a spec that is none denies everybody everything (%p)', (spec) => {
    expect(read(kind, spec)).toMatchObject({
      subject: { namespaces: { labels: [] }, pods: [] },
      ingress: [{ action: 'deny' }],
      egress: [{ action: 'deny' }],
    })
  })
})

test.each([
  ['AdminNetworkPolicy', { priority: 0 }, 'admin', 0],
  ['AdminNetworkPolicy', { priority: 1000 }, 'admin', 1000],
  ['BaselineAdminNetworkPolicy', {}, 'baseline', 0],
  ['ClusterNetworkPolicy', { tier: 'Admin', priority: 5 }, 'admin', 5],
  ['ClusterNetworkPolicy', { tier: 'Baseline', priority: 5 }, 'baseline', 5],
] as const)('%s %p is of its tier', (kind, spec, tier, priority) => {
  expect(read(kind, { ...SUBJECT, ...spec })).toMatchObject({ tier, priority })
})

test.each([
  ['AdminNetworkPolicy', {}, 'spec.priority'],
  ['AdminNetworkPolicy', { priority: 1001 }, 'spec.priority'],
  ['AdminNetworkPolicy', { priority: -1 }, 'spec.priority'],
  ['AdminNetworkPolicy', { priority: 1.5 }, 'spec.priority'],
  ['ClusterNetworkPolicy', { tier: 'Admin' }, 'spec.priority'],
  ['ClusterNetworkPolicy', { priority: 5 }, 'spec.tier'],
  ['ClusterNetworkPolicy', { tier: 'Platform', priority: 5 }, 'spec.tier'],
] as const)('%s %p has no place: it denies everything, before all others', (kind, spec, field) => {
  const found = read(kind, { ...SUBJECT, ...spec, egress: [] })
  expect(found).toMatchObject({
    tier: 'admin',
    priority: 0,
    ingress: [{ action: 'deny' }],
    egress: [{ action: 'deny' }],
  })
  expect(found.problems?.map((one) => one.field)).toEqual([field])
})

test.each([
  ['AdminNetworkPolicy', 'Pass', { action: 'pass' }],
  ['ClusterNetworkPolicy', 'Pass', { action: 'pass' }],
  ['AdminNetworkPolicy', 'Accept', { action: 'deny' }],
  ['ClusterNetworkPolicy', 'Allow', { action: 'deny' }],
  // There is nothing that it could pass to.
  ['BaselineAdminNetworkPolicy', 'Pass', { action: 'deny' }],
] as const)('%s: %s', (kind, action, rule) => {
  const spec = { priority: 1, tier: 'Admin', ...SUBJECT, ingress: [{ action, from: [{ namespaces: {} }] }] }
  const { tier, priority, ...rest } = spec
  const given = {
    AdminNetworkPolicy: { priority },
    BaselineAdminNetworkPolicy: {},
    ClusterNetworkPolicy: { tier, priority },
  }
  expect(read(kind, { ...given[kind], ...rest }).ingress).toMatchObject([rule])
})

test('a pass under a subject that is not understood is a deny', () => {
  const found = read('AdminNetworkPolicy', {
    priority: 1,
    subject: {},
    ingress: [{ action: 'Pass', from: [{ namespaces: {} }] }],
  })
  expect(found.ingress).toMatchObject([{ action: 'deny', peers: [{ type: 'pods' }] }])
})

test('of the baseline only the one named default counts', () => {
  const { nameOf } = weftBindings.BaselineAdminNetworkPolicy
  const named = (name: string) => nameOf({ metadata: { name } } as KubeObject)
  expect([named('default'), named('other')]).toEqual(['default', undefined])
})

function plain(rules: readonly PolicyRule[] | undefined) {
  return (
    rules?.map(({ peerFields, portFields, ...rule }) => {
      if (peerFields !== undefined) expect(peerFields).toHaveLength(rule.peers?.length ?? -1)
      return rule
    }) ?? null
  )
}
