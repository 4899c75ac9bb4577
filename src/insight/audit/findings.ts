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
