/** What Calico's policies say, and what becomes of what nobody understands. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { generatedWorlds } from '../../../../test/tables/calico/generate.ts'
import { selects } from '../../../../test/tables/calico/selector-oracle.ts'
import { meetsCondition } from '../../../network/model/condition.ts'
import { decodeNetworkSet } from '../../../network/model/network-set.ts'
import type { Policy, PolicyRule } from '../../../network/model/policy.ts'
import { decodePolicy } from '../../../network/model/validate-policy.ts'
import { Notes } from '../../policy/notes.ts'
import { conditionOf, selectingIn } from './conditions.ts'
import { globalNetworkSetBinding, networkSetBinding } from './network-set.ts'
import { calicoNetworkPolicyBinding, globalNetworkPolicyBinding } from './policy.ts'

const DENY_ALL: readonly PolicyRule[] = [{ action: 'deny' }]
const FIRST = -Number.MAX_VALUE

function read(spec: unknown, kind: 'CalicoNetworkPolicy' | 'GlobalNetworkPolicy' = 'CalicoNetworkPolicy'): Policy {
  const binding = kind === 'CalicoNetworkPolicy' ? calicoNetworkPolicyBinding : globalNetworkPolicyBinding
  const metadata = { name: 'default.p', uid: 'u1', ...(kind === 'CalicoNetworkPolicy' ? { namespace: 'shop' } : {}) }
  const decoded = decodePolicy(binding.decode({ apiVersion: 'v1', kind, metadata, spec } as never))
  if (!decoded.ok) throw new Error(JSON.stringify(decoded.problems))
  return decoded.value
}

function fields({ problems = [] }: Policy): readonly string[] {
  return problems.map(({ field }) => field)
}

describe('a rule that is not understood: an allow is for nobody, everything else denies everybody', () => {
  test.each([
    [{ http: { methods: ['GET'] } }, 'http'],
    [{ source: { services: { name: 'a' } } }, 'source.services'],
    [{ source: { serviceAccounts: { names: ['a'] } } }, 'source.serviceAccounts'],
    [{ source: { selector: "projectcalico.org/serviceaccount == 'a'" } }, 'source.selector'],
    [{ source: { selector: 'has(pcsa.role)' } }, 'source.selector'],
    [{ source: { notSelector: "a == 'b'" } }, 'source.notSelector'],
    [{ source: { nets: ['10.0.0.0/33'] } }, 'source.nets[0]'],
    [{ source: { nets: ['::ffff:10.0.0.0/120'] } }, 'source.nets[0]'],
    [{ source: { nets: Array.from({ length: 257 }, () => '10.0.0.0/8') } }, 'source.nets'],
    [{ source: { colour: 'red' } }, 'source.colour'],
    [{ source: 'everybody' }, 'source'],
    [{ destination: { selector: "a == 'b'" } }, 'destination.selector'],
    [{ destination: { ports: [80] } }, 'protocol'],
    [{ protocol: 'ICMP', destination: { ports: [80] } }, 'protocol'],
    [{ notProtocol: 'TCP', destination: { ports: [80] } }, 'protocol'],
    [{ protocol: 'TCP', destination: { ports: ['90:80'] } }, 'destination.ports[0]'],
    [{ protocol: 'TCP', destination: { ports: [65_536] } }, 'destination.ports[0]'],
    [{ protocol: 'TCP', destination: { notPorts: ['http'] } }, 'destination.notPorts'],
    [{ protocol: 'TCP', source: { ports: ['http'] } }, 'source.ports'],
    [{ protocol: 'HTTP' }, 'protocol'],
    [{ protocol: 256 }, 'protocol'],
    [{ icmp: { type: 8 } }, 'protocol'],
    [{ protocol: 'ICMP', icmp: { code: 0 } }, 'icmp'],
    [{ protocol: 'ICMP', icmp: { type: 256 } }, 'icmp'],
    [{ ipVersion: 5 }, 'ipVersion'],
    [{ colour: 'red' }, 'colour'],
  ])('%j', (match, field) => {
    for (const [action, rule] of [
      ['Allow', { action: 'allow', peers: [] }],
      ['Deny', { action: 'deny' }],
      ['Pass', { action: 'deny' }],
    ] as const) {
      const policy = read({ types: ['Ingress'], ingress: [{ action, ...match }] })
      expect(policy.ingress).toEqual([rule])
      expect(fields(policy)).toEqual([`spec.ingress[0].${field}`])
      expect(policy.isUnread).toBeUndefined()
    }
  })

  test('an action of nobody’s', () => {
    expect(read({ ingress: [{ action: 'allow' }] })).toMatchObject({ ingress: DENY_ALL })
  })
})

describe('a policy that is not understood allows nothing, and counts first', () => {
  test.each([
    [{ tier: 'security' }, ['spec.tier']],
    [{ order: 'first' }, ['spec.order']],
    [{ doNotTrack: true, applyOnForward: true }, ['spec.doNotTrack']],
    [{ preDNAT: true }, ['spec.preDNAT']],
    [{ applyOnForward: true }, ['spec.applyOnForward']],
    [{ colour: 'red' }, ['spec.colour']],
    ['none', ['spec']],
  ])('%j', (spec, problems) => {
    const rules =
      typeof spec === 'string' ? spec : { types: ['Ingress', 'Egress'], ingress: [{ action: 'Allow' }], ...spec }
    const policy = read(rules, 'GlobalNetworkPolicy')
    expect(policy).toMatchObject({ order: FIRST, ingress: DENY_ALL, egress: DENY_ALL })
    expect(fields(policy)).toEqual(problems)
  })

  test('of whom it speaks: everybody of its namespace, for what it says of', () => {
    const policy = read({ selector: 'a ==', order: 3, types: ['Egress'], egress: [{ action: 'Allow' }] })
    expect(policy).toMatchObject({ order: 3, subject: { namespaces: { name: 'shop' }, pods: [] }, egress: DENY_ALL })
    expect(policy.ingress).toBeUndefined()
    expect(policy.isUnread).toBe(true)
    expect(policy.problems).toEqual([
      {
        field: 'spec.selector',
        reason: 'at character 5: it ends where a text in quotes is expected',
      },
    ])
  })

  test('service accounts, of which nobody here knows', () => {
    const policy = read({ serviceAccountSelector: "role == 'a'", types: ['Ingress'] })
    expect(policy).toMatchObject({ ingress: DENY_ALL })
    expect(fields(policy)).toEqual(['spec.serviceAccountSelector'])
  })

  test('a selector in a rule', () => {
    const policy = read({ ingress: [{ action: 'Allow', source: { selector: "a = 'b'" } }] })
    expect(policy).toMatchObject({ isUnread: true, ingress: [{ action: 'allow', peers: [] }] })
  })
})

describe('rows that a rule makes in a switch are counted before they are made', () => {
  const spans = Array.from({ length: 50 }, (_, i) => `${3 + i}:${65_532 - i}`)
  const scattered = Array.from({ length: 256 }, (_, i) => `2001:db8::${(i * 257).toString(16)}/128`)
  const too = { protocol: 'TCP', source: { ports: spans, notNets: scattered }, destination: { ports: spans } }

  test.each(['Allow', 'Deny'] as const)('%s: too many fail closed, by their place', (action) => {
    const policy = read({ types: ['Egress'], egress: [{ action, ...too }] })
    expect(policy.egress).toEqual(action === 'Allow' ? [{ action: 'allow', peers: [] }] : DENY_ALL)
    expect(policy.problems?.map(({ reason }) => reason).join()).toMatch(/make \d+ rows in a switch; 262144 are left/)
  })

  test('of all rules of a direction together', () => {
    const rule = { action: 'Allow', protocol: 'ICMP', notICMP: { type: 8, code: 0 } }
    const policy = read({ types: ['Ingress'], ingress: Array.from({ length: 530 }, () => rule) })
    const open = (policy.ingress ?? []).filter(({ peers }) => peers === undefined)
    expect(open.length).toBe(514)
    expect(fields(policy).length).toBe(16)
  })

  test('rules that log and deny the same are found however many there are', () => {
    const nets = (n: number) => [`198.51.${n >> 8}.${n & 255}/32`]
    const rules = ['Log', 'Deny'].flatMap((action) =>
      Array.from({ length: 512 }, (_, n) => ({ source: { nets: nets(n) }, action })),
    )
    const policy = read({ types: ['Ingress'], ingress: rules })
    expect(policy.ingress?.filter(({ log }) => log === true).length).toBe(512)
    expect(fields(policy)).toEqual([])
  })
})

test('what Kubernetes has words for is said by them', () => {
  const selector = "app == 'web' && tier in {'a', 'b'} && has(x) && !has(y) && z != 'q' && pcns.team == 'sales'"
  expect(read({ selector }, 'GlobalNetworkPolicy').subject).toEqual({
    namespaces: { labels: [{ key: 'team', operator: 'In', values: ['sales'] }] },
    pods: [
      { key: 'app', operator: 'In', values: ['web'] },
      { key: 'tier', operator: 'In', values: ['a', 'b'] },
      { key: 'x', operator: 'Exists', values: [] },
      { key: 'y', operator: 'DoesNotExist', values: [] },
      { key: 'z', operator: 'NotIn', values: ['q'] },
    ],
  })
  const named = read({ selector: "projectcalico.org/namespace == 'shop'" }, 'GlobalNetworkPolicy')
  expect(named.subject).toEqual({ namespaces: { name: 'shop' }, pods: [] })
})

describe('what is logged', () => {
  const match = { protocol: 'TCP', source: { selector: "a == 'b'" } }
  test.each([
    [[{ action: 'Log' }, { action: 'Deny' }], [true], []],
    [
      [
        { action: 'Log', ...match },
        { action: 'Deny', ...match },
      ],
      [true],
      [],
    ],
    [[{ action: 'Log', ...match }, { action: 'Deny' }], [false], ['spec.ingress[0].action']],
    [[{ action: 'Log' }, { action: 'Allow' }], [false], ['spec.ingress[0].action']],
  ])('%j', (ingress, logged, problems) => {
    const policy = read({ ingress })
    expect(policy.ingress?.[0]).toEqual({ action: 'allow', peers: [] })
    expect(policy.ingress?.slice(1).map(({ log }) => log ?? false)).toEqual(logged)
    expect(fields(policy)).toEqual(problems)
  })
})

test('a selector means to conditions what it says of labels', () => {
  const selectors = generatedWorlds(60, 11).flatMap(({ calico }) => calico.flatMap(({ selector }) => selector ?? []))
  const labels = fc.dictionary(fc.constantFrom('pod', 'role'), fc.constantFrom('a', 'b', 'r', ''), {
    noNullPrototype: true,
  })
  const seen = { true: 0, false: 0 }
  fc.assert(
    fc.property(fc.constantFrom(...selectors), labels, fc.constantFrom('x', 'y', 'shop'), (text, own, ns) => {
      const selecting = selectingIn(text, new Notes('spec'), () => undefined)
      if (selecting === undefined) throw new Error(text)
      const namespace = { ns, 'kubernetes.io/metadata.name': ns }
      const all = new Map([
        ...Object.entries(own),
        ['pcns.ns', ns],
        ['projectcalico.org/namespace', ns],
        ['projectcalico.org/orchestrator', 'k8s'],
      ])
      const expected = selects(text, all)
      expect(meetsCondition(conditionOf(selecting, 'pods'), { own, namespace })).toBe(expected)
      seen[`${expected}`] += 1
    }),
    { numRuns: 500, seed: 4 },
  )
  expect(Math.min(seen.true, seen.false)).toBeGreaterThan(50)
})

test('whatever a policy is, it is read', () => {
  const spec = fc.oneof(
    fc.anything(),
    fc.record({ selector: fc.anything(), types: fc.anything(), ingress: fc.array(fc.anything()) }),
    fc.record({
      ingress: fc.array(
        fc.record(
          {
            action: fc.constantFrom('Allow', 'Deny', 'Log'),
            source: fc.anything(),
            protocol: fc.anything(),
            icmp: fc.anything(),
          },
          { requiredKeys: ['action'] },
        ),
      ),
    }),
  )
  fc.assert(
    fc.property(spec, fc.constantFrom('CalicoNetworkPolicy' as const, 'GlobalNetworkPolicy' as const), (one, kind) => {
      expect(read(one, kind).tier).toBe('namespace')
    }),
    { numRuns: 500 },
  )
})

test('of a network set what is no network is left out and told, and an address alone is one', () => {
  const nets = ['192.0.2.1', '2001:db8::/32', '192.0.2.1/32', 'x', 7, null]
  const object = { metadata: { namespace: 'shop', name: 'a', labels: { b: 'c' } }, spec: { nets } }
  expect(networkSetBinding.decode(object as never)).toEqual({
    kind: 'NetworkSet',
    namespace: 'shop',
    name: 'a',
    labels: { b: 'c' },
    nets: ['192.0.2.1/32', '2001:db8::/32'],
    problems: ['"x/32"', '7', 'null'].map((what, i) => ({
      field: `spec.nets[${i + 3}]`,
      reason: `${what} is no network such as 192.0.2.0/24 or 2001:db8::/32`,
    })),
  })
})

describe('a network set says what of it cannot be read', () => {
  test.each([
    [{ nets: 'all' }, 'spec.nets', '"all" is not a list'],
    [
      { nets: Array.from({ length: 50_001 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`) },
      'spec.nets',
      '50001 networks are more than the 50000 that can be',
    ],
    [{ nets: [], allowedEgressDomains: ['a.example'] }, 'spec.allowedEgressDomains', 'is not known here'],
    ['none', 'spec', '"none" is not an object'],
  ] as const)('%#', (spec, field, reason) => {
    const object = { apiVersion: 'v1', kind: 'GlobalNetworkSet', metadata: { name: 'a' }, spec }
    const decoded = decodeNetworkSet(globalNetworkSetBinding.decode(object as never))
    expect(decoded.ok && decoded.value.problems).toEqual([{ field, reason }])
  })

  test('of one that is whole it says nothing', () => {
    for (const spec of [undefined, {}, { nets: ['192.0.2.1'] }]) {
      const object = { apiVersion: 'v1', kind: 'GlobalNetworkSet', metadata: { name: 'a' }, spec }
      const decoded = decodeNetworkSet(globalNetworkSetBinding.decode(object as never))
      expect(decoded.ok && decoded.value.problems).toBeUndefined()
    }
  })
})
