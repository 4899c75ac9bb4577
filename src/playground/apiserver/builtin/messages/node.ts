/**
 * Nodes.
 * @module
 */
import type { Messages } from './message.ts'

export const NODE_MESSAGES = {
  Node: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    spec: [2, 'NodeSpec', 'What the node shall be.'],
    status: [3, 'NodeStatus', 'What it is.'],
  },
  NodeSpec: {
    podCIDR: [1, 'string', 'The range of its pods.'],
    podCIDRs: [7, '[]string', 'The ranges of its pods, one of each family.', 'merge'],
    providerID: [3, 'string', 'What its provider calls it.'],
    unschedulable: [4, 'bool', 'Whether new pods are kept away.'],
    taints: [5, '[]Taint', 'What keeps pods away that do not tolerate it.'],
  },
  Taint: {
    key: [1, 'string', 'Its key.'],
    value: [2, 'string', 'Its value.'],
    effect: [3, 'string', 'NoSchedule, PreferNoSchedule or NoExecute.'],
    timeAdded: [4, '*Time', 'When it was added.'],
  },
  NodeStatus: {
    capacity: [1, '{}Quantity', 'What it has.'],
    allocatable: [2, '{}Quantity', 'What pods may have of it.'],
    phase: [3, 'string', 'No longer used.'],
    conditions: [4, '[]NodeCondition', 'What is true of it at the moment.', 'merge:type'],
    addresses: [5, '[]NodeAddress', 'Its addresses and names.', 'merge:type'],
    daemonEndpoints: [6, 'NodeDaemonEndpoints', 'Ports of its daemons.'],
    nodeInfo: [7, 'NodeSystemInfo', 'What it is made of.'],
    images: [8, '[]ContainerImage', 'Images that it has.'],
    volumesInUse: [9, '[]string', 'Volumes that are mounted.'],
  },
  NodeCondition: {
    type: [1, 'string', 'Such as Ready or NetworkUnavailable.'],
    status: [2, 'string', 'True, False or Unknown.'],
    lastHeartbeatTime: [3, 'Time', 'When it was last said.'],
    lastTransitionTime: [4, 'Time', 'Since when.'],
    reason: [5, 'string', 'Why, in one word.'],
    message: [6, 'string', 'Why, in words.'],
  },
  NodeAddress: {
    type: [1, 'string', 'InternalIP, ExternalIP, Hostname, InternalDNS or ExternalDNS.'],
    address: [2, 'string', 'The address or name.'],
  },
  NodeDaemonEndpoints: {
    kubeletEndpoint: [1, 'DaemonEndpoint', 'Where its kubelet listens.'],
  },
  DaemonEndpoint: {
    Port: [1, 'int32', 'The port.'],
  },
  NodeSystemInfo: {
    machineID: [1, 'string', "The machine's number."],
    systemUUID: [2, 'string', "The system's number."],
    bootID: [3, 'string', 'A number for every start.'],
    kernelVersion: [4, 'string', 'Its kernel.'],
    osImage: [5, 'string', 'Its operating system, as it calls itself.'],
    containerRuntimeVersion: [6, 'string', 'What runs its containers.'],
    kubeletVersion: [7, 'string', 'The version of its kubelet.'],
    kubeProxyVersion: [8, 'string', 'No longer used.'],
    operatingSystem: [9, 'string', 'Such as linux.'],
    architecture: [10, 'string', 'Such as amd64.'],
  },
  ContainerImage: {
    names: [1, '[]string', 'Its names.'],
    sizeBytes: [2, 'int64', 'Its size.'],
  },
} as const satisfies Messages
