import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { decodePolicy } from './validate-policy.ts'

const ANY_SUBJECT = { namespaces: { labels: [] }, pods: [] }
const OWN_SUBJECT = { namespaces: { name: 'shop' }, pods: [] }
const OWN = { namespace: 'shop', name: 'web', uid: 'u', priority: 0, subject: OWN_SUBJECT, problems: [] }
const EVERYWHERE = { name: 'all', priority: 1000, subject: ANY_SUBJECT, ingress: [{ action: 'pass' }] }
const NAME = { type: 'name', name: 'a.example' }
const NP = { ...OWN, kind: 'NetworkPolicy', tier: 'namespace', ingress: [{ action: 'allow' }], egress: [] }
const ANP = { ...EVERYWHERE, kind: 'AdminNetworkPolicy', tier: 'admin' }
const BANP = { ...EVERYWHERE, kind: 'BaselineAdminNetworkPolicy', tier: 'baseline', priority: 0 }
const CNP = { ...EVERYWHERE, kind: 'ClusterNetworkPolicy', tier: 'baseline' }
const ENP = { ...OWN, kind: 'EgressNetworkPolicy', tier: 'firewall', egress: [{ action: 'deny' }, { action: 'allow' }] }

const rule = (fields: object) => ({ ...NP, ingress: [{ action: 'allow', ...fields }] })
const peer = (fields: object) => rule({ peers: [fields] })
const port = (fields: object) => rule({ ports: [fields] })
const pods = (...requirements: readonly unknown[]) => ({
  ...NP,
  subject: { namespaces: { name: 'shop' }, pods: requirements },
})
const PEER = 'ingress[0].peers[0]'
const PORT = 'ingress[0].ports[0]'

const CALICO = { ...OWN, kind: 'CalicoNetworkPolicy', tier: 'namespace' }
const PORT_0 = { type: 'numbers', protocol: 'TCP', from: 0, to: 0 }
const DEEP = `subject.where${'.condition'.repeat(100)}`

function nested(depth: number): object {
  return depth === 0 ? { type: 'all' } : { type: 'not', condition: nested(depth - 1) }
}

const CASES: readonly (readonly [title: string, input: unknown, ...paths: readonly string[]])[] = [
  ...[NP, ANP, BANP, CNP, ENP, CALICO].map((one) => [one.kind, one] as const),
  ['another kind', { ...NP, kind: 'Policy' }, 'kind'],
  ['no name', { ...NP, name: '' }, 'name'],
  ['an object that is none', 7, ''],
  ['a field that nobody knows', { ...NP, colour: 1 }, ''],
  ['a NetworkPolicy with an order', { ...NP, order: 1 }, 'order'],
  ['a policy of Calico with an order', { ...CALICO, order: -0.5 }],
  ['a policy of Calico with an endless order', { ...CALICO, order: 'Infinity' }, 'order'],
  ['a policy of Calico that denies', { ...CALICO, ingress: [{ action: 'deny', log: true }, { action: 'pass' }] }],
  ['a policy of Calico for port 0', { ...CALICO, egress: [{ action: 'deny', ports: [PORT_0] }] }],
  ['a policy of Calico that denies a name', { ...CALICO, egress: [{ action: 'deny', peers: [NAME] }] }, ''],
  ['a NetworkPolicy with a condition', { ...NP, subject: { ...NP.subject, where: { type: 'all' } } }, ''],
  ['a NetworkPolicy that asks for callers’ ports', { ...NP, ingress: [{ action: 'allow', sourcePorts: [] }] }, ''],
  ['a condition that is nested too deep', { ...CALICO, subject: { ...NP.subject, where: nested(120) } }, DEEP],
  ['a NetworkPolicy without a namespace', { ...NP, namespace: undefined }, 'namespace', 'subject'],
  ['a NetworkPolicy for another namespace', { ...NP, namespace: 'till' }, 'subject'],
  ['a NetworkPolicy for all namespaces', { ...NP, subject: ANY_SUBJECT }, 'subject'],
  ['a NetworkPolicy of another tier', { ...NP, tier: 'admin' }, 'tier'],
  ['a NetworkPolicy with a priority', { ...NP, priority: 1 }, 'priority'],
  ['a NetworkPolicy that denies', { ...NP, ingress: [{ action: 'deny' }] }, ''],
  ['a NetworkPolicy that passes', { ...NP, egress: [{ action: 'pass' }] }, ''],
  ['an AdminNetworkPolicy in a namespace', { ...ANP, namespace: 'shop' }, 'namespace'],
  ['an AdminNetworkPolicy of another tier', { ...ANP, tier: 'baseline' }, 'tier'],
  ['a ClusterNetworkPolicy that allows a name', { ...CNP, egress: [{ action: 'allow', peers: [NAME] }] }],
  ['a ClusterNetworkPolicy that denies a name', { ...CNP, egress: [{ action: 'deny', peers: [NAME] }] }, ''],
  ['an AdminNetworkPolicy that passes a name', { ...ANP, egress: [{ action: 'pass', peers: [NAME] }] }, ''],
  ['a priority too high', { ...ANP, priority: 1001 }, 'priority'],
  ['a BaselineAdminNetworkPolicy of another tier', { ...BANP, tier: 'admin' }, 'tier'],
  ['a ClusterNetworkPolicy of tier admin', { ...CNP, tier: 'admin' }],
  ['a ClusterNetworkPolicy of tier firewall', { ...CNP, tier: 'firewall' }, 'tier', 'priority', 'ingress', ''],
  ['an EgressNetworkPolicy of another tier', { ...ENP, tier: 'namespace' }, 'tier', ''],
  ['a firewall with ingress', { ...ENP, ingress: [] }, 'ingress'],
  ['a firewall that passes', { ...ENP, egress: [{ action: 'pass' }] }, ''],
  ['a range with host bits', peer({ type: 'range', range: '10.0.0.1/8', except: [] }), `${PEER}.range`],
  [
    'an exception from elsewhere',
    peer({ type: 'range', range: '10.0.0.0/8', except: ['11.0.0.0/16'] }),
    `${PEER}.except[0]`,
  ],
  [
    'an exception that is wider',
    peer({ type: 'range', range: '10.0.0.0/8', except: ['10.0.0.0/7'] }),
    `${PEER}.except[0]`,
  ],
  [
    'an exception of another family',
    peer({ type: 'range', range: '10.0.0.0/8', except: ['fd00::/64'] }),
    `${PEER}.except[0]`,
  ],
  ['an exception of all', peer({ type: 'range', range: '10.0.0.0/8', except: ['10.0.0.0/8'] })],
  ['a range without exceptions', peer({ type: 'range', range: '::/0', except: [] })],
  ['a name', peer({ type: 'name', name: 'a.test' })],
  ['a wildcard', peer({ type: 'name', name: '*.a.test' })],
  ['a wildcard for everything', peer({ type: 'name', name: '*' }), `${PEER}.name`],
  ['a name in capitals', peer({ type: 'name', name: 'A.test' }), `${PEER}.name`],
  ['a name that is an address', peer({ type: 'name', name: '192.0.2.1' }), `${PEER}.name`],
  ['a name too long', peer({ type: 'name', name: `${'a.'.repeat(130)}test` }), `${PEER}.name`],
  ['another peer', peer({ type: 'nodes' }), `${PEER}.type`],
  ['port 0', port({ type: 'numbers', protocol: 'TCP', from: 0, to: 1 }), ''],
  ['port 65536', port({ type: 'numbers', protocol: 'TCP', from: 1, to: 65_536 }), `${PORT}.to`],
  ['ports that go down', port({ type: 'numbers', protocol: 'TCP', from: 2, to: 1 }), PORT],
  ['every port', port({ type: 'numbers', protocol: 'SCTP', from: 1, to: 65_535 })],
  ['another protocol', port({ type: 'protocol', protocol: 'ICMP' }), `${PORT}.protocol`],
  ['a port without a name', port({ type: 'named', name: '' }), `${PORT}.name`],
  ['In without values', pods({ key: 'a', operator: 'In', values: [] }), 'subject.pods[0].values'],
  ['Exists with values', pods({ key: 'a', operator: 'Exists', values: ['b'] }), 'subject.pods[0].values'],
  ['another operator', pods({ key: 'a', operator: 'Gt', values: ['1'] }), 'subject.pods[0].operator'],
  ['no key', pods({ key: '', operator: 'Exists', values: [] }), 'subject.pods[0].key'],
  ['a value that no label can have', pods({ key: 'a', operator: 'In', values: ['x'.repeat(253)] })],
  ['an endless value', pods({ key: 'a', operator: 'In', values: ['x'.repeat(254)] }), 'subject.pods[0].values[0]'],
  ['a rule’s endless name', rule({ name: 'x'.repeat(257) }), 'ingress[0].name'],
  ['as many rules as can be', { ...NP, ingress: Array.from({ length: 10_000 }, () => ({ action: 'allow' })) }],
  ['rules without end', { ...NP, ingress: Array.from({ length: 10_001 }, () => ({ action: 'allow' })) }, 'ingress'],
]

test.each([...CASES])('a policy: %s', (_, input, ...paths) => {
  const decoded = decodePolicy(JSON.parse(JSON.stringify(input)))
  expect(decoded.ok ? [] : decoded.problems.map(({ path }) => path)).toEqual([...paths])
})

describe('hostile policies', () => {
  test('anything at all is read, or refused', () => {
    const anything = fc.anything({ withNullPrototype: true, withBigInt: true })
    const odd = fc.record({
      kind: fc.constantFrom('NetworkPolicy', 'EgressNetworkPolicy', 7),
      subject: anything,
      ingress: fc.oneof(
        anything,
        fc.array(fc.record({ action: fc.constant('allow'), peers: anything, ports: anything })),
      ),
    })
    fc.assert(fc.property(fc.oneof(anything, odd), (input) => void decodePolicy(input).ok))
  })

  test('one that refers to itself is refused', () => {
    const loop: Record<string, unknown> = { ...NP }
    loop['subject'] = loop
    expect(decodePolicy(loop).ok).toBe(false)
  })
})
