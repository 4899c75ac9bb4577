/**
 * Services that are refused, and the words about them.
 * @module
 */
import { LABEL_TEXT, LABEL_VALUE_TEXT, QUALIFIED_TEXT, SUBDOMAIN_TEXT } from '../../../objects/names.ts'
import { type Refused, service } from './objects.ts'

export const REFUSED_SERVICES: readonly Refused[] = [
  [service({ ports: undefined }), 'spec.ports: Required value'],
  [service({ ports: [] }), 'spec.ports: Required value'],
  [
    service({}, { port: 0 }),
    '[spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive]',
  ],
  [
    service({}, { port: 70000 }),
    '[spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive]',
  ],
  [
    service({}, { protocol: 'X' }),
    'spec.ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
  ],
  [
    service({}, { targetPort: 'A B' }),
    '[spec.ports[0].targetPort: Invalid value: "A B": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), spec.ports[0].targetPort: Invalid value: "A B": must contain at least one letter (a-z)]',
  ],
  [
    service({}, { targetPort: 70000 }),
    'spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
  ],
  [
    service({ ports: [{ port: 80 }, { port: 81 }] }),
    '[spec.ports[0].name: Required value, spec.ports[1].name: Required value]',
  ],
  [
    service({
      ports: [
        { port: 80, name: 'a' },
        { port: 81, name: 'a' },
      ],
    }),
    'spec.ports[1].name: Duplicate value: "a"',
  ],
  [
    service({
      ports: [
        { port: 80, name: 'a' },
        { port: 80, name: 'b' },
      ],
    }),
    'spec.ports[1]: Duplicate value: core.ServicePort{Name:"", Protocol:"TCP", AppProtocol:(*string)(nil), Port:80, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}',
  ],
  [service({}, { name: 'A B' }), `spec.ports[0].name: Invalid value: "A B": ${LABEL_TEXT}`],
  [
    service({ type: 'X' }),
    'spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ],
  [
    service({ sessionAffinity: 'X' }),
    'spec.sessionAffinity: Unsupported value: "X": supported values: "ClientIP", "None"',
  ],
  [
    service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } }),
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400',
  ],
  [
    service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 90000 } } }),
    'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400',
  ],
  [
    service({ externalTrafficPolicy: 'Local' }),
    'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
  ],
  [
    service({ type: 'NodePort', externalTrafficPolicy: 'X' }),
    'spec.externalTrafficPolicy: Unsupported value: "X": supported values: "Cluster", "Local"',
  ],
  [
    service({ internalTrafficPolicy: 'X' }),
    'spec.internalTrafficPolicy: Unsupported value: "X": supported values: "Cluster", "Local"',
  ],
  [service({ selector: { 'a b': 'c' } }), `spec.selector: Invalid value: "a b": ${QUALIFIED_TEXT}`],
  [service({ selector: { a: 'c d' } }), `spec.selector: Invalid value: "c d": ${LABEL_VALUE_TEXT}`],
  [service({ type: 'ExternalName' }), 'spec.externalName: Required value'],
  [service({ type: 'ExternalName', externalName: 'A_' }), `spec.externalName: Invalid value: "A_": ${SUBDOMAIN_TEXT}`],
  [
    service({ type: 'ExternalName', externalName: 'a.b', clusterIP: 'None' }),
    'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
  ],
  [
    service({ externalIPs: ['x'] }),
    'spec.externalIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ],
  [
    service({ externalIPs: ['127.0.0.1'] }),
    'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ],
  [
    service({ clusterIP: 'None', type: 'NodePort' }),
    `spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`,
  ],
  [service({}, { nodePort: 30001 }), `spec.ports[0].nodePort: Forbidden: may not be used when \`type\` is 'ClusterIP'`],
  [
    service({ loadBalancerSourceRanges: ['x'] }),
    `[spec.LoadBalancerSourceRanges: Forbidden: may only be used when \`type\` is 'LoadBalancer', spec.LoadBalancerSourceRanges[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)]`,
  ],
  [
    service({ healthCheckNodePort: 30001 }),
    `spec.healthCheckNodePort: Invalid value: 30001: may only be set when \`type\` is 'LoadBalancer' and \`externalTrafficPolicy\` is 'Local'`,
  ],
  [
    service({ publishNotReadyAddresses: 'x' }),
    'json: cannot unmarshal string into Go struct field ServiceSpec.spec.publishNotReadyAddresses of type bool',
  ],
  [
    service({ ports: [{ port: 80, name: 'a'.repeat(64) }] }),
    'spec.ports[0].name: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": must be no more than 63 characters',
  ],
  [{ ...service(), spec: undefined }, 'spec.ports: Required value'],
  [
    service({ externalIPs: ['0.0.0.0'] }),
    'spec.externalIPs[0]: Invalid value: "0.0.0.0": may not be unspecified (0.0.0.0)',
  ],
  [service({}, { appProtocol: 'a b' }), `spec.ports[0].appProtocol: Invalid value: "a b": ${QUALIFIED_TEXT}`],
  [
    service({ type: 'ExternalName', externalName: 'a.b', ipFamilies: ['IPv4'] }),
    'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
  ],
  [
    service({ allocateLoadBalancerNodePorts: true }),
    `spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when \`type\` is 'LoadBalancer'`,
  ],
  [
    service({ loadBalancerClass: 'a' }),
    `spec.loadBalancerClass: Forbidden: may only be used when \`type\` is 'LoadBalancer'`,
  ],
  [
    service({ trafficDistribution: 'X' }),
    'spec.trafficDistribution: Unsupported value: "X": supported values: "PreferClose"',
  ],
]
