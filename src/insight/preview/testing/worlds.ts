/**
 * Small worlds and policies of every kind, for properties: few labels, ports and ranges, so that they meet.
 * @module
 */
import fc from 'fast-check'
import { type Cidr, cidr, contains, firstIp, type Ip, ip, prefixLength } from '../../../network/model/address.ts'
import type { NodeNetwork } from '../../../network/model/node.ts'
import type { Namespace, Pod } from '../../../network/model/pod.ts'
import type { Peer, Policy, PolicyAction, PolicyRule, PortMatch, Requirement } from '../../../network/model/policy.ts'
import { changed, type PreviewWorld } from '../world.ts'

const NAMESPACES = ['x', 'y'] as const
const RANGES = [
  '0.0.0.0/0',
  '10.128.0.0/14',
  '10.128.0.2/32',
  '192.168.0.0/24',
  '192.168.0.1/32',
  '203.0.113.0/24',
  '::/0',
  'fd00:10::/64',
  '2001:db8::/32',
].map(cidr)

const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({
    key: fc.constantFrom('a', 'b'),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.constantFrom(['1'], ['2'], ['1', '2']),
  }),
  fc.record({
    key: fc.constantFrom('a', 'b'),
    operator: fc.constantFrom('Exists', 'DoesNotExist'),
    values: fc.constant([]),
  }),
)
const selector = fc.array(requirement, { maxLength: 1 })
const namespaces = fc.oneof(
  fc.record({ name: fc.constantFrom(...NAMESPACES, 'nowhere') }),
  fc.record({
    labels: fc.oneof(
      selector,
      fc.constant([{ key: 'kubernetes.io/metadata.name', operator: 'In' as const, values: ['y'] }]),
    ),
  }),
)
const podSet = fc.record({ namespaces, pods: selector })

const range: fc.Arbitrary<Peer> = fc.constantFrom(...RANGES).chain((one) => {
  const parts = RANGES.filter((part) => part !== one && isWithin(one, part))
  return fc
    .subarray(parts, { maxLength: Math.min(1, parts.length) })
    .map((except) => ({ type: 'range' as const, range: one, except }))
})
const peer: fc.Arbitrary<Peer> = fc.oneof(
  podSet.map((set) => ({ type: 'pods' as const, ...set })),
  range,
)
const name: fc.Arbitrary<Peer> = fc.constantFrom('a.example', '*.example').map((one) => ({ type: 'name', name: one }))

const protocol = fc.constantFrom('TCP', 'UDP', 'SCTP')
const port: fc.Arbitrary<PortMatch> = fc.oneof(
  protocol.map((one) => ({ type: 'protocol' as const, protocol: one })),
  fc.record({ protocol, from: fc.constantFrom(1, 80, 81), more: fc.constantFrom(0, 0, 1, 65_454) }).map((one) => ({
    type: 'numbers' as const,
    protocol: one.protocol,
    from: one.from,
    to: one.from + one.more,
  })),
  fc.constantFrom('web', 'dns').map((one) => ({ type: 'named' as const, name: one })),
  fc.record({ type: fc.constant('named' as const), name: fc.constantFrom('web', 'dns'), protocol }),
)

function rules(
  actions: readonly PolicyAction[],
  peers: fc.Arbitrary<Peer>,
): fc.Arbitrary<readonly PolicyRule[] | undefined> {
  const rule = fc.record(
    {
      action: fc.constantFrom(...actions),
      peers: fc.array(peers, { maxLength: 2 }),
      ports: fc.array(port, { maxLength: 2 }),
    },
    { requiredKeys: ['action'] },
  )
  return fc.option(fc.array(rule, { maxLength: 2 }), { nil: undefined })
}

const networkPolicy: fc.Arbitrary<Policy> = fc
  .record({
    namespace: fc.constantFrom(...NAMESPACES),
    name: fc.constantFrom('p', 'q'),
    pods: selector,
    ingress: rules(['allow'], peer),
    egress: rules(['allow'], peer),
  })
  .map(({ namespace, name: called, pods, ingress, egress }) => ({
    kind: 'NetworkPolicy' as const,
    namespace,
    name: called,
    tier: 'namespace' as const,
    priority: 0,
    subject: { namespaces: { name: namespace }, pods },
    ...sections(ingress, egress),
  }))

const clusterPolicy: fc.Arbitrary<Policy> = fc
  .record({
    tier: fc.constantFrom('admin', 'baseline'),
    name: fc.constantFrom('p', 'q'),
    priority: fc.constantFrom(0, 1),
    subject: podSet,
    ingress: rules(['allow', 'deny', 'pass'], peer),
    egress: rules(['allow', 'deny', 'pass'], fc.oneof(peer, name)),
  })
  .map(({ ingress, egress, ...rest }) => ({
    kind: 'ClusterNetworkPolicy' as const,
    ...rest,
    ...sections(ingress, egress),
  }))

const firewall: fc.Arbitrary<Policy> = fc
  .record({
    namespace: fc.constantFrom(...NAMESPACES),
    name: fc.constantFrom('p', 'q'),
    egress: rules(['allow', 'deny'], fc.oneof(range, name)),
  })
  .map(({ namespace, name: called, egress }) => ({
    kind: 'EgressNetworkPolicy' as const,
    namespace,
    name: called,
    tier: 'firewall' as const,
    priority: 0,
    subject: { namespaces: { name: namespace }, pods: [] },
    egress: (egress ?? []).map(({ ports: _, ...rule }) => rule),
  }))

const policy = fc.oneof({ weight: 3, arbitrary: networkPolicy }, { weight: 2, arbitrary: clusterPolicy }, firewall)

const LABELS = [{}, { a: '1' }, { a: '2', c: '9' }, { a: '1', b: '1' }]
const labels = fc.constantFrom(...LABELS)

const namedPorts = fc.constantFrom<NonNullable<Pod['namedPorts']>>(
  [],
  [{ name: 'web', protocol: 'TCP', port: 80 }],
  [
    { name: 'web', protocol: 'TCP', port: 8080 },
    { name: 'dns', protocol: 'UDP', port: 80 },
  ],
)

const pods: fc.Arbitrary<readonly Pod[]> = fc
  .array(
    fc.record({
      namespace: fc.constantFrom(...NAMESPACES),
      node: fc.constantFrom('n1', 'n2'),
      labels,
      namedPorts,
      families: fc.constantFrom('4', '46', '6', ''),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((list) =>
    list.map(({ families, ...rest }, i) => ({
      ...rest,
      name: `pod-${i}`,
      uid: `u${i}`,
      addresses: [
        ...(families.includes('4') ? [ip(`10.128.0.${i + 1}`)] : []),
        ...(families.includes('6') ? [ip(`fd00:10::${i + 1}`)] : []),
      ],
    })),
  )

const NODES: readonly NodeNetwork[] = (['n1', 'n2', 'n3'] as const).map((node, i) => ({
  node,
  machine: { kind: 'node', uid: node },
  addresses: [ip(`192.168.0.${i + 1}`), ...(i === 1 ? [ip('203.0.113.9')] : [])],
  ranges: [cidr(`10.${129 + i}.0.0/24`), cidr(`fd00:10:${i + 1}::/64`)],
}))

/** The pod networks of these worlds. */
export const POD_NETWORKS: readonly Cidr[] = [cidr('10.128.0.0/14'), cidr('fd00:10::/48')]

/** A world, and a change of its policies. */
export const worlds: fc.Arbitrary<PreviewWorld> = fc
  .record({
    namespaceLabels: fc.tuple(labels, labels),
    pods,
    before: fc.uniqueArray(policy, { maxLength: 3, selector: keyOf }),
    put: fc.uniqueArray(policy, { maxLength: 2, selector: keyOf }),
    removed: fc.nat({ max: 1 }),
  })
  .map(({ namespaceLabels, before, put, removed, ...rest }) => ({
    ...rest,
    namespaces: NAMESPACES.map((called, i): Namespace => {
      return { name: called, uid: called, labels: namespaceLabels[i] ?? {} }
    }),
    nodes: NODES,
    podNetworks: POD_NETWORKS,
    before,
    after: changed(before, { put, remove: before.slice(0, removed) }),
  }))

/** Addresses outside at which some range of these worlds begins or ends, or just does not. */
export const OUTSIDE: readonly Ip[] = [
  '9.255.255.255',
  '10.132.0.0',
  '192.168.0.0',
  '192.168.0.9',
  '192.168.1.0',
  '203.0.113.0',
  '203.0.113.255',
  '203.0.114.0',
  '255.255.255.255',
  '2001:db8::',
  '2001:db9::',
  '::1',
  'fd00:9::1',
].map(ip)

function sections(ingress: readonly PolicyRule[] | undefined, egress: readonly PolicyRule[] | undefined) {
  return { ...(ingress === undefined ? {} : { ingress }), ...(egress === undefined ? {} : { egress }) }
}

function keyOf({ kind, namespace, name: called }: Policy): string {
  return `${kind}/${namespace}/${called}`
}

function isWithin(outer: Cidr, inner: Cidr): boolean {
  return contains(outer, firstIp(inner)) && prefixLength(inner) > prefixLength(outer)
}
