/**
 * Every error the plugin answers a container runtime with: one row per error.
 *
 * `code` is what the runtime acts on: 1–11, 50 and 51 are the specification's, 100 and up are ours, 999 is "internal".
 * `message` is the cause, `remedy` what to do about it; `{name}` in either is filled in by whoever raises the error.
 * The row's key is the error's stable id. A row that nobody raises is removed (a test says so); its number stays free.
 * @module
 */
import type { CniErrorRow } from './error-row.ts'
import { CONTRACT_ERRORS } from './errors-of-contract.ts'
import { OPENSTACK_ERRORS } from './errors-of-openstack.ts'
import { PASSING_ERRORS, STATUS_ERRORS } from './errors-that-pass.ts'

/** Ours: a request that is understood and cannot be met. */
const own = {
  'pool-exhausted': {
    code: 100,
    message: 'no free address is left in {pool}',
    remedy: 'it is retried; let nodes have more ranges (rangesPerNode), or remove pods from this node',
  },
  'tenant-refused': {
    code: 101,
    message: 'namespace {namespace} has no tenant: {problem}',
    remedy: 'free virtual network identifiers by removing unused namespaces',
  },
  'interface-exists': {
    code: 102,
    message: 'interface {ifname} already exists in the container and is not ours',
    remedy: 'remove the interface, or attach under another interface name',
  },
  'permission-denied': {
    code: 103,
    message: 'the Weft agent lacks a permission: {reason}',
    remedy: 'run the agent as root, or give it the capabilities CAP_NET_ADMIN and CAP_SYS_ADMIN',
  },
  'port-failed': {
    code: 106,
    message: 'the port of the pod could not be opened: {reason}',
    remedy: 'it is undone; correct the cause, which the log of ovs-vswitchd may tell more about',
  },
  'link-failed': {
    code: 108,
    message: 'the kernel refused interface {ifname}: {reason}',
    remedy: 'it is undone; see the log of the agent',
  },
  'kernel-feature-missing': {
    code: 109,
    message: 'the kernel of this node lacks a feature: {reason}',
    remedy: 'load the kernel module or use a kernel that has it',
  },
  'result-without-address': {
    code: 110,
    message: 'a result without an address cannot be written in CNI version {version}',
    remedy: 'set cniVersion to 0.3.1 or newer',
  },
  'result-too-small': {
    code: 111,
    message: 'a result in CNI version {version} holds one IPv{family} address, and there are {count}',
    remedy: 'set cniVersion to 0.3.1 or newer',
  },
  'agent-forbidden': {
    code: 113,
    message: 'the plugin may not connect to the socket of the Weft agent',
    remedy: 'run the container runtime as root: the agent serves no other user',
  },
  'bandwidth-refused': {
    code: 114,
    message: 'pod {pod}: {problem}',
    remedy:
      'write kubernetes.io/ingress-bandwidth and kubernetes.io/egress-bandwidth as quantities from 1k to 1P (bits per second), or remove them',
  },
  'check-failed': {
    code: 120,
    message: 'the attachment is not as it was made: {difference}',
    remedy: 'see weft audit on this node; recreating the pod restores it',
  },
  'wire-malformed': {
    code: 130,
    message: 'the message from the plugin is malformed: {reason}',
    remedy: 'install the plugin and the agent from the same release',
  },
  'wire-version': {
    code: 131,
    message: 'the plugin speaks another version of the protocol than the agent',
    remedy: 'install the plugin and the agent from the same release',
  },
  'wire-reply-invalid': {
    code: 132,
    message: 'the answer of the Weft agent is empty or larger than the plugin accepts',
    remedy: 'install the plugin and the agent from the same release',
  },
  'address-conflict': {
    code: 140,
    message: 'address {address} is in use on the wire of {ifname}: {mac} has it',
    remedy:
      'find the host with this MAC address and give it another address, or take the address out of the pool (excludeIPs, SpiderReservedIP)',
  },
  'address-duplicate': {
    code: 145,
    message: 'address {address} of {ifname} is in use on the wire: the kernel heard somebody else who has it',
    remedy: 'find who has it and give that host another address, or take the address out of the pool (excludeIPs)',
  },
  'gateway-unreachable': {
    code: 141,
    message: 'gateway {gateway} of address {address} does not answer on the wire of {ifname}',
    remedy: 'check the gateway in the pool, and the VLAN and bridge of the network; it was asked three times',
  },
  'request-refused': {
    code: 142,
    message: '{who} asks for {field}: {reason}',
    remedy:
      'have an administrator grant it (attachments in the settings of Weft, docs/attachments.md), or leave {field} out',
  },
  // What has to be there cannot be left out.
  'choice-refused': {
    code: 149,
    message: '{who} asks for {field}: {reason}',
    remedy:
      'have an administrator grant it (attachments in the settings of Weft, docs/attachments.md), or write in {field} what is granted',
  },
  'bridge-reserved': {
    code: 153,
    message: '{who} asks for {field}: bridge {bridge} is {owner}',
    remedy: 'name another bridge in the network configuration: on this one no pod is put, whoever asks',
  },
  'network-unknown': {
    code: 143,
    message: 'cannot find a network-attachment-definition ({name}) in namespace ({namespace}), which {who} asks for',
    remedy: 'create it, or correct the name',
  },
  'network-empty': {
    code: 144,
    message: 'network-attachment-definition {definition} has no configuration, and no file in {folder} is named {name}',
    remedy: 'give it a configuration (spec.config), by a SpiderMultusConfig of its name for one',
  },
  'plugin-missing': {
    code: 150,
    message: 'plugin {type} is not on this node: no program of this name is in {folders}',
    remedy: 'install the plugin on the node, or correct the type in the network configuration',
  },
  'plugin-failed': {
    code: 151,
    message: 'plugin {type} failed: {reason}',
    remedy: 'see the log of the agent for what the plugin wrote',
  },
  'master-unfit': {
    code: 152,
    message: 'link {master} of this node cannot carry {kind} interfaces of pods: {reason}',
    remedy: 'name another link of this node as master in the network configuration',
  },
  'nic-unfit': {
    code: 154,
    message: 'NIC {nic} of this node cannot go into a pod: {reason}',
    remedy: 'name another NIC in the network configuration, or free this one (docs/nics.md)',
  },
  'bridge-missing': {
    code: 146,
    message: 'Open vSwitch on this node has no bridge {bridge}',
    remedy: 'make it with weft bridge create {bridge} --uplink <NIC> on this node, or correct the name',
  },
  'link-not-up': {
    code: 147,
    message: 'the OF port {link} is not up after {milliseconds} ms',
    remedy: 'raise link_state_check_retries or link_state_check_interval; see the log of ovs-vswitchd',
  },
  'ipam-without-address': {
    code: 148,
    message: 'IPAM plugin {type} returned missing IP config',
    remedy: 'look at what the configuration asks of the IPAM plugin (ipam)',
  },
  'pool-none': {
    code: 161,
    message: 'no IPPool available: nothing names a pool for {ifname} of pod {pod}, and no pool is there by default',
    remedy: 'name pools in the annotation ipam.spidernet.io/ippool, or set spec.default of a SpiderIPPool',
  },
  'pool-filtered': {
    code: 162,
    message: 'no IPPool available, all IPv{family} IPPools [{pools}] of {ifname} filtered out: {reasons}',
    remedy:
      'mend what is said of each pool (make one that does not exist, change a field that is named), or name other pools (these are named by: {source})',
  },
  'pool-used-out': {
    code: 163,
    message: 'all IP addresses used out in the IPv{family} IPPools of {ifname}: {counts}',
    remedy: 'add addresses (spec.ips of {pools}), remove pods or reservations, or name another pool',
  },
  'claim-refused': {
    code: 164,
    message: 'the claim on {address} of pool {pool} was refused: {reason}',
    remedy: 'correct what the reason names',
  },
  'pod-required': {
    code: 165,
    message: 'network {network} gives addresses to pods alone, and {who}',
    remedy: 'the container runtime must name a pod of the cluster that is not ending, in CNI_ARGS',
  },
  'pool-family-disabled': {
    code: 160,
    message: '{source} names IPv{family} pools for {ifname}, and IPv{family} is off',
    remedy: 'name pools of the other family only, or have an administrator turn IPv{family} on',
  },
  'neutron-mode-unfit': {
    code: 166,
    message: 'pods cannot be on Neutron network {network} that way: {reason}',
    remedy: '{advice}',
  },
  'neutron-nic-missing': {
    code: 167,
    message: 'no link of this node can carry pods of Neutron network {network}: {reason}',
    remedy:
      'see that the port of the VM (NodePorts, parent.mac) is a NIC of this node, or name the link as master in the network configuration',
  },
  'vlan-in-use': {
    code: 168,
    message: 'VLAN {vlan} of {master} is in use already, and can be in one place only: it is {holder}',
    remedy:
      'remove that link, or take another VLAN; several pods get one VLAN by macvlan on a VLAN link of the node (ifacer), and those of a trunk are for its ports alone',
  },
  'underlay-used-out': {
    code: 169,
    message: 'all {count} ports of logical switch {name} have pods',
    remedy:
      'remove pods from this node, let its kubelet run {count} pods at most (maxPods), or give the node a larger subnet (lswitch-destroy, then lswitch-setup)',
  },
  internal: {
    code: 999,
    message: 'internal error',
    remedy: 'see the log of the agent at this time',
  },
} as const satisfies Record<string, CniErrorRow>

/** The table: id → row. */
export const CNI_ERRORS = {
  ...CONTRACT_ERRORS,
  ...PASSING_ERRORS,
  ...STATUS_ERRORS,
  ...OPENSTACK_ERRORS,
  ...own,
} as const

/** The stable id of an error. */
export type CniErrorId = keyof typeof CNI_ERRORS
