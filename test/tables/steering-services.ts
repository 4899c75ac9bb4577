/** Which packets policies get to judge: those to services. */
import { TRANSLATED_BY_NODE, ZONES } from '../../src/network/pipeline/stages.ts'
import { NODE_PORT_ADDRESS } from '../../src/network/virtual-addresses.ts'
import { from, node, REMOTE, tcp4, tcp6, UNDERLAY, udp4, v4, v6 } from './packets.ts'
import { SAMPLE_PODS } from './sample-node.ts'
import {
  answer,
  EGRESS,
  GATEWAY,
  http,
  INGRESS,
  known,
  OUT,
  OUTSIDE,
  type SteeringCase,
  TUNNEL,
  to,
  UNASKED,
  VIP,
} from './steering.ts'

const { web, api, vault } = SAMPLE_PODS

export const SERVICE_STEERING: readonly SteeringCase[] = [
  // judged by their endpoints
  {
    name: 'a policed pod to a service it is an endpoint of: it may hear from itself',
    packet: { ...from(web), ...http(tcp4(v4(web), VIP.v4)) },
    endings: [...EGRESS, ...to(web)],
  },
  {
    name: 'another pod to the service',
    packet: { ...from(api), ...http(tcp6(v6(api), VIP.v6)) },
    endings: [...INGRESS, ...to(api), ...TUNNEL],
  },
  {
    name: 'the node to the service',
    packet: { ...node, ...http(tcp4(GATEWAY.v4, VIP.v4)) },
    endings: [...to(web), ...to(api), ...TUNNEL],
  },
  {
    name: 'a node port, from outside',
    packet: { ...node, ...http(tcp4(OUTSIDE.v4, NODE_PORT_ADDRESS[4]), 30080) },
    endings: [...INGRESS, ...to(api)],
  },
  {
    name: 'a node port, from outside under the node’s address',
    packet: { ...node, ...http(tcp6(GATEWAY.v6, NODE_PORT_ADDRESS[6]), 30080) },
    endings: [...INGRESS, ...to(api)],
  },
  {
    name: 'a fragment to a node port, from outside under the node’s address',
    packet: { ...node, ...udp4(UNDERLAY.node1, NODE_PORT_ADDRESS[4], 40000, 30514), ip_frag: 1 },
    byClient: true,
    endings: [...INGRESS, ...to(api)],
  },
  // kube-proxy
  {
    name: 'a policed pod to a service of kube-proxy’s is judged when it comes back',
    services: 'kube-proxy',
    packet: { ...from(web), ...http(tcp4(v4(web), VIP.v4)) },
    endings: OUT,
  },
  {
    name: 'a pod with a firewall to a service of kube-proxy’s',
    services: 'kube-proxy',
    packet: { ...from(vault), ...http(tcp6(v6(vault), VIP.v6)) },
    endings: OUT,
  },
  {
    name: 'a policed pod, back from kube-proxy',
    services: 'kube-proxy',
    packet: { ...node, ...tcp4(v4(web), v4(api)) },
    endings: EGRESS,
  },
  {
    name: 'another pod, back from kube-proxy',
    services: 'kube-proxy',
    packet: { ...node, ...tcp4(v4(api), REMOTE.v4) },
    endings: TUNNEL,
  },
  {
    name: 'the answer that kube-proxy translates back',
    services: 'kube-proxy',
    packet: { ...from(web), ...answer(tcp4(v4(web), v4(api))) },
    known: known(tcp4(v4(api), v4(web)), { zone: ZONES.proxy, mark: TRANSLATED_BY_NODE }),
    endings: OUT,
  },
  {
    name: 'the answer that kube-proxy translated back',
    services: 'kube-proxy',
    packet: { ...node, ...tcp4(VIP.v4, v4(web)), tcp_src: 80, tcp_dst: 40000 },
    known: known(http(tcp4(v4(web), VIP.v4)), { zone: ZONES.proxy }),
    endings: to(web),
  },
  {
    name: 'an answer that kube-proxy has no part in',
    services: 'kube-proxy',
    packet: { ...from(web), ...answer(tcp4(v4(web), v4(api))) },
    known: known(tcp4(v4(api), v4(web)), { zone: ZONES.proxy }),
    endings: to(api),
  },
  {
    name: 'an answer that is not allowed, with kube-proxy',
    services: 'kube-proxy',
    packet: { ...from(web), ...answer(tcp4(v4(web), v4(api))) },
    known: known(tcp4(v4(api), v4(web)), { zone: ZONES.proxy, allowed: false, mark: TRANSLATED_BY_NODE }),
    endings: UNASKED,
  },
]
