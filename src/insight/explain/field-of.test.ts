import { describe, expect, test } from 'bun:test'
import { calicoNetworkPolicyBinding, globalNetworkPolicyBinding } from '../../compat/calico/policy/policy.ts'
import { networkPolicyBinding } from '../../compat/kubernetes/network-policy.ts'
import { adminNetworkPolicyBinding } from '../../compat/network-policy-api/admin.ts'
import { baselineAdminNetworkPolicyBinding } from '../../compat/network-policy-api/baseline.ts'
import { clusterNetworkPolicyBinding } from '../../compat/network-policy-api/cluster.ts'
import { egressNetworkPolicyBinding } from '../../compat/openshift/egress-network-policy.ts'
import { DIRECTIONS, type Policy, type PolicyKind } from '../../network/model/policy.ts'
import { fieldOf, peersField, portsField, subjectField } from './field-of.ts'

/** Every peer and port of an object, in the order in which the model has them. */
interface Case {
  readonly kind: PolicyKind
  readonly spec: object
  readonly fields: readonly string[]
  readonly subject: string
}

const APP = { matchLabels: { app: 'web' } }
const TEAM = { matchLabels: { team: 'sales' } }

const CASES: readonly Case[] = [
  {
    kind: 'NetworkPolicy',
    spec: {
      podSelector: APP,
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        {
          from: [
            { podSelector: APP },
            { namespaceSelector: TEAM },
            { namespaceSelector: TEAM, podSelector: APP },
            { ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.1/32'] } },
          ],
          ports: [{ port: 80 }, { port: 8000, endPort: 8080 }, { port: 'http' }, { protocol: 'UDP' }],
        },
        {},
      ],
      egress: [{}, { to: [{ podSelector: {} }] }],
    },
    subject: 'spec.podSelector',
    fields: [
      'spec.ingress[0].from[0].podSelector',
      'spec.ingress[0].from[1].namespaceSelector',
      'spec.ingress[0].from[2]',
      'spec.ingress[0].from[3].ipBlock',
      'spec.ingress[0].ports[0]',
      'spec.ingress[0].ports[1]',
      'spec.ingress[0].ports[2]',
      'spec.ingress[0].ports[3]',
      'spec.ingress[1]',
      'spec.egress[0]',
      'spec.egress[1].to[0].podSelector',
    ],
  },
  {
    kind: 'NetworkPolicy',
    // What is not understood is left out of the model: the others keep their numbers.
    spec: {
      podSelector: {},
      ingress: [
        {
          from: [{ ipBlock: { cidr: 'x' } }, { podSelector: APP }, {}, { podSelector: APP, namespaceSelector: TEAM }],
          ports: [{ port: 0 }, { port: 80 }],
        },
      ],
    },
    subject: 'spec.podSelector',
    fields: ['spec.ingress[0].from[1].podSelector', 'spec.ingress[0].from[3]', 'spec.ingress[0].ports[1]'],
  },
  {
    kind: 'AdminNetworkPolicy',
    spec: {
      priority: 3,
      subject: { namespaces: TEAM },
      ingress: [
        {
          action: 'Allow',
          from: [{ namespaces: {} }, { pods: { namespaceSelector: TEAM, podSelector: APP } }],
          ports: [
            { portNumber: { protocol: 'TCP', port: 80 } },
            { portRange: { protocol: 'UDP', start: 1, end: 9 } },
            { namedPort: 'http' },
          ],
        },
      ],
      egress: [
        { action: 'Deny', to: [{ networks: ['192.0.2.0/24'] }] },
        {
          action: 'Allow',
          to: [
            { namespaces: TEAM },
            { networks: ['192.0.2.0/24', '2001:db8::/32'] },
            { domainNames: ['a.example', '*.b.example'] },
          ],
        },
      ],
    },
    subject: 'spec.subject.namespaces',
    fields: [
      'spec.ingress[0].from[0].namespaces',
      'spec.ingress[0].from[1].pods',
      'spec.ingress[0].ports[0].portNumber',
      'spec.ingress[0].ports[1].portRange',
      'spec.ingress[0].ports[2].namedPort',
      'spec.egress[0].to[0].networks[0]',
      'spec.egress[1].to[0].namespaces',
      'spec.egress[1].to[1].networks[0]',
      'spec.egress[1].to[1].networks[1]',
      'spec.egress[1].to[2].domainNames[0]',
      'spec.egress[1].to[2].domainNames[1]',
    ],
  },
  {
    kind: 'BaselineAdminNetworkPolicy',
    spec: {
      subject: { pods: { namespaceSelector: {}, podSelector: APP } },
      ingress: [{ action: 'Deny', from: [{ namespaces: {} }] }],
      egress: [{ action: 'Deny', to: [{ networks: ['0.0.0.0/0'] }], ports: [{ portNumber: { port: 25 } }] }],
    },
    subject: 'spec.subject.pods',
    fields: [
      'spec.ingress[0].from[0].namespaces',
      'spec.egress[0].to[0].networks[0]',
      'spec.egress[0].ports[0].portNumber',
    ],
  },
  {
    kind: 'ClusterNetworkPolicy',
    spec: {
      tier: 'Admin',
      priority: 1,
      subject: { namespaces: {} },
      egress: [
        {
          action: 'Deny',
          to: [{ pods: { namespaceSelector: {}, podSelector: APP } }],
          protocols: [
            { tcp: { destinationPort: { number: 80 } } },
            { sctp: { destinationPort: { range: { start: 1, end: 9 } } } },
            { destinationNamedPort: 'http' },
          ],
        },
      ],
    },
    subject: 'spec.subject.namespaces',
    fields: [
      'spec.egress[0].to[0].pods',
      'spec.egress[0].protocols[0].tcp.destinationPort.number',
      'spec.egress[0].protocols[1].sctp.destinationPort.range',
      'spec.egress[0].protocols[2].destinationNamedPort',
    ],
  },
  {
    kind: 'EgressNetworkPolicy',
    spec: {
      egress: [
        { type: 'Allow', to: { dnsName: 'www.example.org' } },
        { type: 'Allow', to: { cidrSelector: '2001:db8::/32' } },
        { type: 'Deny', to: { cidrSelector: '0.0.0.0/0' } },
      ],
    },
    subject: 'metadata.namespace',
    fields: ['spec.egress[0].to.dnsName', 'spec.egress[1].to.cidrSelector', 'spec.egress[2].to.cidrSelector'],
  },
]

describe('the field of every peer and port, by kind', () => {
  for (const { kind, spec, fields, subject } of CASES) {
    test(`${kind}: ${fields[0]} and ${fields.length - 1} more`, () => {
      const policy = read(kind, spec)
      expect(placesOf(policy).map((place) => fieldOf(policy, place))).toEqual([...fields])
      expect(subjectField(policy)).toBe(subject)
    })
  }
})

test('the lists that a rule has', () => {
  const [np, , anp, , cnp] = CASES.map(({ kind, spec }) => read(kind, spec))
  if (np === undefined || anp === undefined || cnp === undefined) throw new Error('cases')
  expect([peersField(np, 'ingress', 0), portsField(np, 'ingress', 1)]).toEqual([
    'spec.ingress[0].from',
    'spec.ingress[1].ports',
  ])
  expect([peersField(anp, 'egress', 2), portsField(cnp, 'egress', 0)]).toEqual([
    'spec.egress[2].to',
    'spec.egress[0].protocols',
  ])
})

function read(kind: PolicyKind, spec: object): Policy {
  const binding = {
    NetworkPolicy: networkPolicyBinding,
    AdminNetworkPolicy: adminNetworkPolicyBinding,
    BaselineAdminNetworkPolicy: baselineAdminNetworkPolicyBinding,
    ClusterNetworkPolicy: clusterNetworkPolicyBinding,
    EgressNetworkPolicy: egressNetworkPolicyBinding,
    CalicoNetworkPolicy: calicoNetworkPolicyBinding,
    GlobalNetworkPolicy: globalNetworkPolicyBinding,
  }[kind]
  const name = kind === 'BaselineAdminNetworkPolicy' ? 'default' : 'one'
  return binding.decode({ apiVersion: 'v1', kind, metadata: { name, namespace: 'shop', uid: 'u1' }, spec }) as Policy
}

/** Every peer, then every port of each rule; the rule itself where it has neither. */
function placesOf(policy: Policy) {
  return DIRECTIONS.flatMap((direction) =>
    (policy[direction] ?? []).flatMap(({ peers = [], ports = [] }, index) => {
      const at = { direction, index }
      const all = [...peers.map((_, peer) => ({ ...at, peer })), ...ports.map((_, port) => ({ ...at, port }))]
      return all.length === 0 ? [at] : all
    }),
  )
}
