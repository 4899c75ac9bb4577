/**
 * Network policies.
 * @module
 */
import type { Messages } from './message.ts'

export const NETWORK_POLICY_MESSAGES = {
  NetworkPolicy: {
    metadata: [1, 'ObjectMeta', 'Name, labels and what else every object has.'],
    spec: [2, 'NetworkPolicySpec', 'What may connect to what.'],
  },
  NetworkPolicySpec: {
    podSelector: [1, 'LabelSelector', 'The pods that it isolates; empty for all of the namespace.'],
    ingress: [2, '[]NetworkPolicyIngressRule', 'Who may connect to them; none: nobody.'],
    egress: [3, '[]NetworkPolicyEgressRule', 'Where they may connect to; none: nowhere.'],
    policyTypes: [4, '[]string', 'Ingress, Egress or both; Ingress, and Egress where it has rules, unless given.'],
  },
  NetworkPolicyIngressRule: {
    ports: [1, '[]NetworkPolicyPort', 'On which ports; none: on all.'],
    from: [2, '[]NetworkPolicyPeer', 'Who; none: everybody.'],
  },
  NetworkPolicyEgressRule: {
    ports: [1, '[]NetworkPolicyPort', 'On which ports; none: on all.'],
    to: [2, '[]NetworkPolicyPeer', 'Where to; none: everywhere.'],
  },
  NetworkPolicyPort: {
    protocol: [1, '*string', 'TCP, UDP or SCTP; TCP unless given.'],
    port: [2, '*IntOrString', 'The number of the port, or its name in the pod that is connected to; all unless given.'],
    endPort: [3, '*int32', 'The last port of a range that begins with the other.'],
  },
  NetworkPolicyPeer: {
    podSelector: [1, '*LabelSelector', 'Pods, of the same namespace unless others are selected.'],
    namespaceSelector: [2, '*LabelSelector', 'The namespaces of the pods; empty for all.'],
    ipBlock: [3, '*IPBlock', 'Addresses.'],
  },
  IPBlock: {
    cidr: [1, 'string', 'A range, such as 192.0.2.0/24 or 2001:db8::/64.'],
    except: [2, '[]string', 'Parts of it that are not meant.'],
  },
} as const satisfies Messages
