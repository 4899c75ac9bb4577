/**
 * Every difference that `weft audit` knows.
 * @module
 */
import type { RepairStep } from './repair.ts'

interface FindingKind {
  /** What it means. */
  readonly means: string
  /** What `--repair` does, or what people should do where it does nothing. */
  readonly repair: string
}

const BY_HAND = '--repair leaves it:'
/** An agent frees nothing that a namespace still uses. */
const ELSE =
  'else have the container runtime remove the pod (its DEL frees it), or delete the namespace (ip netns delete) and repair again'

/** Every finding, by its stable code. */
export const FINDINGS = {
  'agent-silent': {
    means: 'a node could not be compared, because its agent does not answer',
    repair: `${BY_HAND} start the agent`,
  },
  'registry-silent': {
    means: 'pods, tenants and ranges could not be compared, because the registry does not answer',
    repair: `${BY_HAND} start the registry`,
  },
  'unreadable-lease': {
    means: 'a port carries a lease record that cannot be read: the pod behind it has no flows',
    repair: `${BY_HAND} delete the pod, or the port once the pod is gone`,
  },
  'lease-without-port': {
    means: 'an attachment has no port on the bridge: the pod is cut off',
    repair: 'puts the port back',
  },
  'port-without-lease': {
    means: 'a port on the bridge belongs to no attachment: whatever it sends is dropped as unknown-port',
    repair: 'removes the port if its name is one of Weft’s, and leaves any other',
  },
  'ofport-mismatch': {
    means: 'a port has another OpenFlow number than its lease says: flows do not meet its packets',
    repair: 'puts the port back under its number',
  },
  'port-error': { means: 'Open vSwitch cannot use a port', repair: 'puts the port back' },
  'own-port-missing': {
    means: 'the bridge lacks its tunnel or its gateway port, or it has another number',
    repair: 'brings the bridge to the plan',
  },
  'underlay-port-missing': {
    means:
      'a pod’s port on a bridge of the physical network is gone, or Open vSwitch cannot use it: the pod is cut off',
    repair: `${BY_HAND} the agent puts back what it can within a second; make sure that the bridge is there`,
  },
  'underlay-unguarded': {
    means:
      'a pod’s port on a guarded bridge is not known to its flows: the pod can forge addresses, and no policy holds',
    repair: 'brings the bridge’s flows to the plan',
  },
  'link-without-lease': {
    means: 'a link of Weft’s belongs to no attachment',
    repair: 'removes the link',
  },
  'lease-without-link': {
    means: 'the link of an attachment is gone, and the pod’s end with it',
    repair: `frees the attachment if the pod’s network namespace is gone; ${ELSE}`,
  },
  'doomed-link-left': {
    means: 'a link was given up and is still there',
    repair: 'removes the link',
  },
  'address-leased-twice': {
    means: 'two attachments hold the same address: packets reach one of them at most',
    repair: `${BY_HAND} restart one of the pods`,
  },
  'address-outside-range': {
    means: 'an attachment’s address is not of its node’s ranges: other nodes send its packets elsewhere',
    repair: `${BY_HAND} restart the pod`,
  },
  'address-is-gateway': {
    means: 'an attachment holds the node’s own address',
    repair: `${BY_HAND} restart the pod`,
  },
  'pod-without-lease': {
    means: 'the registry knows addresses of a pod that its node has not attached',
    repair: `${BY_HAND} restart the pod`,
  },
  'lease-without-pod': {
    means: 'an attachment’s pod is not in the registry, or is another one by now, or on another node',
    repair: `frees the attachment if the pod’s network namespace is gone; ${ELSE}`,
  },
  'address-differs-from-pod': {
    means: 'the registry knows the pod by other addresses than it has',
    repair: `${BY_HAND} restart the pod`,
  },
  'lease-without-tenant': {
    means: 'the agent knows no VNI for the pod’s namespace: the pod is cut off',
    repair: `${BY_HAND} check the controller: weft status`,
  },
  'tenant-differs': {
    means: 'agent and registry have different VNIs for a namespace',
    repair: `${BY_HAND} check the agent’s connection to the registry`,
  },
  'ranges-differ': {
    means: 'agent and registry have different ranges for the node',
    repair: `${BY_HAND} check the agent’s connection to the registry`,
  },
  'ranges-overlap': {
    means: 'two nodes own the same addresses',
    repair: `${BY_HAND} remove one of the nodes from the cluster, and add it again`,
  },
  'peer-differs': {
    means: 'the agent does not know a node of the cluster, or knows one that is gone, or other ranges of it',
    repair: `${BY_HAND} check the agent’s connection to the registry`,
  },
  'group-missing': {
    means: 'the switch lacks the endpoints of a service that the plan has: connections to it go nowhere',
    repair: 'brings the groups to the plan',
  },
  'group-different': {
    means: 'the switch has other endpoints for a service than the plan says',
    repair: 'brings the groups to the plan',
  },
  'group-unplanned': {
    means: 'the switch has a group that is not of the plan',
    repair: 'removes the group',
  },
  'limit-differs': {
    means: 'the kernel holds a pod to another bandwidth than was decided, or to none',
    repair: 'sets the limits again',
  },
  'flow-missing': {
    means: 'flows of the plan are not in the switch',
    repair: 'adds them',
  },
  'flow-different': {
    means: 'flows in the switch do something else than the plan says',
    repair: 'replaces them',
  },
  'flow-unplanned': {
    means: 'flows with Weft’s cookie are in the switch that no object asks for',
    repair: 'removes them',
  },
  'flow-foreign': {
    means: 'flows on Weft’s bridge that Weft did not make: they may open what should be closed',
    repair: 'removes them, for the bridge is Weft’s alone; find out who adds them',
  },
  'neutron-silent': {
    means: 'ports in OpenStack could not be compared',
    repair: `${BY_HAND} the detail says what is in the way`,
  },
  'neutron-lease-without-port': {
    means: 'a pod has a port of OpenStack that is not written down for its node (NodePorts), or not any more',
    repair: `${BY_HAND} replace the pod`,
  },
  'neutron-port-leased-twice': {
    means: 'two pods have one port of OpenStack: packets reach one of them at most',
    repair: `${BY_HAND} replace one of the pods`,
  },
  'neutron-port-pooled-twice': {
    means: 'one port of OpenStack is written down for two nodes',
    repair: `${BY_HAND} delete the NodePorts of one of the nodes (kubectl delete nodeports NODE): the controller writes it anew`,
  },
  'neutron-node-gone': {
    means: 'ports of OpenStack are kept for a node that is gone',
    repair: `${BY_HAND} the controller gives them back ten minutes after it saw that; if they stay, see its log`,
  },
  'neutron-port-unpooled': {
    means: 'a port with this cluster’s tags is in no node’s pool: nobody uses its address',
    repair:
      `${BY_HAND} the controller takes it in or deletes it within twenty minutes. If it stays: take what ` +
      'neutron-pair-stray and neutron-subport-stray say off VMs’ ports, then openstack port delete PORT',
  },
  'neutron-port-missing': {
    means: 'a port is written down for a node, and is not in Neutron, or lost its tags',
    repair: `${BY_HAND} the controller strikes it out within ten minutes; then replace the pod that has it`,
  },
  'neutron-port-differs': {
    means: 'a port has other addresses than are written down, or is another one: packets of its pod are dropped',
    repair: `${BY_HAND} undo what was changed in Neutron, or delete the port and replace its pod`,
  },
  'neutron-groups-differ': {
    means: 'a port has other security groups than its network asks for: what they allow counts',
    repair: `${BY_HAND} the controller sets them within ten minutes; if they stay, see kubectl describe neutronnetwork`,
  },
  'neutron-parent-missing': {
    means: 'the VM’s port behind which a node’s pods are is gone',
    repair: `${BY_HAND} delete the Node if its VM is gone; else have the NeutronNetwork name the VM’s port (spec.parent)`,
  },
  'neutron-pair-missing': {
    means: 'the VM’s port does not allow the address of a port behind it: packets of its pod are dropped',
    repair: `${BY_HAND} the controller adds it within ten minutes; if it stays, see kubectl describe neutronnetwork`,
  },
  'neutron-pair-stray': {
    means:
      'a VM’s port allows the address of a port of this cluster’s that is not behind it: the VM can take the address',
    repair: `${BY_HAND} openstack port unset --allowed-address ip-address=ADDRESS,mac-address=MAC PORT`,
  },
  'neutron-subport-missing': {
    means: 'a port is not on the trunk of its VM: its pod is cut off',
    repair: `${BY_HAND} the controller adds it within ten minutes; if it stays, see kubectl describe neutronnetwork`,
  },
  'neutron-subport-differs': {
    means: 'a port has another VLAN on its VM’s trunk than is written down: its pod is cut off',
    repair: `${BY_HAND} the controller writes it down within ten minutes; then replace the pod`,
  },
  'neutron-subport-stray': {
    means: 'a VM’s trunk carries a port of this cluster’s that is not this VM’s',
    repair: `${BY_HAND} openstack network trunk unset --subport PORT TRUNK`,
  },
  'neutron-address-missing': {
    means: 'the VM’s port lost an address that is written down for pods: packets of its pod are dropped',
    repair: `${BY_HAND} the controller strikes it out within ten minutes; then replace the pod that has it`,
  },
  'ovn-silent': {
    means: 'rows in OVN’s northbound database could not be compared',
    repair: `${BY_HAND} the detail says what is in the way`,
  },
  'ovn-row-unreadable': {
    means: 'a row of this cluster’s holds an object that cannot be read: nobody sees the object',
    repair: `${BY_HAND} put external_ids:weft-value back (ovn-nbctl set TABLE NAME …). Deleting the row deletes the object: a node gets other ranges, a tenant another VNI`,
  },
  'ovn-row-differs': {
    means: 'a row says something else than the object that it holds',
    repair: `${BY_HAND} undo what was changed by hand (ovn-nbctl set TABLE NAME …). Deleting the row deletes the object: a node gets other ranges`,
  },
  'ovn-row-doubled': {
    means: 'two rows hold one object: writers change one of them',
    repair: `${BY_HAND} delete the row whose weft-revision is the lower one (ovn-nbctl destroy TABLE UUID)`,
  },
  'ovn-row-unwanted': {
    means: 'a row is kept for a Node that is gone',
    repair: `${BY_HAND} start the controller, which removes it; see weft status`,
  },
  'ovn-row-missing': {
    means: 'a Node has no row with its ranges: it gets no pods',
    repair: `${BY_HAND} start the controller, which makes it; if it is missing then, see weft status`,
  },
  'ovn-parent-missing': {
    means: 'a port is nested behind a port that is gone: no chassis forwards for it',
    repair: `${BY_HAND} make the machine’s port again, or remove the switch: ovn-nbctl lsp-get-ls PORT names it, weft ovn release SWITCH --ovn-cluster NAME removes it`,
  },
  'ovn-join-half': {
    means: 'a switch’s way to a router has one end only: nothing leaves that switch',
    repair: `${BY_HAND} weft ovn prepare with the same --router makes the other end; weft ovn release takes the switch away`,
  },
} as const satisfies Record<string, FindingKind>

/** The code of a finding. */
export type FindingCode = keyof typeof FINDINGS

/** One difference. */
export interface Finding {
  readonly code: FindingCode
  readonly node: string
  /** What differs: `pod shop/web`, `port weft0`, `table 70`. */
  readonly object: string
  /** What was found, in a few words. */
  readonly detail: string
  /** What `--repair` would ask the node's agent to do. */
  readonly step: RepairStep | undefined
}
