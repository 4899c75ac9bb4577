/**
 * What Calico has and nobody does here: kinds of objects, or some of their fields, each with the reason and with what to do
 * instead. Who adds a kind adds a row, and a permission follows.
 * @module
 */
import type { KubeObject, Resource } from '../../../kube/object.ts'
import { NODES } from '../../../kube/resources.ts'
import { annotationOf, at, textAt } from '../../fields.ts'
import { CALICO_IP_POOLS } from '../../spiderpool/coordinator-sources.ts'

/** What of an object is not done. */
export interface Refusal {
  /** Such as `spec.ipipMode`; empty: all of it. */
  readonly field: string
  readonly reason: string
  readonly remedy: string
}

/** A kind of which something is not done. */
export interface RefusedKind {
  readonly resource: Resource
  /** It is looked at only where there is an object of this kind, which whoever has such fields has, too. */
  readonly beside?: Resource
  refusals(object: KubeObject): readonly Refusal[]
}

const GROUP = { group: 'crd.projectcalico.org', version: 'v1' } as const

export const HOST_ENDPOINTS = clusterWide('hostendpoints', 'HostEndpoint')
export const FELIX_CONFIGURATIONS = clusterWide('felixconfigurations', 'FelixConfiguration')
export const TIERS = clusterWide('tiers', 'Tier')
export const STAGED_NETWORK_POLICIES = namespaced('stagednetworkpolicies', 'StagedNetworkPolicy')
export const STAGED_GLOBAL_NETWORK_POLICIES = clusterWide('stagedglobalnetworkpolicies', 'StagedGlobalNetworkPolicy')
export const STAGED_KUBERNETES_NETWORK_POLICIES = namespaced(
  'stagedkubernetesnetworkpolicies',
  'StagedKubernetesNetworkPolicy',
)

/** Tiers that Calico makes by itself. */
const OWN_TIERS = ['default', 'kube-admin', 'kube-baseline', 'adminnetworkpolicy', 'baselineadminnetworkpolicy']

const IN_THE_CLEAR = 'Weft does not encrypt packets between nodes: they go in the clear'
const NO_IPIP = 'there are no ipip tunnels: packets between nodes go as weft.fabric of the ClusterNetwork says'
/** Where Calico keeps the keys of a node: in Kubernetes, and in etcd. */
const WIREGUARD_KEYS = [
  ['projectcalico.org/WireguardPublicKey', 'wireguardPublicKey'],
  ['projectcalico.org/WireguardPublicKeyV6', 'wireguardPublicKeyV6'],
] as const

/** All of them. */
export const REFUSED_KINDS: readonly RefusedKind[] = [
  whole(HOST_ENDPOINTS, {
    reason: 'no policy is enforced at interfaces of hosts, and none that selects it by its labels counts there',
    remedy:
      'guard hosts by a firewall of their own and delete it; what Calico’s controllers make they stop making with hostEndpoint.autoCreate Disabled',
  }),
  ...[STAGED_NETWORK_POLICIES, STAGED_GLOBAL_NETWORK_POLICIES, STAGED_KUBERNETES_NETWORK_POLICIES].map((resource) =>
    whole(resource, {
      reason: 'it is not enforced, and nobody tells what it would do',
      remedy:
        'see that with weft policy preview -f, of the same policy without “Staged”; apply that to have it enforced',
    }),
  ),
  { resource: TIERS, refusals: tierRefusals },
  { resource: FELIX_CONFIGURATIONS, refusals: felixRefusals },
  {
    resource: CALICO_IP_POOLS,
    refusals: (object) =>
      isUnset(textAt(object, 'spec', 'ipipMode'), 'Never')
        ? []
        : [{ field: 'spec.ipipMode', reason: NO_IPIP, remedy: 'set it to Never' }],
  },
  {
    resource: NODES,
    beside: FELIX_CONFIGURATIONS,
    refusals: (object) =>
      WIREGUARD_KEYS.flatMap(([annotation, field]) =>
        isUnset(annotationOf(object, annotation) ?? textAt(object, 'status', field))
          ? []
          : [
              {
                field: annotation,
                reason: `Calico’s WireGuard is no way here. ${IN_THE_CLEAR}`,
                remedy: 'protect the network between nodes by its own means, and take the key away from the node',
              },
            ],
      ),
  },
]

function tierRefusals(object: KubeObject): readonly Refusal[] {
  const { name } = object.metadata
  if (!OWN_TIERS.includes(name)) {
    const reason = 'there is no tier here but default: a policy of this one denies all to whom it selects'
    return [{ field: '', reason, remedy: 'give its policies tier default and an order, or write AdminNetworkPolicies' }]
  }
  if (name !== 'default' || isUnset(textAt(object, 'spec', 'defaultAction'), 'Deny')) return []
  const reason = 'whom a policy of the tier selects, and no rule speaks of, is denied, whatever is said here'
  return [
    { field: 'spec.defaultAction', reason, remedy: 'set it to Deny, and end policies with a rule that passes on' },
  ]
}

const FELIX: readonly (readonly [field: string, reason: string, remedy: string])[] = [
  ...['wireguardEnabled', 'wireguardEnabledV6'].map(
    (field) =>
      [field, IN_THE_CLEAR, 'set it to false, and protect the network between nodes by its own means'] as const,
  ),
  ['ipipEnabled', NO_IPIP, 'set it to false'],
]

/** What asks for what is not there is told by its field; that the rest is not read, once. */
function felixRefusals(object: KubeObject): readonly Refusal[] {
  const spec = at(object, 'spec')
  const asked = FELIX.flatMap(([field, reason, remedy]) =>
    at(spec, field) === true ? [{ field: `spec.${field}`, reason, remedy }] : [],
  )
  const told = new Set(FELIX.map(([field]) => field))
  const others = Object.keys(Object(spec)).filter((field) => !told.has(field))
  if (others.length === 0) return asked
  const reason = 'Felix does not run here, and its settings are not read'
  return [...asked, { field: '', reason, remedy: 'weft.yaml has the settings of Weft; delete it once Calico is gone' }]
}

function whole(resource: Resource, why: Omit<Refusal, 'field'>): RefusedKind {
  return { resource, refusals: () => [{ field: '', ...why }] }
}

function isUnset(value: string | undefined, nothing = ''): boolean {
  return value === undefined || value === '' || value === nothing
}

function clusterWide(plural: string, kind: string): Resource {
  return { ...GROUP, plural, kind, namespaced: false }
}

function namespaced(plural: string, kind: string): Resource {
  return { ...GROUP, plural, kind, namespaced: true }
}
