/**
 * Drops of the stages between: services, the way to the receiver, tenants, the tunnel.
 * @module
 */
import type { DropName } from '../../../network/pipeline/drops.ts'
import { type Clause, connection, type DropPlace, flowOf, namespaceOf, owner, receiver, sender } from './place.ts'

export const ONWARD = {
  'no-such-service': (p) =>
    `no service has the address and port that ${sender(p)} asks for: ${connection(p)} of ${receiver(p)}${flowOf(p)}`,
  'no-service-endpoint': (p) => `${owner(p)} has no endpoint that ${p.node} could lead ${sender(p)} to`,
  'invalid-connection': (p) =>
    `the connection tracking of ${p.node} can make nothing of what ${sender(p)} sent: a broken checksum, or an answer to nobody${flowOf(p)}`,
  'held-fragment': (p) => `it is the spare copy of a fragment whose datagram went on${flowOf(p)}`,
  'sctp-untracked': (p) =>
    `the Open vSwitch of ${p.node} works in user space, where it tracks SCTP without ports${flowOf(p)}`,
  'unfinished-datagram': (p) =>
    `${p.node} waited 15 seconds for the other fragments of a datagram of ${sender(p)}, in vain${flowOf(p)}`,
  'unknown-turn': (p) =>
    `it answers a connection of ${sender(p)} with itself that the connection tracking of ${p.node} forgot${flowOf(p)}`,
  'no-such-endpoint': (p) => `no pod on ${p.node} is at ${receiver(p)}, though its range is there${flowOf(p)}`,
  'no-such-node': (p) => `no node that ${p.node} knows has a range for ${receiver(p)}${flowOf(p)}`,
  'wrong-node': (p) =>
    `${sender(p)} reached ${p.node} through the tunnel for ${receiver(p)}, which does not live there${flowOf(p)}`,
  'gateway-loop': (p) =>
    `the network stack of ${p.node} sent it into the overlay, and the overlay would hand it straight back${flowOf(p)}`,
  'no-way': (p) =>
    `${p.node} has no way to the node of ${receiver(p)} without a tunnel, and the cluster refuses the tunnel${flowOf(p)}`,
  'unknown-remote-pod': (p) =>
    `${p.node} knows no pod that the tenant of ${sender(p)} may talk to at ${receiver(p)}, on a node that is reached without a tunnel${flowOf(p)}`,
  'tunnel-port': (p) =>
    `${sender(p)} made a tunnel packet for ${receiver(p)}: with it, it could enter any tenant${flowOf(p)}`,
  'error-to-node': (p) =>
    `it is an ICMP error of ${sender(p)} for ${p.node} or the outside, where it could break others’ connections${flowOf(p)}`,
  'tenant-isolation': tenants,
  'error-to-global': (p) =>
    `it is an ICMP error of ${sender(p)} for a global pod, where it could break other tenants’ connections${flowOf(p)}`,
  'too-big': (p) =>
    `it is larger than the overlay’s MTU on ${p.node}; ${sender(p)} was told to send smaller ones${flowOf(p)}`,
  'no-endpoint-port': (p) => `${p.node} does not know the port that ${receiver(p)} is behind${flowOf(p)}`,
} as const satisfies Partial<Record<DropName, Clause>>

function tenants(place: DropPlace): string {
  const [from, to] = [place.from, place.to].map(namespaceOf)
  const who = from === undefined || to === undefined ? '' : ` (namespaces ${from} and ${to})`
  return `${sender(place)} and ${receiver(place)} belong to different tenants${who}, and neither is global${flowOf(place)}`
}
