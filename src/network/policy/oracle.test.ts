/** The semantics of NetworkPolicy, rule by rule: a world, and which connections it allows. */
import { expect, test } from 'bun:test'
import * as o from '../../../test/tables/policy/objects.ts'
import { allowedOf, type OracleCase } from '../../../test/tables/policy/questions.ts'
import { ip } from '../model/address.ts'

const { allow, labelled, networkPolicy, podsIn, podsOf, port } = o
const A = labelled({ pod: 'a' })
const B = labelled({ pod: 'b' })
const Y = labelled({ ns: 'y' })
const fromY = [podsOf(Y)]
const FIRST_NODE_PEERS = [o.range('192.0.2.11/32')]

const NETWORK_POLICY: readonly OracleCase[] = [
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

for (const one of NETWORK_POLICY) test(one.name, () => expect(allowedOf(one)).toEqual(one.allowed))
