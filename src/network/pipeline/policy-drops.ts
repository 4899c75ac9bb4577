/**
 * The ways a packet ends because of policies.
 * @module
 */
import type { Drop } from './drops.ts'

/** Those reasons of {@link DROPS} by which policies refuse connections, or their answers. */
export const POLICY_DROPS = {
  'unasked-answer': {
    code: 41,
    stage: 'sender',
    because: 'it answers a connection that policies do not allow, or do not allow any more',
    remedy: 'See which policy decides about the connection itself: weft explain <client> <server> --port <port>',
  },
  'egress-denied': {
    code: 42,
    stage: 'egress',
    because: 'a rule denies its sender this connection',
    remedy: 'See which rule: weft explain <from> <to> --port <port>',
  },
  'egress-isolated': {
    code: 43,
    stage: 'egress',
    because: 'network policies isolate its sender, and none of their rules allows this connection',
    remedy: 'See which policies: weft explain <from> <to> --port <port>',
  },
  'ingress-denied': {
    code: 44,
    stage: 'ingress',
    because: 'a rule denies its receiver this connection',
    remedy: 'See which rule: weft explain <from> <to> --port <port>',
  },
  'ingress-isolated': {
    code: 45,
    stage: 'ingress',
    because: 'network policies isolate its receiver, and none of their rules allows this connection',
    remedy: 'See which policies: weft explain <from> <to> --port <port>',
  },
  'firewall-denied': {
    code: 46,
    stage: 'firewallRules',
    because: 'the egress firewall of its sender’s namespace denies this destination',
    remedy: 'See which rule: weft explain <from> <to> --port <port>',
  },
  'firewall-ambiguous': {
    code: 47,
    stage: 'firewallRules',
    because: 'its sender’s namespace has several egress firewalls, and which of them counts is not said',
    remedy: 'Leave one: kubectl get egressnetworkpolicies -n <namespace>',
  },
  'firewall-unresolved': {
    code: 48,
    stage: 'firewallRules',
    because: 'the egress firewall denies a name that could not be resolved, so it may be for that name',
    remedy: 'See which name: weft policy list',
  },
  'policy-pending': {
    code: 49,
    stage: 'ingress',
    because: 'its pod is new, and which policies it is subject to is not known yet',
    remedy: 'Nothing to do if it ends within a second; else see whether the agent reads pods: weft status',
  },
} as const satisfies Record<string, Drop>
