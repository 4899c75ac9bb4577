import { expect, test } from 'bun:test'
import { cidr, ip } from '../../network/model/address.ts'
import type { NetworkSet } from '../../network/model/network-set.ts'
import type { Pod } from '../../network/model/pod.ts'
import { policyKey } from '../../network/model/policy.ts'
import { lookFor } from '../../text/look.ts'
import { compare } from './compare.ts'
import { policiesIn } from './documents.ts'
import { preview } from './preview.ts'
import { printPreview } from './print.ts'
import { changed, type PreviewWorld } from './world.ts'

const PODS: readonly (readonly [string, string, Pod['labels']?])[] = [
  ['shop', 'web-7d4b9c6f5-x2x9k', { app: 'web' }],
  ['shop', 'web-7d4b9c6f5-abcde', { app: 'web' }],
  ['shop', 'api-0', { app: 'api' }],
  ['bank', 'vault', { app: 'vault' }],
  ['bank', 'ledger', { app: 'ledger' }],
  ['kube-system', 'coredns-0', { 'k8s-app': 'kube-dns' }],
]

const WORLD: Omit<PreviewWorld, 'after'> = {
  namespaces: ['shop', 'bank', 'kube-system'].map((name) => ({ name, uid: name })),
  pods: PODS.map(([namespace, name, labels = {}], i) => {
    return { namespace, name, uid: name, node: `node${i % 2}`, addresses: [ip(`10.128.0.${i + 2}`)], labels }
  }),
  nodes: ['node0', 'node1'].map((node, i) => {
    const ranges = [cidr(`10.${129 + i}.0.0/24`)]
    return { node, machine: { kind: 'node', uid: node }, addresses: [ip(`192.0.2.${i + 1}`)], ranges }
  }),
  podNetworks: [cidr('10.128.0.0/14')],
  before: [],
}

function shown(text: string, before: PreviewWorld['before'] = []): readonly string[] {
  const given = policiesIn([{ name: 'a file', text }], 'bank')
  const put = given.map(({ policy }) => policy)
  const world = { ...WORLD, before, after: changed(before, { put, remove: [] }) }
  const look = { ...lookFor({ columns: 100 }, false), width: 10_000 }
  return printPreview(preview(world, given), new Set(put.map(policyKey)), look)
}

function networkPolicy(name: string, spec: object, namespace = 'bank'): object {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name, namespace }, spec }
}

const listed = (...items: readonly object[]): string => JSON.stringify({ kind: 'List', items })

test('a namespace that is isolated is one line: each of its pods still reaches itself', () => {
  expect(shown(listed(networkPolicy('deny', { podSelector: {} })))).toEqual([
    '14 pairs change',
    'every pod (6), every node (2), addresses outside → bank/* (2 pods) everything: allowed → denied (NetworkPolicy bank/deny, spec.ingress)',
    'Connections that stand and are denied then are cut, too.',
  ])
})

test('what is denied to a network set of which something cannot be read is denied to everybody', () => {
  const spec = {
    types: ['Ingress'],
    ingress: [
      { action: 'Deny', source: { selector: 'has(feed)', namespaceSelector: 'all() || global()' } },
      { action: 'Allow' },
    ],
  }
  const metadata = { name: 'default.p', namespace: 'bank' }
  const text = JSON.stringify({ apiVersion: 'crd.projectcalico.org/v1', kind: 'NetworkPolicy', metadata, spec })
  const put = policiesIn([{ name: 'a file', text }], 'bank').map(({ policy }) => policy)
  const set = { kind: 'GlobalNetworkSet', name: 'feed', labels: { feed: 'x' }, nets: [] } as const
  const pairs = (problems: NetworkSet['problems']): number => {
    const sets = [{ ...set, ...(problems === undefined ? {} : { problems }) }]
    return compare({ ...WORLD, sets, after: changed([], { put, remove: [] }) }, (one) => void changes.push(one.change))
      .pairs
  }
  const changes: unknown[] = []
  pairs(undefined)
  expect(changes).toEqual([])
  pairs([{ field: 'spec.nets[0]', reason: 'is none' }])
  expect(changes.length).toBeGreaterThan(0)
})

test('what two policies do is told of each', () => {
  const deny = { podSelector: {} }
  const lines = shown(listed(networkPolicy('deny', deny), networkPolicy('deny', deny, 'shop')))
  expect(lines.filter((line) => line.includes('→'))).toEqual([
    expect.stringContaining('→ bank/* (2 pods) everything: allowed → denied (NetworkPolicy bank/deny, spec.ingress)'),
    expect.stringContaining('→ shop/* (3 pods) everything: allowed → denied (NetworkPolicy shop/deny, spec.ingress)'),
  ])
})

test('pods that were made from one template, one port, and who is left out', () => {
  const spec = {
    podSelector: { matchLabels: { app: 'vault' } },
    ingress: [
      { from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 5432 }] },
    ],
  }
  expect(shown(listed(networkPolicy('vault', spec))).slice(1, 3)).toEqual([
    'bank/ledger, kube-system/coredns-0, shop/api-0, every node (2), addresses outside → bank/vault everything: allowed → denied (NetworkPolicy bank/vault, spec.ingress)',
    'shop/web-* (2 pods) → bank/vault everything but tcp 5432: allowed → denied (NetworkPolicy bank/vault, spec.ingress)',
  ])
})

test('denied first, then allowed; the rule that allows is named', () => {
  const isolating = policiesIn(
    [{ name: 'before', text: listed(networkPolicy('vault', { podSelector: { matchLabels: { app: 'vault' } } })) }],
    '',
  )
  const spec = { podSelector: { matchLabels: { app: 'vault' } }, ingress: [{ ports: [{ port: 80, endPort: 81 }] }] }
  const api = {
    podSelector: { matchLabels: { app: 'api' } },
    policyTypes: ['Egress'],
    egress: [{ to: [{ ipBlock: { cidr: '198.51.100.0/24' } }] }],
  }
  const before = isolating.map(({ policy }) => policy)
  const lines = shown(listed(networkPolicy('vault', spec), networkPolicy('api', api, 'shop')), before).filter((line) =>
    line.includes('→'),
  )
  expect(lines).toEqual([
    'shop/api-0 → bank/ledger, kube-system/coredns-0, shop/web-* (2 pods), every node (2), addresses outside but 198.51.100.0/24 everything: allowed → denied (NetworkPolicy shop/api, spec.egress)',
    expect.stringMatching(
      / → bank\/vault tcp 80-81: denied → allowed \(NetworkPolicy bank\/vault, spec.ingress\[0\]\)$/,
    ),
  ])
})

test('an egress firewall with a name, and the tiers of the cluster', () => {
  const firewall = {
    apiVersion: 'network.openshift.io/v1',
    kind: 'EgressNetworkPolicy',
    metadata: { name: 'a', namespace: 'shop' },
    spec: { egress: [{ type: 'Deny', to: { dnsName: 'www.example.org' } }] },
  }
  const admin = {
    apiVersion: 'policy.networking.k8s.io/v1alpha1',
    kind: 'AdminNetworkPolicy',
    metadata: { name: 'tenants' },
    spec: {
      priority: 1,
      subject: { namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'bank' } } },
      egress: [
        {
          name: 'no nodes',
          action: 'Deny',
          to: [{ networks: ['192.0.2.0/24'] }],
          ports: [{ portNumber: { protocol: 'TCP', port: 22 } }],
        },
      ],
    },
  }
  expect(shown(listed(firewall, admin)).filter((line) => line.includes('→'))).toEqual([
    'bank/* (2 pods) → 192.0.2.0/24 tcp 22: allowed → denied (AdminNetworkPolicy tenants, spec.egress[0] “no nodes”)',
    'bank/* (2 pods) → every node (2) tcp 22 to node addresses outside the pod networks: allowed → denied (AdminNetworkPolicy tenants, spec.egress[0] “no nodes”)',
    'shop/* (3 pods) → www.example.org everything: allowed → denied (EgressNetworkPolicy shop/a, spec.egress[0])',
  ])
})

test.each([
  [
    'a rule that another holds',
    { podSelector: {}, ingress: [{}, { ports: [{ port: 80 }] }] },
    'spec.ingress[1]: adds nothing: spec.ingress[0] allows all of it',
  ],
  [
    'a range within another',
    {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [
        { to: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }, { ipBlock: { cidr: '0.0.0.0/0' } }] },
        { to: [{ ipBlock: { cidr: '10.1.2.0/24' } }] },
      ],
    },
    'spec.egress[1]: adds nothing: spec.egress[0] allows all of it',
  ],
  [
    'a name for a port',
    { podSelector: {}, ingress: [{ ports: [{ port: 'http' }] }] },
    'spec.ingress[0].ports[0]: no such pod has a port named http',
  ],
  [
    'no DNS',
    { podSelector: {}, policyTypes: ['Egress'] },
    'spec.egress: pods that it isolates cannot reach the cluster’s DNS on udp 53 and tcp 53: names cannot be resolved',
  ],
  [
    'DNS by UDP only',
    { podSelector: {}, egress: [{ ports: [{ port: 53, protocol: 'UDP' }] }] },
    'spec.egress: pods that it isolates cannot reach the cluster’s DNS on tcp 53: long answers are lost',
  ],
  [
    'what nobody understands',
    { podSelector: {}, ingress: [{ from: [{ moons: {} }] }] },
    'spec.ingress[0].from[0].moons: is not known here; it fails closed: what it speaks of is denied',
  ],
])('a mistake that is told: %s', (_, spec, expected) => {
  const warnings = shown(listed(networkPolicy('p', spec))).filter((line) => line.startsWith('!'))
  expect(warnings).toContain(`! NetworkPolicy bank/p, ${expected}`)
})

test.each([
  [
    'DNS is reached',
    {
      podSelector: {},
      egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port: 53 }, { port: 53, protocol: 'UDP' }] }],
    },
  ],
  [
    'an exception that the wider range has',
    {
      podSelector: {},
      ingress: [
        { from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }] },
        { from: [{ ipBlock: { cidr: '10.1.2.0/24' } }] },
      ],
    },
  ],
  [
    'other ports',
    {
      podSelector: {},
      ingress: [
        { ports: [{ port: 80 }] },
        {
          ports: [
            { port: 80, endPort: 81 },
            { port: 80, protocol: 'UDP' },
          ],
        },
      ]
        .reverse()
        .slice(1),
    },
  ],
])('no mistake: %s', (_, spec) => {
  expect(shown(listed(networkPolicy('p', spec))).filter((line) => line.startsWith('!'))).toEqual([])
})

test('two egress firewalls, and a namespace that is not there', () => {
  const firewall = (name: string, namespace: string): object => {
    return {
      apiVersion: 'network.openshift.io/v1',
      kind: 'EgressNetworkPolicy',
      metadata: { name, namespace },
      spec: { egress: [] },
    }
  }
  const warnings = shown(listed(firewall('a', 'shop'), firewall('b', 'shop'), firewall('c', 'nowhere'))).filter(
    (line) => line.startsWith('!'),
  )
  expect(warnings).toEqual([
    '! EgressNetworkPolicy shop/a, metadata.namespace: the namespace has another egress firewall (b): with more than one, nothing may leave the cluster',
    '! EgressNetworkPolicy shop/b, metadata.namespace: the namespace has another egress firewall (a): with more than one, nothing may leave the cluster',
    '! EgressNetworkPolicy nowhere/c, metadata.namespace: there is no namespace nowhere: it selects no pod',
  ])
})

test.each([
  ['deep lists', `[${'['.repeat(200_000)}`],
  ['deep maps', `a: ${'{a: '.repeat(100_000)}`],
  [
    'a bomb of aliases',
    [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...Array.from(
        { length: 9 },
        (_, i) => `${'bcdefghij'[i]}: &${'bcdefghij'[i]} [${`*${'abcdefghi'[i]},`.repeat(9)}x]`,
      ),
    ].join('\n'),
  ],
  ['a kind from a prototype', '{"kind":"constructor","apiVersion":"v1"}'],
])('%s are refused in a sentence', (_, text) => {
  expect(() => policiesIn([{ name: 'a file', text }], 'bank')).toThrow(
    expect.objectContaining({ code: 'INSIGHT_USAGE' }),
  )
})
