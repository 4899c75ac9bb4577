/**
 * A node with four pods of three tenants, a remote node and both families: what the pipeline's case table runs on.
 * @module
 */
import { nodeContext } from '../../src/network/context.ts'
import { cidr, ip, macFromIp } from '../../src/network/model/address.ts'
import type { Cluster } from '../../src/network/model/cluster.ts'
import { type Endpoint, endpointId } from '../../src/network/model/endpoint.ts'
import type { Machine, NodeNetwork } from '../../src/network/model/node.ts'
import type { EndpointSlice, Service } from '../../src/network/model/service.ts'
import { NodePlanner } from '../../src/network/planner.ts'

export const SAMPLE_CLUSTER: Cluster = {
  networks: [
    { cidr: cidr('10.128.0.0/14'), hostBits: 9 },
    { cidr: cidr('fd00:10:128::/48'), hostBits: 64 },
  ],
  serviceNetworks: [cidr('172.30.0.0/16'), cidr('fd00:172:30::/112')],
  tenancy: 'multitenant',
  encapsulation: { type: 'vxlan', port: 4789 },
  underlay: 4,
  services: 'weft',
}

/** The n-th node: ranges 10.12(7+n).0.0/23 and fd00:10:128:n::/64. */
export function sampleNode(n: number): NodeNetwork {
  return {
    node: `node${n}`,
    machine: { kind: 'node', uid: `uid-node${n}` },
    addresses: [ip(`192.0.2.${10 + n}`), ip(`2001:db8::${10 + n}`)],
    ranges: [cidr(`10.${127 + n}.0.0/23`), cidr(`fd00:10:128:${n}::/64`)],
  }
}

/** Hosts outside the cluster: one of tenant `shop`, a global one. Ranges as a node's. */
export function sampleHosts(): readonly NodeNetwork[] {
  return [sampleHost(9, 'balancer', 42), sampleHost(10, 'monitor', 0)]
}

function sampleHost(n: number, node: string, vni: number): NodeNetwork {
  const ranges = [cidr(`10.131.${2 * n}.0/23`), cidr(`fd00:10:128:${n.toString(16)}::/64`)]
  return { ...sampleNode(n), node, machine: { kind: 'external', vni }, ranges }
}

/** The n-th pod of the first node. */
export function samplePod(n: number, namespace: string, pod: string): Endpoint {
  const address = ip(`10.128.0.${n}`)
  return {
    id: endpointId(`c${n}`, 'eth0'),
    containerId: `c${n}`,
    ifname: 'eth0',
    namespace,
    pod,
    mac: macFromIp(address),
    addresses: [address, ip(`fd00:10:128:1::${n}`)],
    ofport: 0x1000 + n,
  }
}

export const SAMPLE_VNIS = { shop: 42, bank: 77, default: 0 } as const

export const SAMPLE_PODS = {
  web: samplePod(2, 'shop', 'web'),
  api: samplePod(3, 'shop', 'api'),
  vault: samplePod(4, 'bank', 'vault'),
  dns: samplePod(5, 'default', 'dns'),
} as const

/** `shop/web` in front of two pods here and one on the other node, `shop/empty` in front of nobody. */
export const SAMPLE_SERVICES: readonly Service[] = [
  {
    namespace: 'shop',
    name: 'web',
    clusterIps: [ip('172.30.0.10'), ip('fd00:172:30::10')],
    ports: [
      { name: 'http', protocol: 'TCP', port: 80, nodePort: 30080 },
      { name: 'log', protocol: 'UDP', port: 514, nodePort: 30514 },
    ],
    internalPolicy: 'Cluster',
    externalPolicy: 'Local',
  },
  {
    namespace: 'shop',
    name: 'empty',
    clusterIps: [ip('172.30.0.11')],
    ports: [{ name: '', protocol: 'TCP', port: 80 }],
    affinitySeconds: 10_800,
    internalPolicy: 'Cluster',
    externalPolicy: 'Cluster',
  },
]

/** The endpoints of {@link SAMPLE_SERVICES}, a slice per family. */
export const SAMPLE_SLICES: readonly EndpointSlice[] = ([4, 6] as const).map((family) => ({
  namespace: 'shop',
  name: `web-ipv${family}`,
  service: 'web',
  ports: [
    { name: 'http', protocol: 'TCP', port: 8080 },
    { name: 'log', protocol: 'UDP', port: 5514 },
  ],
  endpoints: [
    [2, 1],
    [3, 1],
    [2, 2],
  ].map(([host, n]) => ({
    address: family === 4 ? ip(`10.${127 + (n ?? 0)}.0.${host}`) : ip(`fd00:10:128:${n}::${host}`),
    ready: true,
    serving: true,
    terminating: false,
    node: `node${n}`,
  })),
}))

/** A planner that has seen it all. */
export function samplePlanner(
  cluster: Cluster = SAMPLE_CLUSTER,
  mtu = 1450,
  machine: Machine = { kind: 'node', uid: 'uid-node1' },
): NodePlanner {
  const has = (address: string) => cluster.networks.some(({ cidr }) => cidr.includes(':') === address.includes(':'))
  const inFamilies = (node: NodeNetwork): NodeNetwork => ({ ...node, ranges: node.ranges.filter(has) })
  const context = nodeContext(cluster, inFamilies({ ...sampleNode(1), machine }), mtu)
  if (context === undefined) throw new Error('the sample node has ranges')
  const planner = new NodePlanner(context)
  // Its agent has said something: before that it might be another plugin's node.
  const second: NodeNetwork = { ...sampleNode(2), status: { ready: true, uplinkMtu: 1500, datapath: 'netdev' } }
  for (const peer of [second, ...sampleHosts()]) planner.putPeer(inFamilies(peer))
  for (const [namespace, vni] of Object.entries(SAMPLE_VNIS)) planner.putTenant(namespace, vni)
  for (const pod of Object.values(SAMPLE_PODS)) {
    planner.putEndpoint({ ...pod, addresses: pod.addresses.filter(has) })
  }
  for (const service of SAMPLE_SERVICES) planner.putService(service)
  for (const slice of SAMPLE_SLICES) planner.putEndpointSlice(slice)
  return planner
}
