/**
 * Calico's API as it is kept in Kubernetes (`crd.projectcalico.org/v1`): its kinds for BGP.
 * @module
 */
import type { Resource } from '../../../kube/object.ts'

const GROUP = { group: 'crd.projectcalico.org', version: 'v1', namespaced: false } as const

export const BGP_CONFIGURATIONS: Resource = { ...GROUP, plural: 'bgpconfigurations', kind: 'BGPConfiguration' }
export const BGP_PEERS: Resource = { ...GROUP, plural: 'bgppeers', kind: 'BGPPeer' }
