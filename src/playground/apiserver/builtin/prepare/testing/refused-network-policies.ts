/**
 * Network policies that are refused, and the words about them.
 * @module
 */
import { networkPolicy, type Refused } from './objects.ts'

const NO_NETWORK = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
const from = (peer: object) => networkPolicy({ ingress: [{ from: [peer] }] })
const port = (given: object) => networkPolicy({ egress: [{ ports: [given] }] })

export const REFUSED_NETWORK_POLICIES: readonly Refused[] = [
  [from({}), 'spec.ingress[0].from[0]: Required value: must specify a peer'],
  [
    from({ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }),
    'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
  ],
  [from({ ipBlock: {} }), 'spec.ingress[0].from[0].ipBlock.cidr: Required value'],
  [from({ ipBlock: { cidr: 'x' } }), `spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "x": ${NO_NETWORK}`],
  [
    from({ ipBlock: { cidr: '10.0.0.0/8', except: ['x'] } }),
    `spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "x": ${NO_NETWORK}`,
  ],
  [
    from({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] } }),
    'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of `cidr`',
  ],
  [
    from({ ipBlock: { cidr: '10.0.0.0/8', except: ['fd00::/64'] } }),
    'spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: "fd00::/64": must be a strict subset of `cidr`',
  ],
  [
    from({ podSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }),
    "spec.ingress[0].from[0].podSelector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
  ],
  [
    networkPolicy({ podSelector: { matchExpressions: [{ key: 'a', operator: 'Like', values: ['b'] }] } }),
    'spec.podSelector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator',
  ],
  [port({ port: 0 }), 'spec.egress[0].ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive'],
  [
    port({ port: 80, protocol: 'ICMP' }),
    'spec.egress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
  ],
  [
    port({ port: 80, endPort: 79 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`',
  ],
  [
    port({ port: 80, endPort: 65536 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 65536: must be between 1 and 65535, inclusive',
  ],
  [
    port({ port: 'http', endPort: 80 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is non-numeric',
  ],
  [
    port({ endPort: 80 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is not specified',
  ],
  [port({ port: '80' }), 'spec.egress[0].ports[0].port: Invalid value: "80": must contain at least one letter (a-z)'],
  [
    networkPolicy({ policyTypes: ['Both'] }),
    'spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress"',
  ],
  [
    networkPolicy({ policyTypes: ['Ingress', 'Egress', 'Egress'] }),
    'spec.policyTypes: Invalid value: []networking.PolicyType{"Ingress", "Egress", "Egress"}: may not specify more than two policyTypes',
  ],
  [
    networkPolicy({ ingress: {} }),
    'json: cannot unmarshal object into Go struct field NetworkPolicySpec.spec.ingress of type []v1.NetworkPolicyIngressRule',
  ],
]
