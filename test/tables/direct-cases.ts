/** Packets between pods of different nodes, where they go without a tunnel. */
import type { Fabric } from '../../src/network/model/cluster.ts'
import { DIRECT_PORT } from '../../src/network/pipeline/stages.ts'
import { arriving, FAR, far4, far6 } from './direct.ts'
import { from, guest, icmp4, node, tcp4, tcp6, tunnelled, UNDERLAY, v4, v6 } from './packets.ts'
import type { Ending } from './pipeline-cases.ts'
import { SAMPLE_PODS } from './sample-node.ts'
import { answer, known, OUT, type SteeringCase, TUNNEL, to } from './steering.ts'

/** A case, and what the fabric does where there is no way. */
export interface DirectCase extends SteeringCase {
  readonly otherwise?: Fabric['otherwise']
}

const { web, vault, dns } = SAMPLE_PODS
const DIRECT: readonly Ending[] = [{ port: DIRECT_PORT }]
const UNKNOWN: readonly Ending[] = [{ drop: 'unknown-remote-pod' }]
const OTHERS: readonly Ending[] = [{ drop: 'tenant-isolation' }]
const SHOP = 42

export const DIRECT_CASES: readonly DirectCase[] = [
  { name: 'to a pod of its tenant', packet: { ...from(web), ...tcp4(v4(web), far4(2, FAR.shop)) }, endings: DIRECT },
  { name: 'the same, IPv6', packet: { ...from(web), ...tcp6(v6(web), far6(2, FAR.shop)) }, endings: DIRECT },
  { name: 'ping', packet: { ...from(web), ...icmp4(8, v4(web), far4(2, FAR.shop)) }, endings: DIRECT },
  {
    name: 'to a pod of another tenant',
    packet: { ...from(web), ...tcp4(v4(web), far4(2, FAR.bank)) },
    endings: OTHERS,
  },
  { name: 'the same, IPv6', packet: { ...from(web), ...tcp6(v6(web), far6(2, FAR.bank)) }, endings: OTHERS },
  { name: 'to a global pod', packet: { ...from(vault), ...tcp6(v6(vault), far6(2, FAR.global)) }, endings: DIRECT },
  { name: 'of a global pod', packet: { ...from(dns), ...tcp4(v4(dns), far4(2, FAR.bank)) }, endings: DIRECT },
  {
    name: 'of a global pod to one that nobody knows',
    packet: { ...from(dns), ...tcp4(v4(dns), far4(2, FAR.unknown)) },
    endings: DIRECT,
  },
  {
    name: 'to a pod that nobody knows',
    packet: { ...from(web), ...tcp4(v4(web), far4(2, FAR.unknown)) },
    endings: UNKNOWN,
  },
  {
    name: 'an answer to a pod that nobody knows yet',
    packet: { ...from(web), ...answer(tcp4(v4(web), far4(2, FAR.unknown))) },
    known: known(tcp4(far4(2, FAR.unknown), v4(web))),
    endings: DIRECT,
  },
  {
    name: 'an answer to a pod of what is now another tenant',
    packet: { ...from(web), ...answer(tcp4(v4(web), far4(2, FAR.bank))) },
    known: known(tcp4(far4(2, FAR.bank), v4(web))),
    endings: OTHERS,
  },
  { name: 'to the other node itself', packet: { ...from(web), ...tcp4(v4(web), far4(2, 1)) }, endings: TUNNEL },
  { name: 'to a node without a way', packet: { ...from(web), ...tcp4(v4(web), far4(3, FAR.shop)) }, endings: TUNNEL },
  {
    name: 'to a node without a way, where the tunnel is refused',
    packet: { ...from(web), ...tcp6(v6(web), far6(3, FAR.shop)) },
    otherwise: 'refuse',
    endings: [{ drop: 'no-way' }],
  },
  { name: 'of the node itself', packet: { ...node, ...tcp4('10.128.0.1', far4(2, FAR.shop)) }, endings: TUNNEL },
  { name: 'of a guest', packet: { ...guest(SHOP), ...tcp4('192.0.2.11', far4(2, FAR.shop)) }, endings: TUNNEL },
  {
    name: 'of a pod, back from the node’s stack',
    packet: { ...node, ...tcp4(v4(web), far4(2, FAR.bank)) },
    endings: TUNNEL,
  },
  { name: 'to the outside', packet: { ...from(web), ...tcp4(v4(web), '198.51.100.7') }, endings: OUT },
  // what arrives
  { name: 'arrives', packet: { ...arriving, ...tcp4(far4(2, FAR.shop), v4(web)) }, endings: to(web) },
  { name: 'arrives, IPv6', packet: { ...arriving, ...tcp6(far6(2, FAR.shop), v6(web)) }, endings: to(web) },
  {
    name: 'arrives of a node that is not reached so',
    packet: { ...arriving, ...tcp4(far4(3, FAR.shop), v4(web)) },
    endings: to(web),
  },
  {
    name: 'arrives by the tunnel all the same',
    packet: { ...tunnelled(UNDERLAY.node2, SHOP), ...tcp4(far4(2, FAR.shop), v4(web)) },
    endings: to(web),
  },
  {
    name: 'arrives with a source of this node',
    packet: { ...arriving, ...tcp4(v4(vault), v4(web)) },
    endings: [{ drop: 'direct-source' }],
  },
  {
    name: 'arrives from outside',
    packet: { ...arriving, ...tcp4('198.51.100.7', v4(web)) },
    endings: [{ drop: 'direct-source' }],
  },
  {
    name: 'arrives of a host outside the cluster',
    packet: { ...arriving, ...tcp4('10.131.18.1', v4(web)) },
    endings: [{ drop: 'direct-source' }],
  },
  {
    name: 'arrives for nobody',
    packet: { ...arriving, ...tcp4(far4(2, FAR.shop), '10.128.0.99') },
    endings: [{ drop: 'no-such-endpoint' }],
  },
  {
    name: 'arrives for another node',
    packet: { ...arriving, ...tcp4(far4(2, FAR.shop), far4(3, FAR.shop)) },
    endings: [{ drop: 'wrong-node' }],
  },
  {
    name: 'asks for a neighbour',
    packet: { ...arriving, eth_type: 0x0806, arp_op: 1 },
    endings: [{ drop: 'direct-chatter' }],
  },
]
