/**
 * What agent and controller do to a Kubernetes API, in the words of roles: `deploy/base/roles.yaml` is made of it, and a
 * test compares it with the calls that are made. Whoever adds a call adds a row.
 * @module
 */
import type { Verb } from '../kube/call.ts'
import type { Resource } from '../kube/object.ts'
import {
  CONFIG_MAPS,
  DAEMON_SETS,
  DEPLOYMENTS,
  ENDPOINT_SLICES,
  EVENTS,
  LEASES,
  NAMESPACES,
  NETWORK_POLICIES,
  NODES,
  PODS,
  REPLICA_SETS,
  SERVICE_CIDRS,
  SERVICES,
  STATEFUL_SETS,
} from '../kube/resources.ts'
import { BGP_CONFIGURATIONS, BGP_FILTERS, BGP_PEERS } from './calico/bgp/resources.ts'
import {
  CALICO_NETWORK_POLICIES,
  GLOBAL_NETWORK_POLICIES,
  GLOBAL_NETWORK_SETS,
  NETWORK_SETS,
} from './calico/policy/resources.ts'
import { REFUSED_KINDS } from './calico/refused/kinds.ts'
import { CRON_JOBS, JOBS } from './kubernetes/top-owner.ts'
import { NETWORK_ATTACHMENT_DEFINITIONS } from './multus/attachment-definition.ts'
import {
  ADMIN_NETWORK_POLICIES,
  BASELINE_ADMIN_NETWORK_POLICIES,
  CLUSTER_NETWORK_POLICIES,
} from './network-policy-api/resources.ts'
import { CLUSTER_NETWORKS, EGRESS_NETWORK_POLICIES, HOST_SUBNETS, NET_NAMESPACES } from './openshift/resources.ts'
import type { Account, Permission } from './permission.ts'
import {
  CALICO_BLOCKS,
  CALICO_IP_POOLS,
  CILIUM_CONFIG,
  CILIUM_IP_POOLS,
  KUBEADM_CONFIG,
  SYSTEM_NAMESPACE,
} from './spiderpool/coordinator-sources.ts'
import {
  SPIDER_COORDINATORS,
  SPIDER_ENDPOINTS,
  SPIDER_IP_POOLS,
  SPIDER_MULTUS_CONFIGS,
  SPIDER_RESERVED_IPS,
  SPIDER_SUBNETS,
} from './spiderpool/resources.ts'
import { ADDRESS_CLAIMS } from './weft/address-claim.ts'
import { NEUTRON_OF_AGENT, NEUTRON_OF_CONTROLLER } from './weft/neutron-permissions.ts'
import { NODE_NETWORKS } from './weft/node-network.ts'
import { NODE_REPORTS } from './weft/node-report.ts'

/** Where Weft itself runs. */
export const WEFT_NAMESPACE = 'weft-system'
/** The Lease that the controllers elect by. Its namespace is always there, however Weft was installed. */
export const ELECTION_LEASE = { namespace: 'kube-system', name: 'weft-controller' } as const

const FOLLOW: readonly Verb[] = ['list', 'watch']
/** Policies that have a status, for what of them cannot be done. */
const POLICIES_WITH_STATUS: readonly Resource[] = [
  ADMIN_NETWORK_POLICIES,
  BASELINE_ADMIN_NETWORK_POLICIES,
  CLUSTER_NETWORK_POLICIES,
]
const POLICIES: readonly Resource[] = [
  NETWORK_POLICIES,
  ...POLICIES_WITH_STATUS,
  EGRESS_NETWORK_POLICIES,
  CALICO_NETWORK_POLICIES,
  GLOBAL_NETWORK_POLICIES,
]
/** What policies select besides pods. */
const POLICY_SETS: readonly Resource[] = [NETWORK_SETS, GLOBAL_NETWORK_SETS]

/** What says who speaks BGP with whom. */
const BGP: readonly Resource[] = [BGP_CONFIGURATIONS, BGP_FILTERS, BGP_PEERS, CALICO_IP_POOLS]

/** What Calico has and nobody does here. Of others that are, too, something else is read. */
export const REFUSED: readonly Resource[] = REFUSED_KINDS.map(({ resource }) => resource).filter(
  (one) => one !== CALICO_IP_POOLS && one !== NODES,
)
const REFUSED_WHY = 'what of Calico is not done here, to say so'

/** What says which networks there are for pods, and which addresses. */
const UNDERLAY: readonly Resource[] = [SPIDER_IP_POOLS, SPIDER_RESERVED_IPS, SPIDER_COORDINATORS]

/** Everything that each account may do. Secrets are nowhere in it. */
export const PERMISSIONS: { readonly [A in Account]: readonly Permission[] } = {
  agent: [
    { resource: CLUSTER_NETWORKS, verbs: FOLLOW, why: 'the network to be part of' },
    { resource: NODE_NETWORKS, verbs: ['get', ...FOLLOW], why: "this node's ranges, and where the others are" },
    { resource: NET_NAMESPACES, verbs: FOLLOW, why: 'who may talk to whom' },
    { resource: SERVICES, verbs: FOLLOW, why: 'what is translated' },
    { resource: ENDPOINT_SLICES, verbs: FOLLOW, why: 'what it is translated to' },
    { resource: NAMESPACES, verbs: ['get', ...FOLLOW], why: 'what their annotations ask for; why one has no network' },
    {
      resource: PODS,
      verbs: ['get', ...FOLLOW],
      why: "whom policies speak of, by labels; of its own node's, what bandwidth they ask for",
    },
    ...POLICIES.map((resource) => ({ resource, verbs: FOLLOW, why: 'who may connect to whom' })),
    ...POLICY_SETS.map((resource) => ({ resource, verbs: FOLLOW, why: 'addresses that policies select' })),
    {
      resource: EVENTS,
      verbs: ['create', 'patch'],
      why: 'what a pod asks for and cannot have; the admission policy keeps it to pods and to the own name',
    },
    {
      resource: NODE_REPORTS,
      verbs: ['get', 'create', 'patch'],
      why: 'how this node does; the admission policy keeps an agent to its own',
    },
    ...NEUTRON_OF_AGENT,
    ...UNDERLAY.map((resource) => ({
      resource,
      verbs: FOLLOW,
      why: 'which networks pods ask for, and with which addresses',
    })),
    {
      resource: NETWORK_ATTACHMENT_DEFINITIONS,
      verbs: ['get', ...FOLLOW],
      why: 'which networks there are by name; one that was made just now is asked for',
    },
    ...BGP.map((resource) => ({
      resource,
      verbs: FOLLOW,
      why: 'which routers this node speaks BGP with, and about what',
    })),
    ...REFUSED.map((resource): Permission => ({ resource, verbs: ['list'], why: REFUSED_WHY })),
    { resource: NODES, verbs: FOLLOW, why: 'which pools and peerings are for this node, by its labels' },
    {
      resource: ADDRESS_CLAIMS,
      verbs: ['get', ...FOLLOW, 'create', 'patch', 'delete'],
      why: "addresses of this node's pods; the admission policy keeps an agent to its own",
    },
    {
      ...statusOf(
        PODS,
        'which networks a pod of this node got, in an annotation; the admission policy lets nothing else through',
      ),
      onlyWithPolicy: true,
    },
    {
      ...statusOf(NODES, "this node's bridges, as resources; the admission policy lets nothing else through"),
      onlyWithPolicy: true,
    },
  ],
  'external-host': [
    { resource: CLUSTER_NETWORKS, verbs: FOLLOW, why: 'the network to be part of' },
    { resource: NODE_NETWORKS, verbs: ['get', ...FOLLOW], why: "this host's ranges, and where the nodes are" },
    {
      resource: NODE_REPORTS,
      verbs: ['get', 'create', 'patch'],
      why: 'how this host does; the admission policy keeps an account to its own',
    },
  ],
  controller: [
    { resource: CLUSTER_NETWORKS, verbs: ['get', ...FOLLOW, 'create'], why: 'the network; created when there is none' },
    { resource: NODES, verbs: ['get', ...FOLLOW], why: 'who gets a range' },
    { resource: NODE_NETWORKS, verbs: ['get', ...FOLLOW, 'create', 'patch', 'delete'], why: "nodes' ranges" },
    { resource: NODE_REPORTS, verbs: FOLLOW, why: 'what agents say; copied into NodeNetworks' },
    { resource: HOST_SUBNETS, verbs: [...FOLLOW, 'create', 'patch', 'delete'], why: "nodes' ranges, for others" },
    { resource: NAMESPACES, verbs: ['get', ...FOLLOW, 'patch'], why: 'who gets a network; an annotation says why not' },
    { resource: NET_NAMESPACES, verbs: ['get', ...FOLLOW, 'create', 'patch', 'delete'], why: "namespaces' networks" },
    ...POLICIES.map((resource) => ({ resource, verbs: FOLLOW, why: 'what of them cannot be done, to say so' })),
    ...POLICY_SETS.map((resource) => ({ resource, verbs: FOLLOW, why: 'what of them cannot be read, to say so' })),
    ...POLICIES_WITH_STATUS.map((resource) => statusOf(resource, 'what of them cannot be done')),
    ...BGP.map(
      (resource): Permission => ({
        resource,
        verbs: ['get', ...FOLLOW],
        why: 'what of them cannot be done, to say so',
      }),
    ),
    ...REFUSED.map((resource) => ({ resource, verbs: FOLLOW, why: REFUSED_WHY })),
    { resource: EVENTS, verbs: ['create', 'patch'], why: 'what was refused, and why' },
    {
      resource: SERVICE_CIDRS,
      verbs: FOLLOW,
      why: 'where services get addresses from: from servers that have words for it,',
    },
    {
      resource: SERVICES,
      verbs: ['create'],
      namespace: WEFT_NAMESPACE,
      why: 'else by a service that cannot be; the admission policy lets it be asked for and not made',
    },
    {
      resource: SERVICES,
      verbs: ['get'],
      names: ['kubernetes'],
      namespace: 'default',
      why: 'an address that has to be in that network',
    },
    {
      resource: CONFIG_MAPS,
      verbs: ['get'],
      names: ['kubeadm-config'],
      namespace: 'kube-system',
      why: 'which pod network kubeadm was told',
    },
    {
      resource: DAEMON_SETS,
      verbs: ['get'],
      names: ['kube-proxy'],
      namespace: 'kube-system',
      why: 'whether somebody else translates services, too',
    },
    {
      resource: ADDRESS_CLAIMS,
      verbs: [...FOLLOW, 'create', 'delete'],
      why: 'addresses that nobody gave back; those that Spiderpool gave out',
    },
    ...NEUTRON_OF_CONTROLLER,
    { resource: PODS, verbs: ['get', ...FOLLOW], why: 'whose addresses these were' },
    { resource: STATEFUL_SETS, verbs: ['get', ...FOLLOW], why: 'whose pods come back and have their addresses again' },
    {
      resource: REPLICA_SETS,
      verbs: ['get', ...FOLLOW],
      why: 'which Deployment is behind a pod; what asks for a pool',
    },
    { resource: JOBS, verbs: ['get', ...FOLLOW], why: 'which CronJob is behind a pod; what asks for a pool' },
    ...[DEPLOYMENTS, DAEMON_SETS, CRON_JOBS].map(
      (resource): Permission => ({
        resource,
        verbs: ['get', ...FOLLOW],
        why: 'what asks for a pool of a SpiderSubnet',
      }),
    ),
    { resource: SPIDER_SUBNETS, verbs: [...FOLLOW, 'patch'], why: 'what pools of applications are made of' },
    statusOf(SPIDER_SUBNETS, 'which pools have which part of it'),
    { resource: SPIDER_RESERVED_IPS, verbs: FOLLOW, why: 'what no pool of an application gets' },
    {
      resource: SPIDER_IP_POOLS,
      verbs: [...FOLLOW, 'create', 'patch', 'delete'],
      why: 'labels, the family, and the finalizer of pools in use; pools of applications',
    },
    statusOf(SPIDER_IP_POOLS, 'how many addresses a pool has, and who has them'),
    {
      resource: SPIDER_ENDPOINTS,
      verbs: [...FOLLOW, 'create', 'patch', 'delete'],
      why: 'which addresses a pod has, as others read it',
    },
    {
      resource: SPIDER_COORDINATORS,
      verbs: [...FOLLOW, 'create', 'patch'],
      why: 'who wants to know the ranges of a cluster',
    },
    statusOf(SPIDER_COORDINATORS, 'which they are'),
    {
      resource: CONFIG_MAPS,
      verbs: FOLLOW,
      names: [KUBEADM_CONFIG.name, CILIUM_CONFIG.name],
      namespace: SYSTEM_NAMESPACE,
      why: 'which ranges kubeadm and Cilium were told',
    },
    ...[CALICO_BLOCKS, CILIUM_IP_POOLS].map((resource) => ({
      resource,
      verbs: FOLLOW,
      why: 'which ranges the pods of another plugin have',
    })),
    { resource: SPIDER_MULTUS_CONFIGS, verbs: FOLLOW, why: 'which attachment definitions there have to be' },
    statusOf(SPIDER_MULTUS_CONFIGS, 'whether there are'),
    {
      resource: NETWORK_ATTACHMENT_DEFINITIONS,
      verbs: [...FOLLOW, 'create', 'patch'],
      why: 'what SpiderMultusConfigs ask for; they go with these',
    },
    { resource: LEASES, verbs: ['create'], namespace: ELECTION_LEASE.namespace, why: 'one controller at a time' },
    {
      resource: LEASES,
      verbs: ['get', 'update'],
      names: [ELECTION_LEASE.name],
      namespace: ELECTION_LEASE.namespace,
      why: 'one controller at a time',
    },
  ],
}

/** To write an object's status, and by it its annotations. */
function statusOf({ group, plural }: Resource, why: string): Permission {
  return { resource: { group, plural: `${plural}/status` }, verbs: ['patch'], why }
}
