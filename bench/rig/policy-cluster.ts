/**
 * Clusters full of policies. The large one has the shape of Antrea's own benchmark of its policy controller: 25,000
 * namespaces with four pods and three policies each.
 * @module
 */
import { type NodeContext, nodeContext } from '../../src/network/context.ts'
import { cidr, formatIp, type Ip, ip, ipValue, macFromIp } from '../../src/network/model/address.ts'
import { type Endpoint, endpointId } from '../../src/network/model/endpoint.ts'
import type { Namespace, Pod } from '../../src/network/model/pod.ts'
import type { Policy, PolicyRule, PortMatch, Selector } from '../../src/network/model/policy.ts'
import { SAMPLE_CLUSTER, sampleNode } from '../../test/tables/sample-node.ts'

export const PODS_EACH = 4
export const POLICIES_EACH = 3

const NODE = 'node1'
const FIRST_POD = ipValue(ip('10.128.2.0'))
const HTTP: readonly PortMatch[] = [{ type: 'numbers', protocol: 'TCP', from: 80, to: 80 }]

/** The node that plans are made for. */
export function policyContext(): NodeContext {
  const context = nodeContext(SAMPLE_CLUSTER, sampleNode(1), 1450)
  if (context === undefined) throw new Error('the sample node has ranges')
  return context
}

export function namespaceOf(n: number): Namespace {
  return { name: nameOf(n), uid: `uid-${n}`, labels: { team: `team-${n % 100}` } }
}

/** The n-th pod; the first `local` are on the node that plans are made for. */
export function podOf(n: number, local: number): Pod {
  const labels = { app: `app-${n % 2}`, role: n % PODS_EACH < 2 ? 'front' : 'back' }
  const node = n < local ? NODE : `node${2 + (n % 400)}`
  const namespace = nameOf(Math.floor(n / PODS_EACH))
  return { namespace, name: `pod-${n % PODS_EACH}`, uid: `uid-${n}`, node, addresses: [addressOf(n)], labels }
}

/** The same as the node's agent has it. */
export function endpointOf(pod: Pod, n: number): Endpoint {
  const [address] = pod.addresses
  if (address === undefined) throw new Error('a pod of these has an address')
  const containerId = `container-${n}`
  const name = { id: endpointId(containerId, 'eth0'), containerId, ifname: 'eth0', namespace: pod.namespace }
  return { ...name, pod: pod.name, podUid: pod.uid, mac: macFromIp(address), addresses: [address], ofport: 0x1000 + n }
}

/** The policies of the n-th of so many namespaces: isolation with a rule for neighbours, for the next namespace, and egress. */
export function policiesOf(n: number, namespaces: number): readonly Policy[] {
  const own = { name: nameOf(n) }
  const next = { labels: demand('kubernetes.io/metadata.name', nameOf((n + 1) % namespaces)) }
  const from = (place: typeof own | typeof next): PolicyRule => ({
    action: 'allow',
    peers: [{ type: 'pods', namespaces: place, pods: demand('role', 'front') }],
    ports: HTTP,
  })
  return [
    policy(n, 'neighbours', [], { ingress: [from(own)] }),
    policy(n, 'next', demand('app', 'app-0'), { ingress: [from(next)] }),
    policy(n, 'egress', demand('app', 'app-1'), { egress: [from(own)] }),
  ]
}

/** One of many policies for pods of a single namespace: three ranges that no other policy names. */
export function rangePolicy(n: number): Policy {
  const peers = [0, 1, 2].map((k) => {
    const m = n * 3 + k
    return { type: 'range', range: cidr(`${11 + (m >> 16)}.${(m >> 8) & 255}.${m & 255}.0/24`), except: [] } as const
  })
  return policy(0, `ranges-${n}`, [], { ingress: [{ action: 'allow', peers, ports: HTTP }] })
}

function policy(n: number, name: string, pods: Selector, rules: Pick<Policy, 'ingress' | 'egress'>): Policy {
  const subject = { namespaces: { name: nameOf(n) }, pods }
  return { kind: 'NetworkPolicy', namespace: nameOf(n), name, tier: 'namespace', priority: 0, subject, ...rules }
}

function demand(key: string, value: string): Selector {
  return [{ key, operator: 'In', values: [value] }]
}

function nameOf(n: number): string {
  return `namespace-${n}`
}

function addressOf(n: number): Ip {
  return formatIp(4, FIRST_POD + BigInt(n))
}
