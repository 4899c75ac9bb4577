/**
 * NetworkPolicies, and what they say. Numbers are those of the rules in the Kubernetes documentation's order: who is
 * selected, in which directions, what is allowed.
 * @module
 */

/** What an object says, as far as it is looked at. `null`: the direction is not spoken of. */
export interface Said {
  readonly pods?: readonly object[]
  readonly ingress?: readonly object[] | null
  readonly egress?: readonly object[] | null
}

type Case = readonly [title: string, spec: object, said: Said]

const ALL = { action: 'allow' }
const own = (...pods: readonly object[]) => ({ type: 'pods', namespaces: { name: 'shop' }, pods })
const is = (key: string, ...values: readonly string[]) => ({ key, operator: 'In', values })
const range = (cidr: string, ...except: readonly string[]) => ({ type: 'range', range: cidr, except })
const from = (...peers: readonly object[]) => ({ ingress: [{ from: peers }] })
const allows = (...peers: readonly object[]): Said => ({ ingress: [{ action: 'allow', peers }] })
const ports = (...given: readonly object[]) => ({ ingress: [{ ports: given }] })
const allowsPorts = (...given: readonly object[]): Said => ({ ingress: [{ action: 'allow', ports: given }] })
const tcp = (first: number, last = first) => ({ type: 'numbers', protocol: 'TCP', from: first, to: last })

/** Whom a policy is about, and which directions. */
export const SUBJECTS: readonly Case[] = [
  ['nothing said: all pods, nobody connects to them', {}, { pods: [], ingress: [], egress: null }],
  ['an empty selector: all pods', { podSelector: {} }, { pods: [] }],
  [
    'labels and expressions: all of them have to hold',
    {
      podSelector: {
        matchLabels: { app: 'web', tier: '' },
        matchExpressions: [
          { key: 'a', operator: 'In', values: ['x', 'y'] },
          { key: 'b', operator: 'NotIn', values: ['z'] },
          { key: 'c', operator: 'Exists' },
          { key: 'example.org/d', operator: 'DoesNotExist', values: [] },
        ],
      },
    },
    {
      pods: [
        is('app', 'web'),
        is('tier', ''),
        is('a', 'x', 'y'),
        { key: 'b', operator: 'NotIn', values: ['z'] },
        { key: 'c', operator: 'Exists', values: [] },
        { key: 'example.org/d', operator: 'DoesNotExist', values: [] },
      ],
    },
  ],
  ['no types, with egress rules: both', { egress: [{}] }, { ingress: [], egress: [ALL] }],
  ['no types, an empty list of egress rules: ingress alone', { egress: [] }, { ingress: [], egress: null }],
  ['an empty list of types is none', { policyTypes: [], egress: [{}] }, { ingress: [], egress: [ALL] }],
  ['egress alone', { policyTypes: ['Egress'] }, { ingress: null, egress: [] }],
  ['egress alone: what ingress says does not count', { policyTypes: ['Egress'], ingress: [{}] }, { ingress: null }],
  ['ingress alone', { policyTypes: ['Ingress'], egress: [{}] }, { ingress: [], egress: null }],
  ['both, no rules: nothing at all', { policyTypes: ['Ingress', 'Egress'] }, { ingress: [], egress: [] }],
]

/** Which connections rules speak of. */
export const RULES: readonly Case[] = [
  ['an empty rule allows everything', { ingress: [{}] }, { ingress: [ALL] }],
  ['empty lists restrict nothing', { ingress: [{ from: [], ports: [] }] }, { ingress: [ALL] }],
  ['no rules allow nothing', { ingress: [] }, { ingress: [] }],
  [
    'each rule is one, in both directions',
    { ingress: [{}, { ports: [{ port: 80 }] }], egress: [{ to: [{ podSelector: {} }] }] },
    { ingress: [ALL, { action: 'allow', ports: [tcp(80)] }], egress: [{ action: 'allow', peers: [own()] }] },
  ],
  ['pods of the own namespace', from({ podSelector: { matchLabels: { a: 'b' } } }), allows(own(is('a', 'b')))],
  ['all pods of the own namespace', from({ podSelector: {} }), allows(own())],
  [
    'all pods of namespaces',
    from({ namespaceSelector: { matchLabels: { team: 'x' } } }),
    allows({ type: 'pods', namespaces: { labels: [is('team', 'x')] }, pods: [] }),
  ],
  [
    'all pods of all namespaces',
    from({ namespaceSelector: {} }),
    allows({ type: 'pods', namespaces: { labels: [] }, pods: [] }),
  ],
  [
    'both selectors: pods that match in namespaces that match',
    from({ namespaceSelector: { matchLabels: { team: 'x' } }, podSelector: { matchLabels: { a: 'b' } } }),
    allows({ type: 'pods', namespaces: { labels: [is('team', 'x')] }, pods: [is('a', 'b')] }),
  ],
  [
    'two peers: either',
    from({ namespaceSelector: {} }, { podSelector: {} }),
    allows({ type: 'pods', namespaces: { labels: [] }, pods: [] }, own()),
  ],
  [
    'ranges of both families',
    from({ ipBlock: { cidr: '0.0.0.0/0' } }, { ipBlock: { cidr: '2001:DB8::/32', except: ['2001:db8:1::/48'] } }),
    allows(range('0.0.0.0/0'), range('2001:db8::/32', '2001:db8:1::/48')),
  ],
  [
    'what is beyond the prefix does not count, nor do zeros in front',
    from({ ipBlock: { cidr: '10.1.2.3/8', except: ['010.001.2.3/16'] } }),
    allows(range('10.0.0.0/8', '10.1.0.0/16')),
  ],
  ['a port is of TCP', ports({ port: 80 }), allowsPorts(tcp(80))],
  [
    'a protocol alone: every port of it',
    ports({ protocol: 'SCTP' }),
    allowsPorts({ type: 'protocol', protocol: 'SCTP' }),
  ],
  ['nothing of a port: every one of TCP', ports({}), allowsPorts({ type: 'protocol', protocol: 'TCP' })],
  ['a range of ports', ports({ port: 80, endPort: 90 }), allowsPorts(tcp(80, 90))],
  ['a range of one', ports({ port: 80, endPort: 80 }), allowsPorts(tcp(80))],
  [
    'a name, of a protocol',
    ports({ port: 'http' }, { port: 'dns', protocol: 'UDP' }),
    allowsPorts({ type: 'named', name: 'http', protocol: 'TCP' }, { type: 'named', name: 'dns', protocol: 'UDP' }),
  ],
]

/** What is not understood, and where that is told. An API server refuses these. */
export const BROKEN: readonly (readonly [...Case, fields: readonly string[]])[] = [
  ...broken('of a peer, it alone is left out', [
    ['nothing of it', [{}, { podSelector: {} }], [own()], ['spec.ingress[0].from[0]']],
    ['all is left: nobody', [{}], [], ['spec.ingress[0].from[0]']],
    ['no object', ['x', null, { podSelector: {} }], [own()], ['spec.ingress[0].from[0]', 'spec.ingress[0].from[1]']],
    ['what nobody knows', [{ serviceSelector: {} }], [], ['spec.ingress[0].from[0].serviceSelector']],
    [
      'what nobody knows, beside something known',
      [{ podSelector: {}, serviceSelector: {} }],
      [],
      ['spec.ingress[0].from[0].serviceSelector'],
    ],
    [
      'a selector beside a range',
      [{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }],
      [],
      ['spec.ingress[0].from[0]'],
    ],
    ['no range', [{ ipBlock: { cidr: '10.0.0.0/33' } }], [], ['spec.ingress[0].from[0].ipBlock.cidr']],
    ['no range at all', [{ ipBlock: {} }], [], ['spec.ingress[0].from[0].ipBlock.cidr']],
    ['IPv4 in IPv6', [{ ipBlock: { cidr: '::ffff:10.0.0.0/104' } }], [], ['spec.ingress[0].from[0].ipBlock.cidr']],
    [
      'an exception that is none: else more would be allowed',
      [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/99'] } }],
      [],
      ['spec.ingress[0].from[0].ipBlock.except[0]'],
    ],
    [
      'an exception from elsewhere',
      [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '11.0.0.0/16'] } }],
      [],
      ['spec.ingress[0].from[0].ipBlock.except[1]'],
    ],
    [
      'an exception of another family',
      [{ ipBlock: { cidr: '10.0.0.0/8', except: ['fd00::/64'] } }],
      [],
      ['spec.ingress[0].from[0].ipBlock.except[0]'],
    ],
    [
      'a selector without values',
      [{ podSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }],
      [],
      ['spec.ingress[0].from[0].podSelector.matchExpressions[0].values'],
    ],
    [
      'a selector with values too many',
      [{ podSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] } }],
      [],
      ['spec.ingress[0].from[0].podSelector.matchExpressions[0].values'],
    ],
    [
      'an operator that nobody knows',
      [{ namespaceSelector: { matchExpressions: [{ key: 'a', operator: 'Like', values: ['x'] }] }, podSelector: {} }],
      [],
      ['spec.ingress[0].from[0].namespaceSelector.matchExpressions[0].operator'],
    ],
    [
      'a label that is a number',
      [{ podSelector: { matchLabels: { a: 1 } } }],
      [],
      ['spec.ingress[0].from[0].podSelector.matchLabels'],
    ],
  ]),
  ['no list of peers: nobody', { ingress: [{ from: 'all' }] }, allows(), ['spec.ingress[0].from']],
  ['no list of ports: none', { ingress: [{ ports: 'all' }] }, allowsPorts(), ['spec.ingress[0].ports']],
  [
    'a port that is none is left out',
    ports({ port: 0 }, { port: 80 }),
    allowsPorts(tcp(80)),
    ['spec.ingress[0].ports[0]'],
  ],
  ['a range that goes down', ports({ port: 80, endPort: 79 }), allowsPorts(), ['spec.ingress[0].ports[0]']],
  ['a range up to no port', ports({ port: 80, endPort: 65_536 }), allowsPorts(), ['spec.ingress[0].ports[0]']],
  ['a range from a name', ports({ port: 'http', endPort: 90 }), allowsPorts(), ['spec.ingress[0].ports[0].endPort']],
  ['a range from nothing', ports({ endPort: 90 }), allowsPorts(), ['spec.ingress[0].ports[0].endPort']],
  ['another protocol', ports({ protocol: 'ICMP' }), allowsPorts(), ['spec.ingress[0].ports[0].protocol']],
  ['what nobody knows of a port', ports({ port: 80, tls: true }), allowsPorts(), ['spec.ingress[0].ports[0].tls']],
  ['a rule that is none: nobody', { ingress: [7] }, allows(), ['spec.ingress[0]']],
  ['what nobody knows of a rule: nobody', { ingress: [{ action: 'Deny' }] }, allows(), ['spec.ingress[0].action']],
  ['no list of rules: nothing', { ingress: 'all' }, { ingress: [] }, ['spec.ingress']],
  [
    'a direction that is none: nothing in either',
    { podSelector: { matchLabels: { a: 'b' } }, policyTypes: ['Both'], ingress: [{}] },
    { pods: [], ingress: [], egress: [] },
    ['spec.policyTypes[0]'],
  ],
  [
    'a selector that is none: nothing, for all pods',
    { podSelector: { matchExpressions: 'x' }, ingress: [{}] },
    { pods: [], ingress: [], egress: [] },
    ['spec.podSelector.matchExpressions'],
  ],
  [
    'what nobody knows of a policy: nothing, for all pods',
    { priority: 7, ingress: [{}] },
    { pods: [], ingress: [], egress: [] },
    ['spec.priority'],
  ],
]

function broken(
  title: string,
  cases: readonly (readonly [string, readonly unknown[], readonly object[], readonly string[]])[],
): readonly (readonly [...Case, readonly string[]])[] {
  return cases.map(([what, given, peers, fields]) => [
    `${title}: ${what}`,
    { ingress: [{ from: given }] },
    allows(...peers),
    fields,
  ])
}
