/** The tiers around NetworkPolicy, the firewall, and what a verdict says. */
import { describe, expect, test } from 'bun:test'
import * as o from '../../../test/tables/policy/objects.ts'
import { allowedOf, ask, type OracleCase, worldOf } from '../../../test/tables/policy/questions.ts'
import { ip } from '../model/address.ts'
import type { Policy } from '../model/policy.ts'
import { judge } from './oracle.ts'

const { allow, labelled, networkPolicy, podsIn, podsOf, port } = o
const A = labelled({ pod: 'a' })
const B = labelled({ pod: 'b' })
const X = labelled({ ns: 'x' })
const Y = labelled({ ns: 'y' })
const anp = (name: string, priority: number, ingress: NonNullable<Policy['ingress']>): Policy =>
  o.clusterPolicy('AdminNetworkPolicy', 'admin', name, priority, { ingress }, X)
const banp = (ingress: NonNullable<Policy['ingress']>): Policy =>
  o.clusterPolicy('BaselineAdminNetworkPolicy', 'baseline', 'default', 0, { ingress }, X)
const fromY = [podsOf(Y)]

const TIERS: readonly OracleCase[] = [
  {
    name: 'admin allow beats a NetworkPolicy',
    policies: [anp('p', 5, [allow(fromY)]), networkPolicy('x', 'p', [], { ingress: [] })],
    allowed: ['y/a -> x/a TCP/80'],
    denied: ['z/a -> x/a TCP/80'],
  },
  {
    name: 'admin deny beats a NetworkPolicy',
    policies: [anp('p', 5, [o.rule('deny', { peers: fromY })]), networkPolicy('x', 'p', [], { ingress: [allow()] })],
    allowed: ['z/a -> x/a TCP/80'],
    denied: ['y/a -> x/a TCP/80'],
  },
  {
    name: 'the lowest priority counts first, then the rule in front',
    policies: [
      anp('a-late', 10, [o.rule('deny')]),
      anp('z-early', 1, [allow(fromY, [port(80)]), o.rule('deny', { peers: fromY }), allow([podsIn('y', B)])]),
    ],
    allowed: ['y/a -> x/a TCP/80'],
    denied: ['y/a -> x/a TCP/81', 'y/b -> x/a TCP/81', 'z/a -> x/a TCP/80'],
  },
  {
    name: 'of equal priorities the name decides',
    policies: [anp('b', 5, [o.rule('deny')]), anp('a', 5, [allow(fromY)])],
    allowed: ['y/a -> x/a TCP/80'],
    denied: ['z/a -> x/a TCP/80'],
  },
  {
    name: 'pass leaves the tier: the namespace decides',
    policies: [
      anp('p', 1, [o.rule('pass', { peers: fromY })]),
      anp('q', 2, [o.rule('deny')]),
      networkPolicy('x', 'p', A, { ingress: [] }),
    ],
    allowed: ['y/a -> x/b TCP/80'],
    denied: ['y/a -> x/a TCP/80', 'z/a -> x/b TCP/80'],
  },
  {
    name: 'the baseline counts for pods that nothing isolates, after a pass too',
    policies: [
      anp('p', 1, [o.rule('pass', { peers: fromY })]),
      banp([o.rule('deny')]),
      networkPolicy('x', 'p', A, { ingress: [allow()] }),
    ],
    allowed: ['y/a -> x/a TCP/80', 'z/a -> x/a TCP/80', 'x/b -> y/a TCP/80'],
    denied: ['y/a -> x/b TCP/80', 'z/a -> x/b TCP/80'],
  },
  {
    name: 'the baseline’s rules have an order as well',
    policies: [banp([allow(fromY), o.rule('deny')])],
    allowed: ['y/a -> x/a TCP/80'],
    denied: ['z/a -> x/a TCP/80'],
  },
  {
    name: 'ClusterNetworkPolicy goes in both tiers',
    policies: [
      o.clusterPolicy('ClusterNetworkPolicy', 'admin', 'a', 3, { egress: [allow([podsIn('y')])] }, X),
      o.clusterPolicy('ClusterNetworkPolicy', 'baseline', 'b', 3, { egress: [o.rule('deny')] }, X),
    ],
    allowed: ['x/a -> y/a TCP/80', 'y/a -> x/a TCP/80'],
    denied: ['x/a -> z/a TCP/80', 'x/a -> 198.51.100.7 TCP/80'],
  },
  {
    name: 'an allow for nobody and a deny for everybody',
    policies: [anp('p', 1, [allow([]), allow(undefined, []), o.rule('deny')])],
    allowed: ['x/a -> y/a TCP/80'],
    denied: ['y/a -> x/a TCP/80'],
  },
]

const NAMES = new Map([['known.example', [ip('198.51.100.7'), ip('2001:db8:100::7')]]])
const FIREWALL: readonly OracleCase[] = [
  {
    name: 'the first rule that matches decides; what none matches may leave; pods are not spoken of',
    policies: [
      o.firewall('x', 'f', [
        allow([o.range('198.51.100.7/32')]),
        o.rule('deny', { peers: [o.range('198.51.100.0/24')] }),
      ]),
      networkPolicy('y', 'p', [], { ingress: [allow()] }),
    ],
    allowed: [
      'x/a -> 198.51.100.7 TCP/80',
      'x/a -> 203.0.113.9 TCP/80',
      'x/a -> y/a TCP/80',
      'y/a -> 198.51.100.9 TCP/1',
    ],
    denied: ['x/a -> 198.51.100.200 TCP/80', 'x/a -> 198.51.100.200 ICMP'],
  },
  {
    name: 'it stands beside the tiers: both must allow',
    policies: [
      o.firewall('x', 'f', [allow([o.range('198.51.100.7/32')]), o.rule('deny')]),
      networkPolicy('x', 'p', A, { egress: [] }),
      o.clusterPolicy('AdminNetworkPolicy', 'admin', 'p', 1, { egress: [allow()] }, X, B),
    ],
    allowed: ['x/c -> 198.51.100.7 TCP/80', 'x/b -> 198.51.100.7 TCP/80', 'x/b -> y/a TCP/80'],
    denied: ['x/a -> 198.51.100.7 TCP/80', 'x/b -> 203.0.113.9 TCP/80', 'x/a -> 10.128.0.1 TCP/80'],
  },
  {
    name: 'a node’s own addresses are outside the pod networks, its gateway is not',
    policies: [o.firewall('x', 'f', [o.rule('deny')])],
    allowed: ['x/a -> 10.128.0.1 TCP/80', 'x/a -> y/b TCP/80'],
    denied: ['x/a -> 192.0.2.11 TCP/80', 'x/a -> 192.0.2.12 TCP/80'],
  },
  {
    name: 'two in a namespace deny all that leaves',
    policies: [o.firewall('x', 'f', [allow()]), o.firewall('x', 'g', [allow()])],
    allowed: ['x/a -> y/a TCP/80', 'y/a -> 198.51.100.7 TCP/80'],
    denied: ['x/a -> 198.51.100.7 TCP/80'],
  },
  {
    name: 'a name stands for its addresses',
    policies: [o.firewall('x', 'f', [allow([o.called('known.example')]), o.rule('deny')])],
    world: { names: NAMES },
    allowed: ['x/a -> 198.51.100.7 TCP/80', 'v6 x/a -> 2001:db8:100::7 TCP/80'],
    denied: ['x/a -> 198.51.100.200 TCP/80'],
  },
  {
    name: 'an unknown name allows nobody, and denies everybody from its place on',
    policies: [
      o.firewall('x', 'f', [
        allow([o.range('203.0.113.0/24')]),
        o.rule('deny', { peers: [o.called('no.example')] }),
        allow(),
      ]),
      o.firewall('y', 'f', [allow([o.called('no.example')]), o.rule('deny', { peers: [o.range('198.51.100.0/24')] })]),
    ],
    world: { names: NAMES },
    allowed: ['x/a -> 203.0.113.9 TCP/80', 'y/a -> 203.0.113.9 TCP/80', 'x/a -> y/a TCP/80'],
    denied: ['x/a -> 198.51.100.7 TCP/80', 'v6 x/a -> 2001:db8:100::7 TCP/80', 'y/a -> 198.51.100.7 TCP/80'],
  },
  {
    name: 'a name that does not exist is nobody, wherever it stands',
    policies: [
      o.firewall('x', 'f', [o.rule('deny', { peers: [o.called('none.example')] })]),
      o.firewall('y', 'f', [allow([o.called('none.example')]), o.rule('deny')]),
    ],
    world: { names: new Map([['none.example', []]]) },
    allowed: ['x/a -> 198.51.100.7 TCP/80'],
    denied: ['y/a -> 198.51.100.7 TCP/80'],
  },
]

for (const one of [...TIERS, ...FIREWALL]) test(one.name, () => expect(allowedOf(one)).toEqual(one.allowed))

describe('a verdict says what decided', () => {
  const world = worldOf({
    policies: [
      networkPolicy('x', 'some', A, { ingress: [allow([]), allow([podsIn('z'), podsIn('y')], [port(81), port(80)])] }),
      networkPolicy('x', 'none', [], { ingress: [], egress: [] }),
      o.firewall('y', 'f', [allow([o.range('203.0.113.0/24')]), o.rule('deny', { peers: [o.called('no.example')] })]),
      o.firewall('z', 'f', []),
      o.firewall('z', 'g', []),
      anp('early', 1, [{ ...allow([podsIn('y', B)]), name: 'let b in' }]),
    ],
  })
  const some = { kind: 'NetworkPolicy', namespace: 'x', name: 'some' } as const
  const none = { kind: 'NetworkPolicy', namespace: 'x', name: 'none' } as const
  test.each([
    ['198.51.100.7 -> y/a TCP/80', { egress: { because: 'not-a-pod' }, ingress: { because: 'no-policy' } }],
    ['x/a -> x/a TCP/80', { egress: { because: 'itself' }, ingress: { because: 'itself' } }],
    ['10.128.0.1 -> x/a TCP/80', { ingress: { because: 'own-node' } }],
    ['z/b -> x/b TCP/80', { ingress: { because: 'isolated', by: [none] } }],
    ['y/c -> x/a TCP/82', { ingress: { because: 'isolated', by: [none, some] } }],
    ['y/a -> x/a TCP/80', { ingress: { because: 'rule', rule: { policy: some, index: 1, peer: 1, port: 1 } } }],
    [
      'y/b -> x/b TCP/80',
      { ingress: { because: 'rule', rule: { name: 'let b in', index: 0, peer: 0, tier: 'admin' } } },
    ],
    ['y/a -> 203.0.113.9 TCP/80', { egress: { because: 'rule', rule: { tier: 'firewall', index: 0 } } }],
    [
      'y/a -> 198.51.100.7 TCP/80',
      { egress: { because: 'firewall', problem: { field: 'spec.egress[1].to.dnsName' } } },
    ],
    ['z/a -> 198.51.100.7 TCP/80', { egress: { because: 'firewall', problem: { field: 'metadata.namespace' } } }],
  ] as const)('%s', (question, expected) => {
    expect(judge(world, ask(world, question))).toMatchObject(expected)
  })
})
