import { describe, expect, test } from 'bun:test'
import type { KubeObject } from '../../kube/object.ts'
import type { PolicyRule } from '../../network/model/policy.ts'
import { decodeValue } from '../../registry/codec.ts'
import { networkPolicyBinding } from './network-policy.ts'
import { BROKEN, RULES, type Said, SUBJECTS } from './testing/network-policies.ts'

const policy = (spec: unknown): KubeObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'web', namespace: 'shop', uid: 'u' },
  ...(spec === undefined ? {} : { spec }),
})
const read = (spec: unknown) =>
  decodeValue('NetworkPolicy', 'shop/web', networkPolicyBinding.decode(JSON.parse(JSON.stringify(policy(spec)))))

describe('a policy says', () => {
  test.each([...SUBJECTS, ...RULES])('%s', (_, spec, said) => {
    const found = read(spec)
    expect(found).toMatchObject({ tier: 'namespace', priority: 0, subject: { namespaces: { name: 'shop' } } })
    expect(found.problems).toBeUndefined()
    expectSaid(found, said)
  })
})

describe('what is not understood allows nothing', () => {
  test.each([...BROKEN])('%s', (_, spec, said, fields) => {
    const found = read(spec)
    expectSaid(found, said)
    expect(found.problems?.map(({ field }) => field)).toEqual([...fields])
    for (const { reason } of found.problems ?? []) expect(reason).toMatch(/./)
  })

  test.each([[undefined], [null], [7], ['x'], [[]], [[{}]]])(
    'a spec that is none: nothing, for all pods (%p)',
    (spec) => {
      expectSaid(read(spec), { pods: [], ingress: [], egress: [] })
    },
  )

  test.each([
    ['rules', { ingress: Array.from({ length: 10_001 }, () => ({})) }],
    ['peers', { ingress: [{ from: Array.from({ length: 10_001 }, () => ({ podSelector: {} })) }] }],
    ['ports', { ingress: [{ ports: Array.from({ length: 10_001 }, () => ({ port: 80 })) }] }],
  ])('more %s than can be', (_, spec) => {
    const { ingress = [], problems } = read(spec)
    expect(ingress.every(({ peers, ports }) => peers?.length === 0 || ports?.length === 0)).toBe(true)
    expect(problems).toHaveLength(1)
  })

  test('a thousand problems are told of as a hundred', () => {
    expect(read({ ingress: Array.from({ length: 1000 }, () => 7) }).problems).toHaveLength(100)
  })

  test('a field with an endless name is told of', () => {
    const [problem] = read({ ['x'.repeat(100_000)]: 1 }).problems ?? []
    expect(problem?.field.length).toBeLessThan(513)
  })
})

test('as many rules, peers and ports as there are in practice', () => {
  const rule = { from: Array.from({ length: 3000 }, () => ({ podSelector: {} })) }
  const wide = { ports: Array.from({ length: 3000 }, (_, i) => ({ port: i + 1 })) }
  const { ingress = [], problems } = read({ ingress: [...Array.from({ length: 3000 }, () => ({})), rule, wide] })
  expect([ingress.length, ingress[3000]?.peers?.length, ingress[3001]?.ports?.length, problems]).toEqual([
    3002,
    3000,
    3000,
    undefined,
  ])
})

test('what allows nothing is written as that', () => {
  const { encode, decode } = networkPolicyBinding
  const base = decodeValue('NetworkPolicy', 'shop/web', decode(policy({})))
  for (const rule of [{ peers: [] }, { ports: [] }, { peers: [{ type: 'name', name: 'a.test' }] as const }]) {
    const written = encode({ ...base, ingress: [{ action: 'allow', ...rule }] })
    const { ingress, problems } = decodeValue('NetworkPolicy', 'shop/web', decode(written))
    expect(problems).toBeUndefined()
    // A label that is there and is not.
    expect(ingress?.[0]?.peers?.[0]).toMatchObject({ pods: [{ operator: 'Exists' }, { operator: 'DoesNotExist' }] })
  }
})

function expectSaid(found: ReturnType<typeof read>, { pods, ingress, egress }: Said): void {
  if (pods !== undefined) expect(found.subject.pods).toEqual(pods as never)
  if (ingress !== undefined) expect<unknown>(plain(found.ingress)).toEqual(ingress)
  if (egress !== undefined) expect<unknown>(plain(found.egress)).toEqual(egress)
}

/** Where in the object the parts stand is told where it has to be, of each of them. */
function plain(rules: readonly PolicyRule[] | undefined) {
  return (
    rules?.map(({ peerFields, portFields, ...rule }) => {
      if (peerFields !== undefined) expect(peerFields).toHaveLength(rule.peers?.length ?? -1)
      if (portFields !== undefined) expect(portFields).toHaveLength(rule.ports?.length ?? -1)
      return rule
    }) ?? null
  )
}
