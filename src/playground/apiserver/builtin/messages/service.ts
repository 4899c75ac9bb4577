/**
 * Services and the addresses behind them.
 * @module
 */
import type { Messages } from './message.ts'

export const SERVICE_MESSAGES = {
  Service: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    spec: [2, 'ServiceSpec', 'What the service shall be.'],
    status: [3, 'ServiceStatus', 'What it is.'],
  },
  ServiceSpec: {
    ports: [1, '[]ServicePort', 'What it offers.', 'merge:port'],
    selector: [2, '{}string', 'Labels of the pods behind it.'],
    clusterIP: [3, 'string', 'Its address, or None for a headless one.'],
    clusterIPs: [18, '[]string', 'Its addresses, one of each family.'],
    type: [4, 'string', 'ClusterIP, NodePort, LoadBalancer or ExternalName.'],
    externalIPs: [5, '[]string', 'Further addresses, which others lead to the nodes.'],
    sessionAffinity: [7, 'string', 'ClientIP keeps a client at its backend; else None.'],
    loadBalancerIP: [8, 'string', 'The address wanted of a load balancer.'],
    loadBalancerSourceRanges: [9, '[]string', 'Who may use the load balancer.'],
    externalName: [10, 'string', 'The name that an ExternalName service stands for.'],
    externalTrafficPolicy: [
      11,
      'string',
      'Local leads what comes from outside to pods of the same node only; else Cluster.',
    ],
    healthCheckNodePort: [12, 'int32', 'The port on which a node says whether it has backends.'],
    publishNotReadyAddresses: [13, 'bool', 'Whether pods count before they are ready.'],
    sessionAffinityConfig: [14, '*SessionAffinityConfig', 'How long an affinity lasts.'],
    ipFamilies: [19, '[]string', 'Its families, in order: IPv4, IPv6.'],
    ipFamilyPolicy: [17, '*string', 'SingleStack, PreferDualStack or RequireDualStack.'],
    allocateLoadBalancerNodePorts: [20, '*bool', 'Whether a LoadBalancer has node ports.'],
    loadBalancerClass: [21, '*string', 'Who makes the load balancer.'],
    internalTrafficPolicy: [22, '*string', 'Local leads pods to backends of their own node only; else Cluster.'],
    trafficDistribution: [23, '*string', 'Which backends are liked.'],
  },
  ServicePort: {
    name: [1, 'string', 'Its name; needed where there are several.'],
    protocol: [2, 'string', 'TCP, UDP or SCTP.'],
    appProtocol: [6, '*string', 'What is spoken above it.'],
    port: [3, 'int32', 'The port of the service.'],
    targetPort: [4, 'IntOrString', "The number or name of the pods' port; the same number unless given."],
    nodePort: [5, 'int32', 'The port of every node.'],
  },
  SessionAffinityConfig: {
    clientIP: [1, '*ClientIPConfig', 'For ClientIP.'],
  },
  ClientIPConfig: {
    timeoutSeconds: [1, '*int32', 'Seconds after which a quiet client is forgotten.'],
  },
  ServiceStatus: {
    loadBalancer: [1, 'LoadBalancerStatus', 'What the load balancer answers on.'],
    conditions: [2, '[]Condition', 'What is true of it at the moment.', 'merge:type'],
  },
  LoadBalancerStatus: {
    ingress: [1, '[]LoadBalancerIngress', 'Where it answers.'],
  },
  LoadBalancerIngress: {
    ip: [1, 'string', 'The address.'],
    hostname: [2, 'string', 'The name.'],
    ipMode: [3, '*string', 'VIP or Proxy.'],
  },
  Endpoints: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    subsets: [2, '[]EndpointSubset', 'Sets of addresses with the same ports.'],
  },
  EndpointSubset: {
    addresses: [1, '[]EndpointAddress', 'Where connections are taken.'],
    notReadyAddresses: [2, '[]EndpointAddress', 'Where they are not taken yet.'],
    ports: [3, '[]EndpointPort', 'On which ports.'],
  },
  EndpointAddress: {
    ip: [1, 'string', 'The address.'],
    hostname: [3, 'string', 'Its host name.'],
    nodeName: [4, '*string', 'The node that it is on.'],
    targetRef: [2, '*ObjectReference', 'The pod that it is of.'],
  },
  EndpointPort: {
    name: [1, 'string', "The name of the service's port."],
    port: [2, 'int32', 'The port.'],
    protocol: [3, 'string', 'TCP, UDP or SCTP.'],
    appProtocol: [4, '*string', 'What is spoken above it.'],
  },
  EndpointSlice: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    addressType: [4, 'string', 'IPv4, IPv6 or FQDN.'],
    endpoints: [2, '[]Endpoint', 'The backends.'],
    ports: [3, '[]discovery.EndpointPort', 'The ports of every backend.'],
  },
  Endpoint: {
    addresses: [1, '[]string', 'Its address.'],
    conditions: [2, 'EndpointConditions', 'Whether it takes connections.'],
    hostname: [3, '*string', 'Its host name.'],
    targetRef: [4, '*ObjectReference', 'The pod that it is.'],
    deprecatedTopology: [5, '{}string', 'No longer used.'],
    nodeName: [6, '*string', 'The node that it is on.'],
    zone: [7, '*string', 'The zone that it is in.'],
    hints: [8, '*EndpointHints', 'Who should use it.'],
  },
  EndpointConditions: {
    ready: [1, '*bool', 'Whether new connections may be sent to it.'],
    serving: [2, '*bool', 'Whether it answers, even when it is about to end.'],
    terminating: [3, '*bool', 'Whether it is about to end.'],
  },
  EndpointHints: {
    forZones: [1, '[]ForZone', 'Clients in these zones.'],
  },
  ForZone: {
    name: [1, 'string', 'The zone.'],
  },
  'discovery.EndpointPort': {
    name: [1, '*string', "The name of the service's port."],
    protocol: [2, '*string', 'TCP, UDP or SCTP.'],
    port: [3, '*int32', 'The port; absent for all.'],
    appProtocol: [4, '*string', 'What is spoken above it.'],
  },
} as const satisfies Messages
