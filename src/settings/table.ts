/**
 * Every setting of agent and controller. The file's decoder, the ConfigMap of `deploy/` and docs/settings.md are made
 * from this table; a test compares it with the commands' options.
 * @module
 */

import { cidr } from '../network/model/address.ts'
import { MOST_RANGES } from '../network/model/cluster.ts'
import { fabricWay } from '../network/model/fabric-way.ts'
import { AGENT_SETTINGS } from './agent-table.ts'
import { ATTACHMENT_SETTINGS } from './attachments-table.ts'
import { OPENSTACK_SETTINGS } from './openstack-table.ts'
import { OVN_SETTINGS } from './ovn-table.ts'
import {
  networks,
  oneOf,
  path,
  podNetworks,
  type SettingType,
  setting,
  wholeNumber,
  words,
  yesOrNo,
} from './setting.ts'

const CONTROLLER = ['controller'] as const
const BOTH = ['agent', 'controller'] as const

/** Key → setting. A key is `<section>.<name>`, as in the file. */
export const SETTINGS = {
  ...AGENT_SETTINGS,
  'controller.runDir': setting({
    type: path,
    default: '/run/weft',
    description: 'Folder for the socket that `weft health controller` asks',
    programs: CONTROLLER,
    applied: 'restart',
    flag: 'run-dir',
  }),
  'controller.election': setting({
    type: yesOrNo,
    default: true,
    description: 'Several controllers elect one of them by a Lease. Without, there must be only one',
    programs: CONTROLLER,
    applied: 'restart',
    flag: 'no-election',
  }),
  'registry.address': setting({
    type: words('the address of a registry'),
    otherwise: 'shared state is where `kubernetes` says',
    example: 'unix:/run/weft/registry.sock',
    description: 'Socket of a registry that runs by itself, instead of a Kubernetes API server',
    programs: BOTH,
    applied: 'restart',
    flag: 'registry',
  }),
  'kubernetes.kubeconfig': setting({
    type: path,
    otherwise: 'the pod’s own account',
    example: '/etc/weft/kubeconfig',
    description: 'File that says where the API server is and who we are to it',
    programs: BOTH,
    applied: 'restart',
    flag: 'kubeconfig',
  }),
  'kubernetes.context': setting({
    type: words('the name of a context'),
    otherwise: 'the file’s current one',
    example: 'admin',
    description: 'Another context of the kubeconfig',
    programs: BOTH,
    applied: 'restart',
    flag: 'context',
  }),
  'kubernetes.server': setting({
    type: words('an address with a port', /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]{1,253}):\d{1,5}$/),
    otherwise: 'the address of the `kubernetes` service',
    example: '192.0.2.10:6443',
    description:
      'Where a pod reaches the API server. Needed where no kube-proxy runs: until Weft works, nothing translates services',
    programs: BOTH,
    applied: 'restart',
    flag: 'server',
  }),
  'etcd.endpoints': setting({
    type: words('a list of addresses, parted by commas'),
    otherwise: 'shared state is where `kubernetes` says',
    example: 'http://192.0.2.10:2379',
    description: 'Members of the etcd that holds k8s-ovs’s registry (configuration, machines and tenants), or Calico’s',
    programs: BOTH,
    applied: 'restart',
    flag: 'etcd-endpoints',
  }),
  'etcd.layout': setting({
    type: oneOf('k8s-ovs', 'calico'),
    otherwise: 'k8s-ovs',
    example: 'calico',
    description: 'Whose registry it is. Of Calico’s what it says of BGP, its policies and network sets are read',
    programs: BOTH,
    applied: 'restart',
    flag: 'etcd-layout',
  }),
  'etcd.api': setting({
    type: oneOf('auto', 'v2', 'v3'),
    otherwise: 'the one that has the configuration',
    example: 'v2',
    description: 'Which of etcd’s interfaces: each has keys of its own',
    programs: BOTH,
    applied: 'restart',
    flag: 'etcd-api',
  }),
  'etcd.prefix': setting({
    type: words('a path of keys'),
    otherwise: '/k8s.ovs.com/ovs/network, Calico’s is /calico',
    example: '/k8s.ovs.com/ovs/network',
    description: 'Root of all keys',
    programs: BOTH,
    applied: 'restart',
    flag: 'etcd-prefix',
  }),
  'etcd.network': setting({
    type: words('the name of a folder'),
    otherwise: 'the configuration is right below the prefix',
    example: 'blue',
    description: 'Folder of the prefix that has the configuration',
    programs: BOTH,
    applied: 'restart',
    flag: 'network',
  }),
  'etcd.caFile': setting({
    type: path,
    otherwise: 'the system’s own authorities',
    example: '/etc/weft/etcd/ca.crt',
    description: 'The authority of the servers’ certificates',
    programs: BOTH,
    applied: 'restart',
    flag: 'etcd-cafile',
  }),
  'etcd.certFile': setting({
    type: path,
    otherwise: 'no certificate is shown',
    example: '/etc/weft/etcd/client.crt',
    description: 'Our certificate',
    programs: BOTH,
    applied: 'restart',
    flag: 'etcd-certfile',
  }),
  'etcd.keyFile': setting({
    type: path,
    otherwise: 'no certificate is shown',
    example: '/etc/weft/etcd/client.key',
    description: 'The key of our certificate',
    programs: BOTH,
    applied: 'restart',
    flag: 'etcd-keyfile',
  }),
  'etcd.username': setting({
    type: words('a user’s name'),
    otherwise: 'nobody',
    example: 'weft',
    description: 'Who we are to etcd',
    programs: BOTH,
    applied: 'restart',
    flag: 'etcd-username',
  }),
  'etcd.passwordFile': setting({
    type: path,
    otherwise: 'the environment variable WEFT_ETCD_PASSWORD',
    example: '/etc/weft/etcd/password',
    description: 'A file with the password',
    programs: BOTH,
    applied: 'restart',
    flag: 'etcd-password-file',
  }),
  ...OVN_SETTINGS,
  ...ATTACHMENT_SETTINGS,
  ...OPENSTACK_SETTINGS,
  'log.level': setting({
    type: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    default: 'info',
    description: 'How much is logged. The environment variable WEFT_LOG_LEVEL wins',
    programs: BOTH,
    applied: 'live',
  }),
  'cluster.podNetworks': setting({
    type: podNetworks,
    otherwise:
      'what kubeadm was told, else `10.128.0.0/14` with 9 host bits, and `fd00:10:128::/48` with 64 where services have IPv6',
    example: [{ cidr: cidr('10.128.0.0/14'), hostBits: 9 }],
    description: 'Where pods get addresses from; every node gets a range of 2^hostBits addresses',
    programs: CONTROLLER,
    applied: 'once',
  }),
  'cluster.serviceNetworks': setting({
    type: networks,
    otherwise: 'learned from the API server',
    example: [cidr('10.96.0.0/12')],
    description: 'Where services get addresses from: the API server’s `--service-cluster-ip-range`',
    programs: CONTROLLER,
    applied: 'once',
  }),
  'cluster.tenancy': setting({
    type: oneOf('multitenant', 'subnet'),
    default: 'multitenant',
    description: 'A virtual network per namespace (`multitenant`), or every pod reaches every pod (`subnet`)',
    programs: CONTROLLER,
    applied: 'once',
  }),
  'cluster.encapsulation': setting({
    type: oneOf('vxlan', 'geneve', 'gre'),
    default: 'vxlan',
    description: 'How packets travel between nodes',
    programs: CONTROLLER,
    applied: 'once',
  }),
  'cluster.fabric': setting({
    type: { ...oneOf('tunnel', 'direct', 'bgp'), decode: fabricWay },
    default: 'tunnel',
    description:
      'By which way packets of pods reach pods of other nodes: the tunnel, the kernel’s route over the other node’s address (`direct`), or what a BGP daemon learned (`bgp`)',
    programs: CONTROLLER,
    applied: 'once',
  }),
  'cluster.withoutWay': setting({
    type: oneOf('tunnel', 'refuse'),
    default: 'tunnel',
    description: 'What happens to packets between nodes that have no such way: they take the tunnel, or are refused',
    programs: CONTROLLER,
    applied: 'once',
  }),
  'cluster.rangesPerNode': setting({
    type: wholeNumber(1, MOST_RANGES),
    default: 1,
    description: 'How many ranges of a family a node may have as its pods become more: blocks, as Calico calls them',
    programs: CONTROLLER,
    applied: 'once',
  }),
  'cluster.tunnelPort': setting({
    type: wholeNumber(1, 65_535),
    otherwise: '4789 for vxlan, 6081 for geneve',
    example: 4789,
    description: 'UDP port of VXLAN or Geneve',
    programs: CONTROLLER,
    applied: 'once',
  }),
  'cluster.underlay': setting({
    type: oneOf('IPv4', 'IPv6'),
    otherwise: 'IPv4 where nodes have such addresses, else IPv6',
    example: 'IPv4',
    description: 'The family of the nodes’ addresses that tunnels run between',
    programs: CONTROLLER,
    applied: 'once',
  }),
  'cluster.services': setting({
    type: oneOf('weft', 'kube-proxy'),
    default: 'weft',
    description: 'Who translates service addresses: Weft’s pipeline, or a kube-proxy on every node',
    programs: CONTROLLER,
    applied: 'once',
  }),
  'cluster.mtu': setting({
    type: wholeNumber(576, 65_535),
    otherwise: 'what fits every node’s uplink',
    example: 1450,
    unit: 'bytes',
    description: 'MTU of pods’ interfaces',
    programs: CONTROLLER,
    applied: 'once',
  }),
} as const

/** The name of a setting. */
export type SettingKey = keyof typeof SETTINGS

type ValueOf<S> = S extends { readonly type: SettingType<infer T> } ? T : never

/** Values that were given. */
export type Settings = { readonly [K in SettingKey]?: ValueOf<(typeof SETTINGS)[K]> }

/** What the sections of the file are about, in its order. */
export const SECTIONS: Readonly<Record<string, string>> = {
  agent: 'The agent, on every node.',
  controller: 'The controller, of which one decides at a time.',
  registry: 'A registry of Weft’s own, where there is no Kubernetes.',
  kubernetes: 'The Kubernetes API server.',
  etcd: 'k8s-ovs’s registry in etcd, or Calico’s, for clusters that come from there. What Kubernetes says still comes from Kubernetes.',
  ovn: 'OVN’s northbound database, where OVN forwards for the machines. What Kubernetes says still comes from Kubernetes.',
  attachments: 'Networks that pods are attached to by name, and who may ask for what.',
  openstack: 'The cloud that nodes’ ports are made in, where NeutronNetworks ask for some',
  log: 'The logs of agent and controller.',
  cluster:
    'What the controller creates as ClusterNetwork "default" when there is none. Afterwards that object says it: a difference is told, not applied.',
}
