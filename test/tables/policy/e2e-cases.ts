/** The e2e suite's list. */
import type { Policy } from '../../../src/network/model/policy.ts'
import type { E2eCase, Stage } from './e2e.ts'
import {
  allow,
  demand,
  everyPort,
  labelled,
  NAMESPACES,
  namespace,
  networkPolicy,
  PODS,
  pod,
  podsIn,
  podsOf,
  port,
  portCalled,
  range,
} from './objects.ts'

const A = labelled({ pod: 'a' })
const X = labelled({ ns: 'x' })
const Y = labelled({ ns: 'y' })
const nsName = (name: string) => labelled({ 'kubernetes.io/metadata.name': name })
/** Isolated, and nobody allowed. */
const NOBODY = { ingress: [] } as const

/** A policy for the pods of x. */
const x = (name: string, pods: Policy['subject']['pods'], ways: Parameters<typeof networkPolicy>[3]): Policy =>
  networkPolicy('x', name, pods, ways)

/** Nobody reaches these but those. */
const only = (to: string, ...froms: readonly string[]) =>
  [['*', to, false], ...froms.map((from) => [from, to, true] as const)] as const

/** From these to nobody but those. */
const onlyTo = (from: string, ...tos: readonly string[]) =>
  [[from, '*', false], ...tos.map((to) => [from, to, true] as const)] as const

const ALL: Stage['expect'] = []
const cells = (...list: NonNullable<Stage['expect'][number]>['cells']): Stage['expect'] => [{ cells: list }]
/** Only these ports have this table; of all others nothing arrives at `to`. */
const onPorts = (to: string, on: readonly string[], list: Stage['expect'][number]['cells']): Stage['expect'] => [
  { cells: [['*', to, false]] },
  { on, cells: list },
]
/** A case whose world does not change. */
const fixed = (name: string, policies: readonly Policy[], expect: Stage['expect']): E2eCase => ({
  name,
  policies,
  stages: [{ about: 'at the beginning', expect }],
})

const SELECTORS: readonly E2eCase[] = [
  fixed('deny ingress in a namespace', [x('deny', [], NOBODY)], cells(['*', 'x/*', false])),
  fixed(
    'deny all, in and out',
    [x('deny', [], { ingress: [], egress: [] })],
    cells(['*', 'x/*', false], ['x/*', '*', false]),
  ),
  fixed(
    'from pods by label',
    [x('p', A, { ingress: [allow([podsIn('x', labelled({ pod: 'b' }))])] })],
    cells(...only('x/a', 'x/b')),
  ),
  fixed(
    'to one pod in a namespace',
    [x('p', A, { ingress: [allow()] }), x('deny', [], NOBODY)],
    cells(['*', 'x/*', false], ['*', 'x/a', true]),
  ),
  fixed('from a namespace by label', [x('p', A, { ingress: [allow([podsOf(Y)])] })], cells(...only('x/a', 'y/*'))),
  fixed(
    'from namespaces, for all of a namespace',
    [x('p', [], { ingress: [allow([podsOf(demand('ns', 'In', 'y', 'z'))])] })],
    cells(...only('x/*', 'y/*', 'z/*')),
  ),
  fixed(
    'namespaces by an expression on their name',
    [x('p', A, { ingress: [allow([podsOf(demand('kubernetes.io/metadata.name', 'NotIn', 'x'))])] })],
    cells(...only('x/a', 'y/*', 'z/*')),
  ),
  fixed(
    'pods by an expression',
    [x('p', A, { ingress: [allow([podsIn('x', demand('pod', 'In', 'b'))])] })],
    cells(...only('x/a', 'x/b')),
  ),
  fixed(
    'namespaces by an expression',
    [x('p', A, { ingress: [allow([podsOf(demand('ns', 'In', 'y'))])] })],
    cells(...only('x/a', 'y/*')),
  ),
  fixed(
    'pods or namespaces',
    [x('p', A, { ingress: [allow([podsOf(demand('ns', 'NotIn', 'x', 'z')), podsIn('x', labelled({ pod: 'b' }))])] })],
    cells(...only('x/a', 'y/*', 'x/b')),
  ),
  fixed(
    'pods and namespaces',
    [x('p', A, { ingress: [allow([podsOf(demand('ns', 'NotIn', 'x', 'z'), labelled({ pod: 'b' }))])] })],
    cells(...only('x/a', 'y/b')),
  ),
  fixed(
    'several pods of several namespaces',
    [x('p', A, { ingress: [allow([podsOf(demand('ns', 'NotIn', 'x'), demand('pod', 'In', 'b', 'c'))])] })],
    cells(...only('x/a', 'y/b', 'y/c', 'z/b', 'z/c')),
  ),
  fixed('any pod of any namespace', [x('p', A, { ingress: [allow([podsOf([])])] })], ALL),
  fixed(
    'labels that are not there',
    [
      x('p', A, {
        ingress: [allow([podsOf([], demand('tier', 'DoesNotExist')), podsIn('x', demand('tier', 'Exists'))])],
      }),
    ],
    ALL,
  ),
  fixed(
    'only one namespace, by its name',
    [x('p', A, { ingress: [allow([podsOf(nsName('y'))])] })],
    cells(...only('x/a', 'y/*')),
  ),
  fixed(
    'out to one namespace, by its name',
    [x('p', A, { egress: [allow([podsOf(nsName('y'))])] })],
    cells(...onlyTo('x/a', 'y/*')),
  ),
]

const PORTS: readonly E2eCase[] = [
  fixed('one port', [x('p', A, { ingress: [allow(undefined, [port(81)])] })], onPorts('x/a', ['TCP/81'], [])),
  fixed(
    'one port, from a namespace',
    [x('p', A, { ingress: [allow([podsOf(Y)], [port(81)])] })],
    onPorts('x/a', ['TCP/81'], [...only('x/a', 'y/*')]),
  ),
  fixed(
    'policies that add up',
    [
      x('eighty', A, { ingress: [allow([podsOf(Y)], [port(80)])] }),
      x('other', A, { ingress: [allow([podsOf(Y)], [port(81)])] }),
    ],
    onPorts('x/a', ['TCP/80', 'TCP/81'], [...only('x/a', 'y/*')]),
  ),
  {
    name: 'policies that come one after the other',
    policies: [x('eighty', A, { ingress: [allow([podsOf(Y)], [port(80)])] })],
    stages: [
      { about: 'one', expect: onPorts('x/a', ['TCP/80'], [...only('x/a', 'y/*')]) },
      {
        about: 'two',
        steps: [{ op: 'put-policy', policy: x('other', A, { ingress: [allow([podsOf(Y)], [port(81)])] }) }],
        expect: onPorts('x/a', ['TCP/80', 'TCP/81'], [...only('x/a', 'y/*')]),
      },
    ],
  },
  fixed('allow all', [x('p', [], { ingress: [allow()] })], ALL),
  fixed('allow all beats whatever else', [x('p', [], { ingress: [allow()] }), x('deny', [], NOBODY)], ALL),
  fixed(
    'a range of ports',
    [x('p', A, { ingress: [allow(undefined, [port(80, 'TCP', 81)])] })],
    onPorts('x/a', ['TCP/80', 'TCP/81'], []),
  ),
  fixed(
    'a named port',
    [x('p', A, { ingress: [allow(undefined, [portCalled('serve-81-tcp', 'TCP')])] })],
    onPorts('x/a', ['TCP/81'], []),
  ),
  fixed(
    'a named port, from another namespace',
    [x('p', A, { ingress: [allow([podsOf(Y)], [portCalled('serve-80-tcp', 'TCP')])] })],
    onPorts('x/a', ['TCP/80'], [...only('x/a', 'y/*')]),
  ),
  fixed(
    'out to a named port',
    [x('p', A, { egress: [allow(undefined, [portCalled('serve-80-tcp', 'TCP')])] })],
    [{ cells: [['x/a', '*', false]] }, { on: ['TCP/80'], cells: [] }],
  ),
  fixed(
    'a named port of another protocol is none',
    [x('p', A, { ingress: [allow(undefined, [portCalled('serve-80-tcp', 'UDP')])] })],
    cells(['*', 'x/a', false]),
  ),
  ...(['UDP', 'SCTP'] as const).flatMap((protocol): E2eCase[] => [
    fixed(
      `one port of ${protocol}`,
      [x('p', A, { ingress: [allow(undefined, [port(81, protocol)])] })],
      onPorts('x/a', [`${protocol}/81`], []),
    ),
    fixed(
      `a rule about ${protocol} says nothing about others`,
      [
        x('p', A, { ingress: [allow([podsOf(Y)], [port(80, protocol)])] }),
        x('tcp', A, { ingress: [allow(undefined, [everyPort('TCP')])] }),
      ],
      [
        { cells: [['*', 'x/a', false]] },
        { on: ['TCP/80', 'TCP/81', 'TCP/82'], cells: [] },
        { on: [`${protocol}/80`], cells: [...only('x/a', 'y/*')] },
      ],
    ),
    fixed(
      `a named port of ${protocol}`,
      [
        x('p', A, {
          ingress: [
            allow([podsIn('x', labelled({ pod: 'b' }))], [portCalled(`serve-81-${protocol.toLowerCase()}`, protocol)]),
          ],
        }),
      ],
      onPorts('x/a', [`${protocol}/81`], [...only('x/a', 'x/b')]),
    ),
  ]),
]

const EGRESS: readonly E2eCase[] = [
  fixed('out of a namespace, nothing', [x('p', [], { egress: [] })], cells(['x/*', '*', false])),
  fixed('out of a pod, nothing', [x('p', A, { egress: [] })], cells(['x/a', '*', false])),
  fixed(
    'out of a pod by label, to a pod by label',
    [x('p', A, { egress: [allow([podsOf([], labelled({ pod: 'b' }))])] })],
    cells(...onlyTo('x/a', 'x/b', 'y/b', 'z/b')),
  ),
  fixed(
    'out and in, of one policy',
    [x('p', A, { ingress: [allow([podsOf(Y)])], egress: [allow([podsOf(labelled({ ns: 'z' }))])] })],
    cells(...only('x/a', 'y/*'), ...onlyTo('x/a', 'z/*')),
  ),
  fixed('only in: out is free', [x('p', A, { ingress: [] })], cells(['*', 'x/a', false])),
  fixed('only out: in is free', [x('p', A, { egress: [] })], cells(['x/a', '*', false])),
  fixed(
    'both ends: out of one, into the other',
    [
      x('out', A, { egress: [allow([podsOf(Y)])] }),
      networkPolicy('y', 'in', A, { ingress: [allow([podsOf(X, labelled({ pod: 'b' }))])] }),
    ],
    cells(...onlyTo('x/a', 'y/*'), ...only('y/a', 'x/b')),
  ),
  fixed(
    'several rules, in and out',
    [
      x('p', A, {
        ingress: [allow([podsIn('x', labelled({ pod: 'b' }))]), allow([podsOf(Y)])],
        egress: [allow([podsIn('x', labelled({ pod: 'c' }))]), allow([podsOf(labelled({ ns: 'z' }))])],
      }),
    ],
    cells(...only('x/a', 'x/b', 'y/*'), ...onlyTo('x/a', 'x/c', 'z/*')),
  ),
]

/** y/b and z/a: 10.129.0.6 and 10.129.0.8; x/a and y/c: 10.128.0.2 and 10.128.0.7, of pod numbers 2 to 10. */
const [yb] = PODS.filter(({ namespace: where, name }) => where === 'y' && name === 'b')
const hosts = (yb?.addresses ?? []).map((address) => `${address}/${address.includes(':') ? 128 : 32}`)
const nodes = (n: 1 | 2) => [`10.${127 + n}.0.0/23`, `fd00:10:128:${n}::/64`] as const
const without = (n: 1 | 2) => nodes(n).map((network, i) => range(network, hosts[i] ?? ''))
const homes = (node: string) => PODS.filter((one) => one.node === node).map((one) => `${one.namespace}/${one.name}`)
const HOME_OF_B = yb?.node === 'node1' ? 1 : 2
const NEIGHBOURS = homes(`node${HOME_OF_B}`)

const RANGES: readonly E2eCase[] = [
  fixed(
    'out to a range',
    [x('p', A, { egress: [allow(nodes(HOME_OF_B).map((network) => range(network)))] })],
    cells(...onlyTo('x/a', ...NEIGHBOURS)),
  ),
  fixed(
    'out to a range, but for an address',
    [x('p', A, { egress: [allow(without(HOME_OF_B))] })],
    cells(...onlyTo('x/a', ...NEIGHBOURS), ['x/a', 'y/b', false]),
  ),
  fixed(
    'an address that one peer leaves out and another allows',
    [x('p', A, { egress: [allow([...without(HOME_OF_B), ...hosts.map((host) => range(host))])] })],
    cells(...onlyTo('x/a', ...NEIGHBOURS)),
  ),
  fixed(
    'an address that one policy leaves out and another allows',
    [
      x('p', A, { egress: [allow(without(HOME_OF_B))] }),
      x('q', A, { egress: [allow(hosts.map((host) => range(host)))] }),
    ],
    cells(...onlyTo('x/a', ...NEIGHBOURS)),
  ),
  fixed(
    'in from a range, but for an address',
    [x('p', A, { ingress: [allow(without(HOME_OF_B), [everyPort('TCP')])] })],
    onPorts('x/a', ['TCP/80', 'TCP/81', 'TCP/82'], [...only('x/a', ...NEIGHBOURS), ['y/b', 'x/a', false]]),
  ),
]

const deny = x('deny', [], NOBODY)
const fromTeam = x('p', A, { ingress: [allow([podsOf(demand('team', 'In', 'red'))])] })
const fromTier = x('p', A, { ingress: [allow([podsOf([], labelled({ tier: 'web' }))])] })
const byLabel = x('p', labelled({ role: 'target' }), NOBODY)
const relabelled = (where: string, name: string, labels: Record<string, string>) => {
  const old = PODS.find((one) => one.namespace === where && one.name === name)
  return { op: 'put-pod', pod: { ...(old ?? pod(where, name, 1, 99)), labels: { pod: name, ...labels } } } as const
}

const CHANGES: readonly E2eCase[] = [
  {
    name: 'a policy is updated',
    policies: [x('p', A, { ingress: [allow()] })],
    stages: [
      { about: 'allow all', expect: ALL },
      {
        about: 'one port',
        steps: [{ op: 'put-policy', policy: x('p', A, { ingress: [allow(undefined, [port(81)])] }) }],
        expect: onPorts('x/a', ['TCP/81'], []),
      },
      {
        about: 'another port',
        steps: [{ op: 'put-policy', policy: x('p', A, { ingress: [allow(undefined, [port(80)])] }) }],
        expect: onPorts('x/a', ['TCP/80'], []),
      },
    ],
  },
  {
    name: 'a namespace’s labels change',
    policies: [fromTeam],
    stages: [
      { about: 'no label', expect: cells(['*', 'x/a', false]) },
      {
        about: 'the label',
        steps: [{ op: 'put-namespace', namespace: namespace('y', { team: 'red' }) }],
        expect: cells(...only('x/a', 'y/*')),
      },
      {
        about: 'no label again',
        steps: [{ op: 'put-namespace', namespace: namespace('y') }],
        expect: cells(['*', 'x/a', false]),
      },
    ],
  },
  {
    name: 'a pod’s labels change: as a peer',
    policies: [fromTier],
    stages: [
      { about: 'no label', expect: cells(['*', 'x/a', false]) },
      { about: 'the label', steps: [relabelled('y', 'b', { tier: 'web' })], expect: cells(...only('x/a', 'y/b')) },
      { about: 'another', steps: [relabelled('y', 'b', { tier: 'db' })], expect: cells(['*', 'x/a', false]) },
    ],
  },
  {
    name: 'a pod’s labels change: as a target',
    policies: [byLabel],
    stages: [
      { about: 'no label', expect: ALL },
      { about: 'the label', steps: [relabelled('x', 'b', { role: 'target' })], expect: cells(['*', 'x/b', false]) },
      { about: 'no label again', steps: [relabelled('x', 'b', {})], expect: ALL },
    ],
  },
  {
    name: 'deny ingress to a pod, then delete the policy',
    policies: [deny],
    stages: [
      { about: 'the policy', expect: cells(['*', 'x/*', false]) },
      { about: 'no policy', steps: [{ op: 'remove-policy', key: 'NetworkPolicy/x/deny' }], expect: ALL },
    ],
  },
  {
    name: 'a policy comes after the pods',
    policies: [],
    stages: [
      { about: 'no policy', expect: ALL },
      { about: 'the policy', steps: [{ op: 'put-policy', policy: deny }], expect: cells(['*', 'x/*', false]) },
    ],
  },
  {
    name: 'from other namespaces nothing, from the own all',
    policies: [x('p', [], { ingress: [allow([podsIn('x')])] })],
    stages: [
      { about: 'at the beginning', expect: cells(...only('x/*', 'x/*')) },
      {
        about: 'a pod moved to another node, with another address',
        steps: [
          { op: 'remove-pod', key: 'x/c' },
          { op: 'put-pod', pod: pod('x', 'c', 2, 40) },
        ],
        expect: cells(...only('x/*', 'x/*')),
      },
      {
        about: 'its old address is another pod’s now',
        steps: [{ op: 'put-pod', pod: pod('z', 'c', 1, 4) }],
        expect: cells(...only('x/*', 'x/*')),
      },
    ],
  },
  {
    name: 'a namespace without labels of its own',
    policies: [x('p', A, { ingress: [allow([podsOf(nsName('z'))])] })],
    namespaces: [...NAMESPACES.slice(0, 2), { name: 'z', uid: 'uid-z' }],
    stages: [{ about: 'at the beginning', expect: cells(...only('x/a', 'z/*')) }],
  },
]

export const E2E_CASES: readonly E2eCase[] = [...SELECTORS, ...PORTS, ...EGRESS, ...RANGES, ...CHANGES]
