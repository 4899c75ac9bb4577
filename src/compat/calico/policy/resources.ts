/**
 * The API of Calico's policies, as its agents read it (`crd.projectcalico.org/v1`).
 * @module
 */
import type { Resource } from '../../../kube/object.ts'

const GROUP = { group: 'crd.projectcalico.org', version: 'v1' } as const

/** The group and version in which users write the same objects: `calicoctl`, and Calico's own API server, take it. */
export const PUBLIC_VERSION = 'projectcalico.org/v3'

export const CALICO_NETWORK_POLICIES: Resource = {
  ...GROUP,
  plural: 'networkpolicies',
  kind: 'NetworkPolicy',
  namespaced: true,
}

export const GLOBAL_NETWORK_POLICIES: Resource = {
  ...GROUP,
  plural: 'globalnetworkpolicies',
  kind: 'GlobalNetworkPolicy',
  namespaced: false,
}

export const NETWORK_SETS: Resource = { ...GROUP, plural: 'networksets', kind: 'NetworkSet', namespaced: true }

export const GLOBAL_NETWORK_SETS: Resource = {
  ...GROUP,
  plural: 'globalnetworksets',
  kind: 'GlobalNetworkSet',
  namespaced: false,
}
