/** The semantics, rule by rule: a world, connections, and which of them are allowed. */
import { describe, expect, test } from 'bun:test'
import * as o from '../../../test/tables/policy/objects.ts'
import { ip } from '../model/address.ts'
import type { Policy } from '../model/policy.ts'
import { judge, partyOf } from './oracle.ts'
import type { Connection, PolicyWorld } from './verdict.ts'

/** `x/a -> y/b TCP/80`: pods by name, everything else by address; with `v6` in front, in IPv6. */
type Question = string

interface Case {
  readonly name: string
  readonly policies: readonly Policy[]
  readonly world?: Partial<PolicyWorld>
  readonly allowed: readonly Question[]
  readonly denied: readonly Question[]
}

function worldOf({ policies, world }: Pick<Case, 'policies' | 'world'>): PolicyWorld {
  const fixed = { namespaces: o.NAMESPACES, pods: o.PODS, nodes: o.NODES, podNetworks: o.POD_NETWORKS }
  return { ...fixed, policies, names: new Map(), ...world }
}

function ask(world: PolicyWorld, question: Question): Connection {
  const [, v6, from = '', to = '', protocol = '', port = '0'] =
    /^(v6 )?(\S+) -> (\S+) ([A-Z]+)(?:\/(\d+))?$/.exec(question) ?? []
  const address = (end: string) => {
    const pod = [...world.pods].find(({ namespace, name }) => `${namespace}/${name}` === end)
    return pod === undefined ? ip(end) : (pod.addresses[v6 === undefined ? 0 : 1] ?? ip(''))
  }
  return {
    source: partyOf(world, address(from)),
    destination: partyOf(world, address(to)),
    protocol: protocol as Connection['protocol'],
    port: Number(port),
  }
}

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
const FIRST_NODE_PEERS = [o.range('192.0.2.11/32')]

const NETWORK_POLICY: readonly Case[] = [
  {
    name: '1. selects pods of its own namespace, by live labels',
    policies: [networkPolicy('x', 'p', A, { ingress: [] })],
    world: { pods: [...o.PODS.slice(0, 1), o.pod('x', 'b', 2, 3, { labels: { pod: 'a' } }), ...o.PODS.slice(2)] },
    allowed: ['y/a -> x/c TCP/80', 'x/a -> y/a TCP/80'],
    denied: ['y/a -> x/a TCP/80', 'y/a -> x/b TCP/80'],
  },
  {
    name: '1. NotIn takes in pods without the label',
    policies: [networkPolicy('x', 'p', o.demand('tier', 'NotIn', 'db'), { ingress: [] })],
    allowed: ['x/b -> y/a TCP/80'],
    denied: ['y/a -> x/a TCP/80'],
  },
  {
    name: '2. a direction that is not spoken of is free',
    policies: [networkPolicy('x', 'p', A, { egress: [] })],
    allowed: ['y/a -> x/a TCP/80'],
    denied: ['x/a -> y/a TCP/80'],
  },
  {
    name: '3. isolation is a matter of each direction',
    policies: [networkPolicy('x', 'in', A, { ingress: [allow(fromY)] }), networkPolicy('x', 'out', B, { egress: [] })],
    allowed: ['x/a -> y/a TCP/80', 'y/a -> x/b TCP/80', 'y/a -> x/a TCP/80'],
    denied: ['z/a -> x/a TCP/80', 'x/b -> y/a TCP/80'],
  },
  {
    name: '4. policies add up',
    policies: [
      networkPolicy('x', 'nobody', [], { ingress: [] }),
      networkPolicy('x', 'y', A, { ingress: [allow(fromY)] }),
      networkPolicy('x', 'z', A, { ingress: [allow([podsIn('z')])] }),
    ],
    allowed: ['y/a -> x/a TCP/80', 'z/b -> x/a TCP/80'],
    denied: ['x/b -> x/a TCP/80', 'y/a -> x/b TCP/80'],
  },
  {
    name: '5. peers are alternatives, ports are alternatives, and both must match',
    policies: [
      networkPolicy('x', 'p', A, { ingress: [allow([podsIn('y'), podsIn('z')], [port(80), port(81, 'UDP')])] }),
    ],
    allowed: ['y/a -> x/a TCP/80', 'z/a -> x/a TCP/80', 'z/a -> x/a UDP/81'],
    denied: ['x/b -> x/a TCP/80', 'y/a -> x/a TCP/81', 'y/a -> x/a UDP/80'],
  },
  {
    name: '5. an empty rule allows everything',
    policies: [networkPolicy('x', 'p', A, { ingress: [allow()] })],
    allowed: ['y/a -> x/a TCP/80', '198.51.100.7 -> x/a SCTP/9', 'y/a -> x/a ICMP'],
    denied: [],
  },
  {
    name: '5. no rule allows nothing',
    policies: [networkPolicy('x', 'p', A, { ingress: [] })],
    allowed: [],
    denied: ['y/a -> x/a TCP/80', '198.51.100.7 -> x/a SCTP/9', 'y/a -> x/a ICMP'],
  },
  {
    name: '6. pods of the own namespace, of namespaces, and of both at once',
    policies: [
      networkPolicy('x', 'own', A, { ingress: [allow([podsIn('x', B)])] }),
      networkPolicy('x', 'others', B, { ingress: [allow([podsOf([])])] }),
      networkPolicy('x', 'both', labelled({ pod: 'c' }), { ingress: [allow([podsOf(Y, B)])] }),
    ],
    allowed: ['x/b -> x/a TCP/80', 'z/c -> x/b TCP/80', 'y/b -> x/c TCP/80'],
    denied: ['y/b -> x/a TCP/80', '198.51.100.7 -> x/b TCP/80', 'y/a -> x/c TCP/80', 'z/b -> x/c TCP/80'],
  },
  {
    name: '7. a range means addresses, pods’ too; what one peer leaves out another may allow',
    policies: [
      networkPolicy('x', 'p', A, {
        ingress: [allow([o.range('198.51.100.0/24', '198.51.100.128/25'), o.range('10.129.0.0/23')])],
      }),
      networkPolicy('x', 'q', B, {
        ingress: [allow([o.range('198.51.100.0/24', '198.51.100.128/25'), o.range('198.51.100.200/32')])],
      }),
    ],
    allowed: ['198.51.100.7 -> x/a TCP/80', 'x/b -> x/a TCP/80', '198.51.100.200 -> x/b TCP/80'],
    denied: ['198.51.100.200 -> x/a TCP/80', 'x/c -> x/a TCP/80', '203.0.113.9 -> x/b TCP/80'],
  },
  {
    name: '7. a range speaks of its own family only',
    policies: [networkPolicy('x', 'p', A, { ingress: [allow([o.range('0.0.0.0/0')])] })],
    allowed: ['y/a -> x/a TCP/80'],
    denied: ['v6 y/a -> x/a TCP/80', 'v6 2001:db8:100::7 -> x/a TCP/80'],
  },
  {
    name: '8. a name is that of the destination pod, by its protocol; others lack it',
    policies: [
      networkPolicy('x', 'in', A, { ingress: [allow(undefined, [o.portCalled('serve-80-tcp', 'TCP')])] }),
      networkPolicy('x', 'out', B, { egress: [allow(undefined, [o.portCalled('web')])] }),
    ],
    world: {
      pods: [
        ...o.PODS.slice(0, 3),
        o.pod('y', 'a', 2, 5, { namedPorts: [{ name: 'web', protocol: 'TCP', port: 8080 }] }),
        o.pod('y', 'b', 1, 6, { namedPorts: [{ name: 'web', protocol: 'UDP', port: 53 }] }),
      ],
    },
    allowed: ['y/a -> x/a TCP/80', 'x/b -> y/a TCP/8080', 'x/b -> y/b UDP/53'],
    denied: [
      'y/a -> x/a TCP/81',
      'y/a -> x/a UDP/80',
      'x/b -> y/a TCP/80',
      'x/b -> y/b TCP/53',
      'x/b -> 198.51.100.7 TCP/8080',
    ],
  },
  {
    name: '8. a port without a number is every port of its protocol',
    policies: [networkPolicy('x', 'p', A, { ingress: [allow(undefined, [o.everyPort('UDP')])] })],
    allowed: ['y/a -> x/a UDP/80', 'y/a -> x/a UDP/65535'],
    denied: ['y/a -> x/a TCP/80', 'y/a -> x/a ICMP'],
  },
  {
    name: '9. a range of ports includes both ends',
    policies: [networkPolicy('x', 'p', A, { ingress: [allow(undefined, [port(80, 'TCP', 81)])] })],
    allowed: ['y/a -> x/a TCP/80', 'y/a -> x/a TCP/81'],
    denied: ['y/a -> x/a TCP/79', 'y/a -> x/a TCP/82', 'y/a -> x/a SCTP/80'],
  },
  {
    name: '10. both ends must allow it',
    policies: [
      networkPolicy('x', 'out', A, { egress: [allow(fromY)] }),
      networkPolicy('y', 'in', A, { ingress: [allow([podsIn('x', B)])] }),
    ],
    allowed: ['x/a -> y/b TCP/80', 'x/b -> y/a TCP/80'],
    denied: ['x/a -> y/a TCP/80', 'x/a -> z/a TCP/80'],
  },
  {
    name: '11. a pod’s own node reaches it, and so does it itself',
    policies: [networkPolicy('x', 'p', [], { ingress: [], egress: [] })],
    allowed: ['192.0.2.11 -> x/a TCP/80', '10.128.0.1 -> x/a TCP/80', 'x/a -> x/a TCP/80'],
    denied: ['192.0.2.12 -> x/a TCP/80', '10.129.0.1 -> x/a TCP/80', 'x/a -> x/c TCP/80', 'x/a -> 10.128.0.1 TCP/80'],
  },
  {
    name: '12. pods on a node’s own network are that node: no selector means them, ranges do',
    policies: [
      networkPolicy('x', 'all', A, { ingress: [allow([podsOf([])])] }),
      networkPolicy('x', 'node', B, { ingress: [allow(FIRST_NODE_PEERS)] }),
      networkPolicy('y', 'p', [], { egress: [] }),
      networkPolicy('x', 'out', labelled({ pod: 'c' }), { egress: [allow(FIRST_NODE_PEERS)] }),
    ],
    world: { pods: [...o.PODS, { ...o.pod('y', 'host', 2, 9), addresses: [ip('192.0.2.12')] }] },
    allowed: ['y/host -> z/a TCP/80', '10.128.0.1 -> x/b TCP/80', 'x/c -> 192.0.2.11 TCP/80'],
    denied: ['y/host -> x/a TCP/80', '10.129.0.1 -> x/a TCP/80', 'y/a -> x/b TCP/80', 'x/c -> 10.128.0.1 TCP/80'],
  },
  {
    name: '13. ICMP: only rules without ports speak of it',
    policies: [networkPolicy('x', 'p', A, { ingress: [allow(fromY, [port(80)]), allow([podsIn('z')])] })],
    allowed: ['z/a -> x/a ICMP', 'y/a -> x/a TCP/80'],
    denied: ['y/a -> x/a ICMP'],
  },
  {
    name: '14. a pod of a namespace that is not known yet is isolated by name',
    policies: [networkPolicy('x', 'p', [], { ingress: [] })],
    world: { namespaces: [] },
    allowed: ['x/a -> y/a TCP/80'],
    denied: ['y/a -> x/a TCP/80'],
  },
  {
    name: '15. a namespace goes by its name’s label',
    policies: [
      networkPolicy('x', 'p', A, { ingress: [allow([podsOf(labelled({ 'kubernetes.io/metadata.name': 'y' }))])] }),
    ],
    allowed: ['y/a -> x/a TCP/80'],
    denied: ['z/a -> x/a TCP/80'],
  },
  {
    name: '16. without policies everything is allowed; an address that went to another pod is that pod’s',
    policies: [networkPolicy('x', 'p', A, { ingress: [allow([podsIn('y', A)])] })],
    world: { pods: [...o.PODS.slice(0, 3), o.pod('y', 'b', 2, 5)] },
    allowed: ['x/a -> 203.0.113.9 TCP/80', 'y/b -> x/b TCP/80'],
    denied: ['y/b -> x/a TCP/80'],
  },
  {
    name: '17. an action that the tier cannot have allows nobody',
    policies: [networkPolicy('x', 'p', A, { ingress: [{ action: 'deny' }, { action: 'pass' }] })],
    allowed: ['y/a -> x/b TCP/80'],
    denied: ['y/a -> x/a TCP/80'],
  },
]

const TIERS: readonly Case[] = [
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
const FIREWALL: readonly Case[] = [
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
]

for (const [title, cases] of Object.entries({ NetworkPolicy: NETWORK_POLICY, tiers: TIERS, firewall: FIREWALL })) {
  describe(title, () => {
    for (const one of cases) {
      test(one.name, () => {
        const world = worldOf(one)
        const questions = [...one.allowed, ...one.denied]
        const allowed = questions.filter((question) => judge(world, ask(world, question)).allowed)
        expect(allowed).toEqual([...one.allowed])
      })
    }
  })
}

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
