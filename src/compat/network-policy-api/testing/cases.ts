/**
 * Objects of `policy.networking.k8s.io`, and what they say.
 * @module
 */

/** The rules of a direction; `null`: it is not spoken of. */
export interface Said {
  readonly subject?: object
  readonly ingress?: readonly object[] | null
  readonly egress?: readonly object[] | null
}

/** A case: what is in `spec` beside what every one has, what it says, and where it is told that something is not understood. */
export type Case = readonly [title: string, spec: object, said: Said, ...fields: readonly string[]]

const everywhere = { namespaces: { labels: [] }, pods: [] }
const is = (key: string, value: string) => ({ key, operator: 'In', values: [value] })
const team = { matchLabels: { team: 'x' } }
const teams = { namespaces: { labels: [is('team', 'x')] }, pods: [] }
const range = (cidr: string) => ({ type: 'range', range: cidr, except: [] })
const named = (name: string) => ({ type: 'name', name })
const numbers = (protocol: string, from: number, to = from) => ({ type: 'numbers', protocol, from, to })
const all = [{ namespaces: {} }]
const pods = (...sets: readonly object[]) => sets.map((set) => ({ type: 'pods', ...set }))
const DENY_ALL = { action: 'deny' }
const NOBODY = { action: 'allow', peers: [] }

/** Of every kind; `allow` is the word for it. */
export function commonCases(allow: string): readonly Case[] {
  const to = (...peers: readonly unknown[]) => ({ egress: [{ action: allow, to: peers }] })
  const denyTo = (...peers: readonly unknown[]) => ({ egress: [{ action: 'Deny', to: peers }] })
  const allows = (...peers: readonly object[]): Said => ({ egress: [{ action: 'allow', peers }] })
  return [
    ['no rules: nothing is said', {}, { ingress: null, egress: null }],
    ['empty lists of rules say nothing', { ingress: [], egress: [] }, { ingress: null, egress: null }],
    ['all pods of namespaces', { subject: { namespaces: team } }, { subject: teams }],
    [
      'some pods of namespaces',
      { subject: { pods: { namespaceSelector: {}, podSelector: { matchLabels: { a: 'b' } } } } },
      { subject: { namespaces: { labels: [] }, pods: [is('a', 'b')] } },
    ],
    [
      'rules in their order, with their names',
      {
        ingress: [
          { name: 'first', action: 'Deny', from: [{ namespaces: team }] },
          { action: allow, from: [{ pods: { namespaceSelector: team, podSelector: {} } }, { namespaces: {} }] },
        ],
      },
      {
        ingress: [
          { action: 'deny', name: 'first', peers: pods(teams) },
          { action: 'allow', peers: pods(teams, everywhere) },
        ],
      },
    ],
    [
      'networks',
      to({ networks: ['192.0.2.0/24', '2001:DB8::1/32'] }, { networks: ['10.0.0.0/8'] }),
      allows(range('192.0.2.0/24'), range('2001:db8::/32'), range('10.0.0.0/8')),
    ],
    [
      'domains, in rules that allow',
      to({ domainNames: ['www.Example.org.', '*.example.com', 'a_b.example.com'] }),
      allows(named('www.example.org'), named('*.example.com'), named('a_b.example.com')),
    ],
    [
      'a domain that is denied: everything is',
      denyTo({ domainNames: ['a.test'] }),
      { egress: [DENY_ALL] },
      `${TO}.domainNames`,
    ],
    ['nodes that are allowed: nobody is', to({ nodes: {} }), { egress: [NOBODY] }, `${TO}.nodes`],
    ['nodes that are denied: everything is', denyTo({ nodes: {} }), { egress: [DENY_ALL] }, `${TO}.nodes`],
    ['a peer of nothing: nobody', to({}), { egress: [NOBODY] }, TO],
    ['a peer of nothing, denied', denyTo({}), { egress: [DENY_ALL] }, TO],
    ['a peer that nobody knows: nobody', to({ services: {} }), { egress: [NOBODY] }, `${TO}.services`],
    ['two peers in one', denyTo({ namespaces: {}, networks: ['10.0.0.0/8'] }), { egress: [DENY_ALL] }, TO],
    [
      'one peer that is not understood: the whole rule is not',
      to({ networks: ['10.0.0.0/8'] }, { networks: ['10.0.0.0/99'] }),
      { egress: [NOBODY] },
      'spec.egress[0].to[1].networks[0]',
    ],
    ['no networks', to({ networks: [] }), { egress: [NOBODY] }, `${TO}.networks`],
    ['a domain that is none', to({ domainNames: ['a b'] }), { egress: [NOBODY] }, `${TO}.domainNames[0]`],
    ['a domain that is an address', to({ domainNames: ['192.0.2.1'] }), { egress: [NOBODY] }, `${TO}.domainNames[0]`],
    ['a wildcard in the middle', to({ domainNames: ['a.*.test'] }), { egress: [NOBODY] }, `${TO}.domainNames[0]`],
    ['no peers: nobody', { egress: [{ action: allow, to: [] }] }, { egress: [NOBODY] }, 'spec.egress[0].to'],
    ['not a word about peers, denied', { egress: [{ action: 'Deny' }] }, { egress: [DENY_ALL] }, 'spec.egress[0].to'],
    [
      'networks as a source: there are none',
      { ingress: [{ action: allow, from: [{ networks: ['10.0.0.0/8'] }] }] },
      { ingress: [NOBODY] },
      'spec.ingress[0].from[0].networks',
    ],
    [
      'a rule’s field that nobody knows: an allow allows nobody',
      { egress: [{ action: allow, to: all, except: [] }] },
      { egress: [NOBODY] },
      'spec.egress[0].except',
    ],
    [
      'a rule’s field that nobody knows: a deny denies all, under no name',
      { egress: [{ action: 'Deny', to: all, log: true }] },
      { egress: [DENY_ALL] },
      'spec.egress[0].log',
    ],
    [
      'an action that nobody knows denies all, and keeps its name',
      { egress: [{ name: 'n', action: 'Log', to: all }] },
      { egress: [{ action: 'deny', name: 'n' }] },
      'spec.egress[0].action',
    ],
    ['a rule that is none', { egress: [7] }, { egress: [DENY_ALL] }, 'spec.egress[0]'],
    ['rules that are no list', { egress: 'all' }, { egress: [DENY_ALL] }, 'spec.egress'],
    [
      'a subject that is not understood is everybody’s, and nothing is allowed',
      {
        subject: { nodes: {} },
        ingress: [
          { action: allow, from: all },
          { action: 'Deny', from: [{ namespaces: team }] },
        ],
      },
      { subject: everywhere, ingress: [NOBODY, { action: 'deny', peers: pods(teams) }] },
      'spec.subject.nodes',
    ],
    ['a subject of nothing', { subject: {} }, { subject: everywhere }, 'spec.subject'],
    [
      'what nobody knows of a policy: everything is denied, for everybody',
      { egress: [], mode: 'audit' },
      { subject: everywhere, ingress: [DENY_ALL], egress: [DENY_ALL] },
      'spec.mode',
    ],
  ]
}

const TO = 'spec.egress[0].to[0]'

/** Ports of version v1alpha1. */
export const PORTS_V1ALPHA1: readonly Case[] = portCases('Allow', 'ports', [
  ['a number, of TCP', { portNumber: { port: 80 } }, numbers('TCP', 80)],
  ['a number, of UDP', { portNumber: { protocol: 'UDP', port: 53 } }, numbers('UDP', 53)],
  ['a range', { portRange: { protocol: 'SCTP', start: 1, end: 65_535 } }, numbers('SCTP', 1, 65_535)],
  ['a name, of whichever protocol', { namedPort: 'http' }, { type: 'named', name: 'http' }],
  ['nothing of it', {}, ''],
  ['a number too high', { portNumber: { port: 65_536 } }, '.portNumber'],
  ['no number', { portNumber: {} }, '.portNumber'],
  ['a range that goes down', { portRange: { start: 2, end: 1 } }, '.portRange'],
  ['a range without an end', { portRange: { start: 2 } }, '.portRange'],
  ['another protocol', { portNumber: { protocol: 'ICMP', port: 1 } }, '.portNumber.protocol'],
  ['an empty name', { namedPort: '' }, '.namedPort'],
  ['a kind of port that nobody knows', { icmp: {} }, '.icmp'],
  ['two in one', { portNumber: { port: 80 }, namedPort: 'http' }, ''],
])

/** Ports of version v1alpha2. */
export const PORTS_V1ALPHA2: readonly Case[] = portCases('Accept', 'protocols', [
  ['a number', { tcp: { destinationPort: { number: 80 } } }, numbers('TCP', 80)],
  ['a range', { udp: { destinationPort: { range: { start: 1, end: 9 } } } }, numbers('UDP', 1, 9)],
  ['SCTP', { sctp: { destinationPort: { number: 9003 } } }, numbers('SCTP', 9003)],
  ['a name, of whichever protocol', { destinationNamedPort: 'http' }, { type: 'named', name: 'http' }],
  ['a protocol without a word: it may be of a later version', { tcp: {} }, '.tcp'],
  ['the port of the source', { tcp: { sourcePort: { number: 1 } } }, '.tcp.sourcePort'],
  ['no port', { tcp: { destinationPort: {} } }, '.tcp.destinationPort'],
  ['a number too high', { tcp: { destinationPort: { number: 65_536 } } }, '.tcp.destinationPort.number'],
  [
    'a range that goes down',
    { udp: { destinationPort: { range: { start: 2, end: 1 } } } },
    '.udp.destinationPort.range',
  ],
  ['another protocol', { icmp: { type: 8 } }, '.icmp'],
  ['nothing of it', {}, ''],
])

/** Each port alone, in a rule that allows and in one that denies; then beside one that is right. */
function portCases(
  allow: string,
  field: string,
  ports: readonly (readonly [title: string, port: object, found: object | string])[],
): readonly Case[] {
  return ports.flatMap(([title, port, found]): Case[] => {
    const rule = (action: string) => ({ egress: [{ action, to: all, [field]: [port] }] })
    const peers = pods(everywhere)
    if (typeof found === 'object') {
      return [
        [`${title}, allowed`, rule(allow), { egress: [{ action: 'allow', peers, ports: [found] }] }],
        [`${title}, denied`, rule('Deny'), { egress: [{ action: 'deny', peers, ports: [found] }] }],
      ]
    }
    const place = `spec.egress[0].${field}[0]${found}`
    return [
      [`${title}: allows nobody`, rule(allow), { egress: [NOBODY] }, place],
      [`${title}: denies everything`, rule('Deny'), { egress: [DENY_ALL] }, place],
    ]
  })
}
