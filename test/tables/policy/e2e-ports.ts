/** Ports and ranges of addresses. */
import type { E2eCase } from './e2e.ts'
import { A, ALL, cells, fixed, NOBODY, only, onlyTo, onPorts, x, Y } from './e2e-words.ts'
import { allow, everyPort, labelled, PODS, podsIn, podsOf, port, portCalled, range } from './objects.ts'

export const PORTS: readonly E2eCase[] = [
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

/** y/b and z/a: 10.129.0.6 and 10.129.0.8; x/a and y/c: 10.128.0.2 and 10.128.0.7, of pod numbers 2 to 10. */
const [yb] = PODS.filter(({ namespace: where, name }) => where === 'y' && name === 'b')
const hosts = (yb?.addresses ?? []).map((address) => `${address}/${address.includes(':') ? 128 : 32}`)
const nodes = (n: 1 | 2) => [`10.${127 + n}.0.0/23`, `fd00:10:128:${n}::/64`] as const
const without = (n: 1 | 2) => nodes(n).map((network, i) => range(network, hosts[i] ?? ''))
const homes = (node: string) => PODS.filter((one) => one.node === node).map((one) => `${one.namespace}/${one.name}`)
const HOME_OF_B = yb?.node === 'node1' ? 1 : 2
const NEIGHBOURS = homes(`node${HOME_OF_B}`)

export const RANGES: readonly E2eCase[] = [
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
