/**
 * Which packets policies get to judge: on a node where policies would end all that is shown to them. One table, run by
 * the simulator and by `ofproto/trace` of a real OVS.
 * @module
 */
import type { Flow } from '../../src/flow/flow.ts'
import type { SwitchTables } from '../../src/network/fragments/fragment.ts'
import { familyOf } from '../../src/network/model/address.ts'
import type { Cluster } from '../../src/network/model/cluster.ts'
import type { Endpoint } from '../../src/network/model/endpoint.ts'
import { flowsOf, ipPacket } from '../../src/network/pipeline/build.ts'
import type { DropName } from '../../src/network/pipeline/drops.ts'
import { GATEWAY_PORT, TUNNEL_PORT, ZONES } from '../../src/network/pipeline/stages.ts'
import { type Fields, tcp4, tcp6 } from './packets.ts'
import type { Ending } from './pipeline-cases.ts'
import { SAMPLE_PODS, samplePlanner } from './sample-node.ts'
import type { Known } from './tracking.ts'

/** A packet, what is known of its connection, and where it may end: one ending for each endpoint it may be led to. */
export interface SteeringCase {
  readonly name: string
  readonly packet: Fields
  readonly endings: readonly Ending[]
  /** The endpoint is a function of the client's address: a real switch shows one of the endings only. */
  readonly byClient?: true
  readonly services?: Cluster['services']
  readonly known?: Known
  /** What an ICMP error is about. */
  readonly quoted?: Fields
}

const { web, vault, dns } = SAMPLE_PODS

/** The sample node with flows where policies have theirs, each for all of a pod's packets: they end whatever gets there. */
export function steered(cluster: Cluster): SwitchTables {
  const planner = samplePlanner(cluster)
  return { flows: [...planner.flows(), ...policyFlows()], groups: planner.groups() }
}

function policyFlows(): readonly Flow[] {
  const { end } = flowsOf('policy/test')
  const all = (pod: Endpoint, side: 'from' | 'to', reason: DropName, stage: 'sender' | 'receiver' | 'firewall') =>
    pod.addresses.map((address) => end(reason, stage, 100, ipPacket(familyOf(address), { [side]: address })))
  return [
    ...all(web, 'from', 'egress-isolated', 'sender'),
    ...all(web, 'to', 'ingress-isolated', 'receiver'),
    ...all(vault, 'from', 'firewall-denied', 'firewall'),
    ...all(dns, 'from', 'firewall-denied', 'firewall'),
  ]
}

export const EGRESS: readonly Ending[] = [{ drop: 'egress-isolated' }]
export const INGRESS: readonly Ending[] = [{ drop: 'ingress-isolated' }]
export const FIREWALL: readonly Ending[] = [{ drop: 'firewall-denied' }]
export const UNASKED: readonly Ending[] = [{ drop: 'unasked-answer' }]
export const OUT: readonly Ending[] = [{ port: GATEWAY_PORT }]
export const TUNNEL: readonly Ending[] = [{ port: TUNNEL_PORT }]
export const to = (pod: Endpoint): readonly Ending[] => [{ port: pod.ofport }]

export const OUTSIDE = { v4: '198.51.100.7', v6: '2001:db8:f::7' } as const
export const GATEWAY = { v4: '10.128.0.1', v6: 'fd00:10:128:1::1' } as const
export const VIP = { v4: '172.30.0.10', v6: 'fd00:172:30::10' } as const

export const http = (packet: Fields, port = 80): Fields => ({ ...packet, tcp_dst: port })
/** The answer of a server’s port 8080 to {@link tcp4} or {@link tcp6}. */
export const answer = (packet: Fields): Fields => ({ ...packet, tcp_src: 8080, tcp_dst: 40000 })
export const known = (first: Fields, more: Partial<Known> = {}): Known => ({
  first,
  zone: ZONES.service,
  allowed: true,
  ...more,
})
