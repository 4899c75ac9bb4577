/**
 * Those rows of the table of errors that are about a state of the node: it passes, or is told by STATUS.
 * @module
 */
import type { CniErrorRow } from './error-row.ts'

/** Passing states: the runtime should try again. */
export const PASSING_ERRORS = {
  'agent-not-running': {
    code: 11,
    message: 'the Weft agent does not run on this node',
    remedy: 'it is retried; start the agent (weft agent) or look into its log if this lasts',
  },
  'agent-timeout': {
    code: 11,
    message: 'the Weft agent did not answer in time',
    remedy: 'it is retried; look into the log of the agent if this lasts',
  },
  'agent-vanished': {
    code: 11,
    message: 'the Weft agent closed the connection before it answered',
    remedy: 'it is retried; look into the log of the agent if this lasts',
  },
  'agent-starting': {
    code: 11,
    message: 'the Weft agent is not ready yet: {waiting}',
    remedy: 'it is retried; see weft status on this node if this lasts',
  },
  'attachment-in-progress': {
    code: 11,
    message: 'interface {ifname} of container {container} is being attached or detached',
    remedy: 'it is retried; the container runtime must not run two operations on one container at once',
  },
  'ovs-unreachable': {
    code: 11,
    message: 'Open vSwitch cannot be reached at {target}: {reason}',
    remedy: 'start Open vSwitch on this node (systemctl start openvswitch-switch) and check the socket path',
  },
  'pod-unknown-yet': {
    code: 11,
    message: 'nobody can say what networks pod {pod} asks for: {reason}',
    remedy: 'it is retried; check that the API server answers if this lasts',
  },
  'plugin-timeout': {
    code: 11,
    message: 'plugin {type} did not answer within {seconds} seconds and was stopped',
    remedy: 'it is retried; look into what the plugin waits for if this lasts',
  },
  'claims-unreachable': {
    code: 11,
    message: 'addresses of pools can be neither taken nor given back: {reason}',
    remedy: 'it is retried; check that the API server answers, and serves addressclaims.weft.dev, if this lasts',
  },
  'pool-contended': {
    code: 11,
    message: 'other nodes were faster with {tries} addresses of {pools}',
    remedy: 'it is retried; the pools are nearly used up: add addresses to them (spec.ips) if this lasts',
  },
  'pool-pending': {
    code: 11,
    message: 'no pool was made yet for {owner}, interface {ifname}, IPv{family}, from SpiderSubnet {subnet}',
    remedy: 'it is retried; check that the controller runs and that the SpiderSubnet exists and has free addresses',
  },
  'definition-unreadable': {
    code: 11,
    message: 'network-attachment-definition {definition} cannot be read: {reason}',
    remedy: 'it is retried; check that the API server answers if this lasts',
  },
  'tenant-unassigned': {
    code: 11,
    message: 'namespace {namespace} has no tenant yet',
    remedy: 'it is retried; check that the controller runs and that the namespace exists if this lasts',
  },
  'namespace-unknown': {
    code: 11,
    message: 'namespace {namespace} does not exist',
    remedy: 'it is retried; create the namespace, or correct its name in the network configuration',
  },
  'node-range-missing': {
    code: 11,
    message: 'node {node} has no address range yet',
    remedy: 'it is retried; check that the controller runs and has ranges left if this lasts',
  },
  'coordinator-not-ready': {
    code: 11,
    message: 'SpiderCoordinator {name} is not ready: {reason}',
    remedy:
      'it is retried; create ConfigMap kubeadm-config in namespace kube-system, whose ClusterConfiguration has networking.podSubnet and networking.serviceSubnet (docs/coordinator.md shows it)',
  },
  'neutron-ports-none': {
    code: 11,
    message: 'no port of Neutron network {network} was free for {ifname} within {seconds} seconds: {reason}',
    remedy:
      'it is retried; see kubectl get neutronnetworks, and raise pool.max of the NeutronNetwork or the quota of the project if this lasts',
  },
  'underlay-not-ready': {
    code: 11,
    message: 'this node has no logical switch for pods: {reason}',
    remedy: 'it is retried; run ovn-k8-underlay.py lswitch-setup on this node (docs/ovn-underlay.md) if this lasts',
  },
  'nic-not-home': {
    code: 11,
    message: 'NIC {nic} is not back from the pod as it was: {reason}',
    remedy: 'it is retried; see ip link show on this node if this lasts (docs/nics.md)',
  },
  'flannel-not-ready': {
    code: 11,
    message: 'flannel has no subnet for this machine yet: {reason}',
    remedy: 'it is retried; see that flanneld runs (systemctl status flanneld) if this lasts',
  },
} as const satisfies Record<string, CniErrorRow>

/** Answers to STATUS. */
export const STATUS_ERRORS = {
  'status-agent-not-running': {
    code: 50,
    message: 'no pod can be attached: the Weft agent does not run on this node',
    remedy: 'start the agent (weft agent)',
  },
  'status-not-ready': {
    code: 50,
    message: 'no pod can be attached: {reason}',
    remedy: 'see weft status on this node',
  },
} as const satisfies Record<string, CniErrorRow>
