/**
 * What Calico's reference says of its policies, a case for each sentence. Pods `x/a` to `z/c` are labelled `pod=<name>`,
 * their namespaces `ns=<name>`; each serves ports 80 and 81 of every protocol.
 */
import type { CalicoPolicy, Rule } from './oracle.ts'
import type { Written } from './world.ts'

/** What is written, and what it allows and denies: `x/a -> y/b TCP/80`, with `v6` in front in IPv6. */
export interface CalicoCase extends Partial<Written> {
  readonly name: string
  readonly allowed: readonly string[]
  readonly denied: readonly string[]
}

const IN = ['Ingress'] as const
const OUT = ['Egress'] as const

function np(name: string, spec: Omit<CalicoPolicy, 'name' | 'namespace'>): CalicoPolicy {
  return { name: `default.${name}`, namespace: 'x', ...spec }
}

function gnp(name: string, spec: Omit<CalicoPolicy, 'name' | 'namespace'>): CalicoPolicy {
  return { name: `default.${name}`, ...spec }
}

function ingress(...rules: readonly Rule[]): Pick<CalicoPolicy, 'types' | 'ingress'> {
  return { types: IN, ingress: rules }
}

function egress(...rules: readonly Rule[]): Pick<CalicoPolicy, 'types' | 'egress'> {
  return { types: OUT, egress: rules }
}

const ALLOW: Rule = { action: 'Allow' }
const DENY: Rule = { action: 'Deny' }

export const CALICO_CASES: readonly CalicoCase[] = [
  {
    name: 'a pod that a policy selects, and of which no rule speaks, is closed; others are open',
    calico: [np('p', { selector: "pod == 'a'", ...ingress() })],
    allowed: ['y/a -> x/b TCP/80', 'x/a -> y/a TCP/80', 'x/a -> 198.51.100.7 TCP/80'],
    denied: ['y/a -> x/a TCP/80', 'v6 y/a -> x/a UDP/81', '198.51.100.7 -> x/a TCP/80', 'x/b -> x/a ICMP'],
  },
  {
    name: 'without types it is ingress, unless there are rules for egress alone',
    calico: [np('p', { selector: "pod == 'a'", egress: [{ action: 'Allow', protocol: 'TCP' }] })],
    allowed: ['x/a -> y/a TCP/80', 'y/a -> x/a UDP/80'],
    denied: ['x/a -> y/a UDP/80'],
  },
  {
    name: 'without types and with both, it is both',
    calico: [np('p', { selector: "pod == 'a'", ingress: [ALLOW], egress: [{ action: 'Allow', protocol: 'TCP' }] })],
    allowed: ['x/a -> y/a TCP/80', 'y/a -> x/a UDP/80'],
    denied: ['x/a -> y/a UDP/80'],
  },
  {
    name: 'rules count in order, the first that matches decides',
    calico: [
      np(
        'p',
        ingress(
          { action: 'Deny', protocol: 'TCP', destination: { ports: [80] } },
          { action: 'Allow', protocol: 'TCP' },
        ),
      ),
    ],
    allowed: ['y/a -> x/a TCP/81'],
    denied: ['y/a -> x/a TCP/80', 'y/a -> x/a UDP/81'],
  },
  {
    name: 'policies count by order, and those without one last',
    calico: [
      np('a', ingress(ALLOW)),
      np('b', { order: 20, ...ingress({ action: 'Deny', protocol: 'UDP' }) }),
      np('c', { order: 10.5, ...ingress({ action: 'Allow', protocol: 'UDP', destination: { ports: [80] } }) }),
    ],
    allowed: ['y/a -> x/a UDP/80', 'y/a -> x/a TCP/80'],
    denied: ['y/a -> x/a UDP/81'],
  },
  {
    name: 'of equal orders the name decides',
    calico: [
      np('b', { order: 5, ...ingress(ALLOW) }),
      np('a', { order: 5, ...ingress({ action: 'Deny', protocol: 'UDP' }) }),
    ],
    allowed: ['y/a -> x/a TCP/80'],
    denied: ['y/a -> x/a UDP/80'],
  },
  {
    name: 'a policy of the cluster comes between those of a namespace by its order',
    calico: [
      np('first', { order: 1, ...ingress({ action: 'Allow', source: { selector: "pod == 'b'" } }) }),
      gnp('second', {
        order: 2,
        selector: "projectcalico.org/namespace == 'x'",
        ...ingress({ action: 'Deny', protocol: 'TCP' }),
      }),
      np('third', { order: 3, ...ingress(ALLOW) }),
    ],
    allowed: ['x/b -> x/a TCP/80', 'y/a -> x/a UDP/80', 'y/a -> y/b TCP/80'],
    denied: ['x/c -> x/a TCP/80', 'y/b -> x/a TCP/80'],
  },
  {
    name: 'NetworkPolicies of Kubernetes have order 1000: denied before, allowed behind',
    calico: [
      np('before', { order: 999, ...ingress({ action: 'Deny', source: { selector: "pod == 'b'" } }) }),
      np('behind', {
        order: 1001,
        ...ingress({ action: 'Deny', source: { selector: "pod == 'c'" } }, { action: 'Allow', protocol: 'UDP' }),
      }),
    ],
    kubernetes: [{ name: 'k', namespace: 'x', direction: 'Ingress', allows: [{ port: 80 }] }],
    allowed: ['x/c -> x/a TCP/80', 'y/a -> x/a TCP/80', 'y/a -> x/a UDP/81'],
    denied: ['x/b -> x/a TCP/80', 'x/c -> x/a UDP/81', 'y/a -> x/a TCP/81'],
  },
  {
    name: 'of order 1000 the name decides whether it comes before NetworkPolicies',
    calico: [
      { name: 'default.p', namespace: 'x', order: 1000, selector: "pod == 'a'", ...ingress(DENY) },
      { name: 'z', namespace: 'x', order: 1000, selector: "pod == 'b'", ...ingress(DENY) },
    ],
    kubernetes: [{ name: 'k', namespace: 'x', direction: 'Ingress', allows: [{ port: 80 }] }],
    allowed: ['y/a -> x/b TCP/80', 'y/a -> x/c TCP/80'],
    denied: ['y/a -> x/a TCP/80', 'y/a -> x/b TCP/81'],
  },
  {
    name: 'a pod that a NetworkPolicy isolates may do what a policy of Calico allows, too',
    calico: [np('p', { selector: "pod == 'a'", ...ingress({ action: 'Allow', protocol: 'UDP' }) })],
    kubernetes: [{ name: 'k', namespace: 'x', direction: 'Ingress', allows: [] }],
    allowed: ['y/a -> x/a UDP/80'],
    denied: ['y/a -> x/b UDP/80', 'y/a -> x/a TCP/80'],
  },
  {
    name: 'what is passed on leaves the tier, past NetworkPolicies: the namespace’s profile allows it',
    calico: [np('p', { order: 1, ...ingress({ action: 'Pass', protocol: 'TCP' }) })],
    kubernetes: [{ name: 'k', namespace: 'x', direction: 'Ingress', allows: [] }],
    allowed: ['y/a -> x/a TCP/80'],
    denied: ['y/a -> x/a UDP/80'],
  },
  {
    name: 'a rule that logs decides nothing',
    calico: [np('p', ingress({ action: 'Log' }, { action: 'Allow', protocol: 'TCP' }, DENY))],
    allowed: ['y/a -> x/a TCP/80'],
    denied: ['y/a -> x/a UDP/80'],
  },
  {
    name: 'a selector alone means the policy’s own namespace; with one of namespaces it means those',
    calico: [
      np(
        'p',
        ingress(
          { action: 'Allow', source: { selector: "pod == 'b'" } },
          { action: 'Allow', source: { selector: "pod == 'c'", namespaceSelector: "ns == 'y'" } },
        ),
      ),
    ],
    allowed: ['x/b -> x/a TCP/80', 'y/c -> x/a TCP/80'],
    denied: ['y/b -> x/a TCP/80', 'x/c -> x/a TCP/80', 'z/c -> x/a TCP/80'],
  },
  {
    name: 'namespaces by their name, by all(), and by nothing but them',
    calico: [
      np('p', {
        selector: "pod == 'a'",
        ...ingress({ action: 'Allow', source: { namespaceSelector: "projectcalico.org/name == 'y'" } }),
      }),
      np('q', { selector: "pod == 'b'", ...ingress({ action: 'Allow', source: { namespaceSelector: 'all()' } }) }),
    ],
    allowed: ['y/a -> x/a TCP/80', 'z/a -> x/b TCP/80'],
    denied: ['z/a -> x/a TCP/80', '198.51.100.7 -> x/b TCP/80'],
  },
  {
    name: 'in a policy of the cluster a selector means pods of every namespace',
    calico: [
      gnp('p', {
        selector: "pod == 'a'",
        namespaceSelector: "ns in {'x','y'}",
        ...ingress({ action: 'Allow', source: { selector: "pod == 'b'" } }),
      }),
    ],
    allowed: ['z/b -> x/a TCP/80', 'x/b -> y/a TCP/80', 'x/c -> z/a TCP/80'],
    denied: ['x/c -> x/a TCP/80', 'z/a -> y/a TCP/80'],
  },
  {
    name: 'labels of the namespace, of the orchestrator, and parts of values',
    calico: [
      gnp('p', {
        selector: "pcns.ns starts with 'x' && projectcalico.org/orchestrator == 'k8s' && pod contains 'a'",
        ...ingress({
          action: 'Allow',
          source: { selector: "pcns.ns ends with 'y' || !has(pod) || pod not in {'a', 'b'}" },
        }),
      }),
    ],
    allowed: ['y/a -> x/a TCP/80', 'z/c -> x/a TCP/80', 'z/a -> x/b TCP/80'],
    denied: ['z/a -> x/a TCP/80'],
  },
  {
    name: 'those that are left out',
    calico: [np('p', ingress({ action: 'Allow', source: { selector: 'has(pod)', notSelector: "pod == 'c'" } }))],
    allowed: ['x/b -> x/a TCP/80'],
    denied: ['x/c -> x/a TCP/80', 'y/b -> x/a TCP/80'],
  },
  {
    name: 'networks, and what is taken out of them',
    calico: [
      np(
        'p',
        egress({
          action: 'Allow',
          destination: { nets: ['198.51.100.0/24', '2001:db8:100::/48'], notNets: ['198.51.100.128/25'] },
        }),
      ),
    ],
    allowed: ['x/a -> 198.51.100.7 TCP/80', 'v6 x/a -> 2001:db8:100::200 UDP/80'],
    denied: ['x/a -> 198.51.100.200 TCP/80', 'x/a -> 203.0.113.9 TCP/80', 'x/a -> y/a TCP/80'],
  },
  {
    name: 'everything but some networks, in both families',
    calico: [np('p', egress({ action: 'Allow', destination: { notNets: ['198.51.100.0/24'] } }))],
    allowed: ['x/a -> 203.0.113.9 TCP/80', 'v6 x/a -> 2001:db8:100::7 TCP/80', 'x/a -> y/a TCP/80'],
    denied: ['x/a -> 198.51.100.7 TCP/80'],
  },
  {
    name: 'a selector and a network: both',
    calico: [np('p', ingress({ action: 'Allow', source: { selector: 'all()', nets: ['10.128.0.0/23'] } }))],
    allowed: ['x/c -> x/a TCP/80'],
    denied: ['x/b -> x/a TCP/80', 'v6 x/c -> x/a TCP/80', 'y/b -> x/a TCP/80'],
  },
  {
    name: 'the pod’s own address, and one family alone',
    calico: [
      np('p', ingress({ action: 'Allow', destination: { nets: ['10.128.0.0/23'] } })),
      np('q', egress({ action: 'Allow', ipVersion: 6 })),
    ],
    allowed: ['y/b -> x/a TCP/80', 'v6 x/a -> y/b TCP/80'],
    denied: ['y/b -> x/b TCP/80', 'v6 y/b -> x/a TCP/80', 'x/a -> y/b TCP/80'],
  },
  {
    name: 'ports by number, range and name, of TCP, UDP and SCTP',
    calico: [
      np(
        'p',
        ingress(
          { action: 'Allow', protocol: 'TCP', destination: { ports: ['79:80'] } },
          { action: 'Allow', protocol: 'UDP', destination: { ports: ['serve-81-udp', 7] } },
          { action: 'Allow', protocol: 'SCTP', destination: { ports: [81] } },
        ),
      ),
    ],
    allowed: ['y/a -> x/a TCP/80', 'y/a -> x/a UDP/81', 'y/a -> x/a SCTP/81'],
    denied: ['y/a -> x/a TCP/81', 'y/a -> x/a UDP/80', 'y/a -> x/a SCTP/80', 'y/a -> x/a ICMP'],
  },
  {
    name: 'ports by name of those who are called',
    calico: [
      np(
        'p',
        egress({
          action: 'Allow',
          protocol: 'TCP',
          destination: { ports: ['serve-80-tcp'], namespaceSelector: "ns == 'y'" },
        }),
      ),
    ],
    allowed: ['x/a -> y/a TCP/80'],
    denied: ['x/a -> y/a TCP/81', 'x/a -> z/a TCP/80'],
  },
  {
    name: 'every port but some',
    calico: [np('p', ingress({ action: 'Allow', protocol: 'TCP', destination: { notPorts: [80, '82:90'] } }))],
    allowed: ['y/a -> x/a TCP/81'],
    denied: ['y/a -> x/a TCP/80', 'y/a -> x/a TCP/82', 'y/a -> x/a UDP/81'],
  },
  {
    name: 'ports that callers use',
    calico: [
      np('p', {
        selector: "pod == 'a'",
        ...ingress({ action: 'Allow', protocol: 'TCP', source: { ports: ['1024:65535'] } }),
      }),
      np('q', {
        selector: "pod == 'b'",
        ...ingress({ action: 'Allow', protocol: 'TCP', source: { ports: ['1:1023'] } }),
      }),
    ],
    allowed: ['y/a -> x/a TCP/80'],
    denied: ['y/a -> x/b TCP/80', 'y/a -> x/a UDP/80'],
  },
  {
    name: 'pings, of each family by its own name',
    calico: [np('p', ingress({ action: 'Allow', protocol: 'ICMP', icmp: { type: 8 } }))],
    allowed: ['y/a -> x/a ICMP'],
    denied: ['v6 y/a -> x/a ICMP', 'y/a -> x/a TCP/80'],
  },
  {
    name: 'messages but some, and one with a code',
    calico: [
      np('p', { selector: "pod == 'a'", ...ingress({ action: 'Allow', protocol: 'ICMPv6', notICMP: { type: 128 } }) }),
      np('q', { selector: "pod == 'b'", ...ingress({ action: 'Allow', protocol: 58, icmp: { type: 128, code: 0 } }) }),
    ],
    allowed: ['v6 y/a -> x/b ICMP'],
    denied: ['v6 y/a -> x/a ICMP', 'y/a -> x/b ICMP'],
  },
  {
    name: 'every protocol but one, and a protocol by its number',
    calico: [
      np('p', { selector: "pod == 'a'", ...ingress({ action: 'Allow', notProtocol: 'TCP' }) }),
      np('q', { selector: "pod == 'b'", ...ingress({ action: 'Allow', protocol: 17 }) }),
    ],
    allowed: ['y/a -> x/a UDP/80', 'y/a -> x/a ICMP', 'y/a -> x/b UDP/81'],
    denied: ['y/a -> x/a TCP/80', 'y/a -> x/b TCP/80'],
  },
  {
    name: 'network sets are selected by their labels: in a namespace its own, by global() those that are in none',
    sets: [
      { name: 'own', namespace: 'x', labels: { role: 'partner' }, nets: ['198.51.100.7', '2001:db8:100::/48'] },
      { name: 'other', namespace: 'y', labels: { role: 'partner' }, nets: ['198.51.100.200/32'] },
      { name: 'world', labels: { role: 'partner' }, nets: ['203.0.113.0/24'] },
    ],
    calico: [
      np('p', {
        selector: "pod == 'a'",
        ...egress({ action: 'Allow', destination: { selector: "role == 'partner'" } }),
      }),
      np('q', {
        selector: "pod == 'b'",
        ...egress({ action: 'Allow', destination: { selector: "role == 'partner'", namespaceSelector: 'global()' } }),
      }),
      gnp('r', {
        selector: "pod == 'c' && pcns.ns == 'x'",
        ...egress({ action: 'Deny', destination: { selector: "role == 'partner'" } }, ALLOW),
      }),
    ],
    allowed: [
      'x/a -> 198.51.100.7 TCP/80',
      'v6 x/a -> 2001:db8:100::7 TCP/80',
      'x/b -> 203.0.113.9 TCP/80',
      'x/c -> y/a TCP/80',
    ],
    denied: [
      ...['x/a -> 198.51.100.200 TCP/80', 'x/a -> 203.0.113.9 TCP/80', 'x/a -> y/a TCP/80'],
      ...[
        'x/b -> 198.51.100.7 TCP/80',
        'x/c -> 198.51.100.7 TCP/80',
        'x/c -> 198.51.100.200 TCP/80',
        'x/c -> 203.0.113.9 TCP/80',
      ],
    ],
  },
  {
    name: 'ports of protocols by their numbers',
    calico: [
      np(
        'p',
        ingress(
          { action: 'Allow', protocol: 6, destination: { ports: [80] } },
          { action: 'Allow', protocol: 132, destination: { ports: ['81:90'] } },
        ),
      ),
    ],
    allowed: ['y/a -> x/a TCP/80', 'v6 y/a -> x/a TCP/80', 'y/a -> x/a SCTP/81'],
    denied: ['y/a -> x/a TCP/81', 'y/a -> x/a SCTP/80', 'y/a -> x/a UDP/80'],
  },
  {
    name: 'a policy of the cluster for pods of some namespaces, which one of its own selectors leaves out again',
    calico: [gnp('p', { selector: "pod != 'c'", namespaceSelector: "ns in {'x', 'y'}", ...ingress() })],
    allowed: ['y/a -> x/c TCP/80', 'y/a -> z/a TCP/80'],
    denied: ['z/a -> x/a TCP/80', 'z/a -> y/b TCP/80', 'v6 z/a -> y/a UDP/81'],
  },
  {
    name: 'those of some namespaces but some of them, in one family',
    calico: [
      np(
        'p',
        ingress({
          action: 'Allow',
          ipVersion: 4,
          source: { namespaceSelector: "ns == 'y'", notSelector: "pod == 'c'" },
        }),
      ),
    ],
    allowed: ['y/a -> x/a TCP/80', 'y/b -> x/a ICMP'],
    denied: ['y/c -> x/a TCP/80', 'v6 y/a -> x/a TCP/80', 'z/a -> x/a TCP/80', 'x/b -> x/a TCP/80'],
  },
  {
    name: 'both ends have to allow it',
    calico: [
      gnp('in', { order: 1, selector: "pod == 'a'", ...ingress(DENY) }),
      gnp('out', { order: 2, selector: "pod == 'b'", ...egress(DENY) }),
    ],
    allowed: ['x/c -> x/b TCP/80'],
    denied: ['x/c -> x/a TCP/80', 'x/b -> x/c TCP/80'],
  },
]
