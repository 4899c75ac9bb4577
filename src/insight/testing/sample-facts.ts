/**
 * Two consistent nodes as their agents would tell of them: what the tests of this room start from.
 * @module
 */
import {
  SAMPLE_CLUSTER,
  SAMPLE_PODS,
  SAMPLE_SERVICES,
  SAMPLE_SLICES,
  SAMPLE_VNIS,
  sampleHosts,
  sampleNode,
  samplePlanner,
} from '../../../test/tables/sample-node.ts'
import { type Lease, linkName } from '../../agent/attach/lease.ts'
import type { NodeFacts } from '../../agent/control/facts.ts'
import { WayLog } from '../../agent/node/way-log.ts'
import { localRange, nodeContext } from '../../network/context.ts'
import { hostPlan } from '../../network/host.ts'
import { type Ip, ip, macFromIp } from '../../network/model/address.ts'
import type { Cluster, Fabric } from '../../network/model/cluster.ts'
import { type Endpoint, endpointId } from '../../network/model/endpoint.ts'
import type { Pod } from '../../network/model/pod.ts'
import type { Policy } from '../../network/model/policy.ts'
import { serviceKey } from '../../network/model/service.ts'
import { GATEWAY_PORT, TUNNEL_PORT } from '../../network/pipeline/stages.ts'
import { NodePlanner } from '../../network/planner.ts'
import type { ClusterView } from '../view.ts'

/** A pod of the second node. */
function remotePod(n: number, namespace: string, pod: string): Endpoint {
  const address = ip(`10.129.0.${n}`)
  return {
    id: endpointId(`r${n}`, 'eth0'),
    containerId: `r${n}`,
    ifname: 'eth0',
    namespace,
    pod,
    mac: macFromIp(address),
    addresses: [address, ip(`fd00:10:128:2::${n}`)],
    ofport: 0x1000 + n,
  }
}

const REMOTE_PODS = { cart: remotePod(2, 'shop', 'cart'), safe: remotePod(3, 'bank', 'safe') } as const

/** A cluster of two nodes on which everything agrees; every pod has a label `app`, and port 8080 by the name `http`. */
export function sampleView(
  policies: readonly Policy[] = [],
  names: Readonly<Record<string, readonly Ip[]>> = {},
  fabric?: SampleFabric,
): ClusterView {
  const cluster = fabric === undefined ? SAMPLE_CLUSTER : { ...SAMPLE_CLUSTER, fabric: fabric.wanted }
  const planners = [
    { planner: samplePlanner(cluster), pods: Object.values(SAMPLE_PODS) },
    { planner: secondPlanner(cluster), pods: Object.values(REMOTE_PODS) },
  ]
  const pods = planners.flatMap(({ planner, pods }) => pods.map((pod) => clusterPod(pod, planner.context.self.node)))
  const namespaces = Object.keys(SAMPLE_VNIS).map((name) => ({ name, uid: `uid-${name}`, labels: { team: name } }))
  for (const { planner } of planners) {
    for (const namespace of namespaces) planner.putNamespace(namespace)
    for (const pod of pods) planner.putPod(pod)
    for (const policy of policies) planner.putPolicy(policy)
    for (const [name, addresses] of Object.entries(names)) planner.putName(name, addresses)
    if (fabric !== undefined) takeWays(planner, fabric)
  }
  return {
    silent: [],
    nodes: planners.map(({ planner, pods }) => ({ ...factsOf(planner, pods), names: Object.entries(names) })),
    registry: {
      tenants: Object.entries(SAMPLE_VNIS).map(([namespace, vni]) => ({ namespace, vni })),
      networks: [sampleNode(1), sampleNode(2), ...sampleHosts()],
      namespaces,
      policies,
      pods,
    },
  }
}

/** A cluster whose nodes find each other by these ways, and what keeps a node from one, by its name. */
export interface SampleFabric {
  readonly wanted: Fabric
  readonly without?: Readonly<Record<string, string>>
}

function takeWays(planner: NodePlanner, { without = {} }: SampleFabric): void {
  const { node } = planner.context.self
  const [other] = [sampleNode(1), sampleNode(2)].filter((one) => one.node !== node)
  const [v4, v6] = other?.addresses ?? []
  if (other === undefined || v4 === undefined || v6 === undefined) throw new Error('the sample’s nodes have addresses')
  planner.putPeer({ ...other, status: { ready: true, uplinkMtu: 1500, datapath: 'netdev', direct: true } })
  const why = without[node]
  const reach = why === undefined ? 'open' : { why }
  const link = 'eth0'
  const places = why === undefined ? { 4: { link, address: v4 }, 6: { link, address: v6 } } : {}
  planner.putPlace(other.node, { reach: { 4: reach, 6: reach }, places })
  planner.led(hostPlan(planner.context, planner.publication()).direct)
}

function clusterPod({ namespace, pod, addresses }: Endpoint, node: string): Pod {
  const namedPorts = [{ name: 'http', protocol: 'TCP', port: 8080 }] as const
  return { namespace, name: pod, uid: `uid-${pod}`, node, addresses, labels: { app: pod }, namedPorts }
}

function secondPlanner(cluster: Cluster): NodePlanner {
  const context = nodeContext(cluster, sampleNode(2), 1450)
  if (context === undefined) throw new Error('the second node has ranges')
  const planner = new NodePlanner(context)
  for (const peer of [sampleNode(1), ...sampleHosts()]) planner.putPeer(peer)
  for (const [namespace, vni] of Object.entries(SAMPLE_VNIS)) planner.putTenant(namespace, vni)
  for (const pod of Object.values(REMOTE_PODS)) planner.putEndpoint(pod)
  for (const service of SAMPLE_SERVICES) planner.putService(service)
  for (const slice of SAMPLE_SLICES) planner.putEndpointSlice(slice)
  return planner
}

/** What an agent with this plan and these pods tells. */
export function factsOf(planner: NodePlanner, pods: readonly Endpoint[]): NodeFacts {
  const { self, routerMac, mtu } = planner.context
  const leases = pods.map(leaseOfPod)
  const flows = planner.flows()
  const ways = new WayLog(() => 1_700_000_000_000).facts(planner)
  return {
    status: {
      node: self.node,
      version: '0.1.0',
      pid: 4711,
      ready: true,
      waitingFor: [],
      datapath: 'netdev',
      ovsVersion: '3.1.0',
      mtu,
      uplinkMtu: mtu + 50,
      addresses: self.addresses,
      ranges: self.ranges.map((range) => ({
        range,
        gateway: localRange(range).gateway,
        used: String(pods.length),
        capacity: range.includes(':') ? '18446744073709551613' : '509',
      })),
      peers: [...planner.peers()].map(({ node, addresses, ranges }) => ({
        node,
        address: addresses[0],
        ranges,
        ways: ways.get(node) ?? [],
      })),
      endpoints: pods.length,
      services: SAMPLE_SERVICES.length,
      flows: flows.length,
      startedAt: 1_700_000_000,
      fullSyncs: 1,
      problems: [],
    },
    cluster: planner.context.cluster,
    self,
    routerMac,
    tenants: Object.entries(SAMPLE_VNIS),
    names: [],
    fragments: [...planner.fragments()],
    installed: flows.map((flow) => ({ flow, packets: 0n, bytes: 0n })),
    groups: planner.groups(),
    services: [...planner.catalogue.services()].map((service) => ({
      service,
      slices: planner.catalogue.slicesOf(serviceKey(service.namespace, service.name)),
    })),
    leases,
    unreadable: [],
    ports: [
      { name: 'weft-tunnel', type: 'vxlan', ofport: TUNNEL_PORT, requested: TUNNEL_PORT, error: undefined },
      { name: 'weft0', type: 'internal', ofport: GATEWAY_PORT, requested: GATEWAY_PORT, error: undefined },
      ...leases.map(({ link, endpoint: { ofport } }) => ({
        name: link,
        type: '',
        ofport,
        requested: ofport,
        error: undefined,
      })),
    ],
    links: leases.map(({ link, endpoint }, i) => ({
      name: link,
      index: 10 + i,
      up: true,
      mtu,
      mac: endpoint.mac,
      doomed: false,
      alias: endpoint.id,
    })),
    resting: [],
    limits: [],
    wires: [],
    underlay: [],
  }
}

function leaseOfPod(endpoint: Endpoint): Lease {
  return {
    endpoint,
    link: linkName(endpoint.id),
    network: 'weft',
    netns: `/run/netns/${endpoint.containerId}`,
    mtu: 1450,
  }
}
