/**
 * Policies made at random, so that they meet: few labels, few ports, few addresses.
 */
import fc from 'fast-check'
import type {
  Peer,
  Policy,
  PolicyAction,
  PolicyRule,
  PortMatch,
  Requirement,
  Selector,
} from '../../../src/network/model/policy.ts'
import * as o from './objects.ts'

/** DNS names of which some are known. */
export const NAMES = ['one.example', 'two.example'] as const
/** Names of ports that pods may have. */
const PORT_NAMES = ['web', 'serve-80-tcp'] as const
/** Namespaces that have policies of their own. */
const POLICED = ['x', 'y'] as const
const POLICY_NAMES = ['p0', 'p1', 'p2', 'p3'] as const

const some = <T>(one: fc.Arbitrary<T>, maxLength: number, minLength = 1) => fc.array(one, { minLength, maxLength })

/** Demands on a label, of all four kinds. */
function demands(key: string, values: readonly string[]): fc.Arbitrary<Requirement> {
  return fc.oneof(
    fc.record({
      key: fc.constant(key),
      operator: fc.constantFrom('In', 'NotIn'),
      values: fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 }),
    }),
    fc.record({ key: fc.constant(key), operator: fc.constantFrom('Exists', 'DoesNotExist'), values: fc.constant([]) }),
  )
}

function selectors(...labels: readonly (readonly [key: string, values: readonly string[]])[]): fc.Arbitrary<Selector> {
  const one = fc.oneof(...labels.map(([key, values]) => demands(key, values)))
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 5, arbitrary: one.map((demand) => [demand]) },
    { weight: 2, arbitrary: fc.tuple(one, one) },
  )
}

const podSelectors = selectors(['pod', o.POD_NAMES], ['tier', ['web', 'db']])
const namespaceSelectors = selectors(
  ['ns', o.NAMESPACE_NAMES],
  ['team', ['red', 'blue']],
  ['kubernetes.io/metadata.name', o.NAMESPACE_NAMES],
)

/** Ranges with what may be left out of them: everything, nodes' pods, single pods, nodes, the world outside. */
const RANGES: readonly (readonly [range: string, ...except: readonly string[]])[] = [
  ['0.0.0.0/0', '10.128.0.0/14', '10.128.0.2/32', '198.51.100.0/24', '192.0.2.12/32'],
  ['::/0', 'fd00:10:128::/48', 'fd00:10:128:1::2/128', '2001:db8:100::/64', '2001:db8::12/128'],
  ['10.128.0.0/23', '10.128.0.0/29', '10.128.0.4/32'],
  ['10.129.0.0/23', '10.129.0.3/32', '10.129.0.1/32'],
  ['10.128.0.0/14', '10.129.0.0/23'],
  ['fd00:10:128:1::/64', 'fd00:10:128:1::2/128'],
  ['fd00:10:128:2::/64', 'fd00:10:128:2::/125'],
  ['10.129.0.5/32'],
  ['fd00:10:128:2::5/128'],
  ['192.0.2.12/32'],
  ['192.0.2.0/24', '192.0.2.11/32'],
  ['2001:db8::/64', '2001:db8::12/128'],
  ['198.51.100.0/24', '198.51.100.128/25', '198.51.100.7/32'],
  ['198.51.100.200/32'],
  ['2001:db8:100::/64', '2001:db8:100::200/128'],
]

const ranges: fc.Arbitrary<Peer> = fc
  .constantFrom(...RANGES)
  .chain(([network, ...except]) => fc.subarray(except).map((left) => o.range(network, ...left)))

const named = fc.constantFrom(...NAMES).map(o.called)

function peers(own: string | undefined): fc.Arbitrary<Peer> {
  const inOwn = own === undefined ? [] : [podSelectors.map((pods) => o.podsIn(own, pods))]
  return fc.oneof(
    ...inOwn,
    namespaceSelectors.map((namespaces) => o.podsOf(namespaces)),
    fc.tuple(namespaceSelectors, podSelectors).map(([namespaces, pods]) => o.podsOf(namespaces, pods)),
    ranges,
  )
}

const protocols = fc.constantFrom(...o.PROTOCOLS)
const ports: fc.Arbitrary<PortMatch> = fc.oneof(
  fc.tuple(fc.constantFrom(79, 80, 81, 82), protocols).map(([port, protocol]) => o.port(port, protocol)),
  fc
    .tuple(fc.constantFrom(1, 80, 81), fc.constantFrom(81, 82, 65_535), protocols)
    .map(([from, to, protocol]) => o.port(from, protocol, to)),
  protocols.map(o.everyPort),
  fc
    .tuple(fc.constantFrom(...PORT_NAMES), fc.option(protocols, { nil: undefined }))
    .map(([name, protocol]) => o.portCalled(name, protocol)),
)

/** A list that is absent now and then, and rarely empty. */
function maybe<T>(one: fc.Arbitrary<T>, maxLength: number): fc.Arbitrary<readonly T[] | undefined> {
  return fc.oneof(
    { weight: 12, arbitrary: some(one, maxLength) },
    { weight: 12, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constant([]) },
  )
}

/** Only what is allowed may go by DNS names in policies of the cluster. */
function rules(actions: readonly PolicyAction[], own?: string): fc.Arbitrary<PolicyRule> {
  const anonymous = peers(own)
  const peer = { allow: own === undefined ? fc.oneof(anonymous, named) : anonymous, deny: anonymous, pass: anonymous }
  return fc
    .constantFrom(...actions)
    .chain((action) =>
      fc.tuple(maybe(peer[action], 3), maybe(ports, 3)).map(([who, where]) => ({ ...o.allow(who, where), action })),
    )
}

/** Rules of one direction or both. */
function ways(one: fc.Arbitrary<PolicyRule>, maxLength: number): fc.Arbitrary<Pick<Policy, 'ingress' | 'egress'>> {
  const list = some(one, maxLength, 0)
  return fc.oneof(
    list.map((ingress) => ({ ingress })),
    list.map((egress) => ({ egress })),
    fc.tuple(list, list).map(([ingress, egress]) => ({ ingress, egress })),
  )
}

const networkPolicies = fc
  .constantFrom(...POLICED)
  .chain((where) =>
    fc
      .tuple(fc.constantFrom(...POLICY_NAMES), podSelectors, ways(rules(['allow'], where), 3))
      .map(([name, pods, both]) => o.networkPolicy(where, name, pods, both)),
  )

function ordered(kind: Policy['kind'], tier: Policy['tier'], actions: readonly PolicyAction[]): fc.Arbitrary<Policy> {
  return fc
    .record({
      name: kind === 'BaselineAdminNetworkPolicy' ? fc.constant('default') : fc.constantFrom(...POLICY_NAMES),
      priority: kind === 'BaselineAdminNetworkPolicy' ? fc.constant(0) : fc.constantFrom(1, 5, 5, 1000),
      both: ways(rules(actions), 4),
      namespaces: fc.oneof(
        { weight: 2, arbitrary: fc.constant<Selector>([]) },
        { weight: 1, arbitrary: namespaceSelectors },
      ),
      pods: fc.oneof({ weight: 2, arbitrary: fc.constant<Selector>([]) }, { weight: 1, arbitrary: podSelectors }),
    })
    .map(({ name, priority, both, namespaces, pods }) =>
      o.clusterPolicy(kind, tier, name, priority, both, namespaces, pods),
    )
}

const firewalls = fc
  .tuple(
    fc.constantFrom(...POLICED),
    fc.constantFrom('p0', 'p0', 'p0', 'p1'),
    some(
      fc
        .tuple(fc.constantFrom('allow', 'deny'), fc.oneof(ranges, named))
        .map(([action, peer]) => ({ ...o.allow([peer]), action })),
      4,
      0,
    ),
  )
  .map(([where, name, list]) => o.firewall(where, name, list))

/** A policy of any kind, NetworkPolicies most of all. */
export const policies: fc.Arbitrary<Policy> = fc.oneof(
  { weight: 10, arbitrary: networkPolicies },
  { weight: 4, arbitrary: ordered('AdminNetworkPolicy', 'admin', ['allow', 'deny', 'pass']) },
  { weight: 2, arbitrary: ordered('ClusterNetworkPolicy', 'admin', ['allow', 'deny', 'pass']) },
  { weight: 1, arbitrary: ordered('ClusterNetworkPolicy', 'baseline', ['allow', 'deny', 'pass']) },
  { weight: 2, arbitrary: ordered('BaselineAdminNetworkPolicy', 'baseline', ['allow', 'deny']) },
  { weight: 2, arbitrary: firewalls },
)
