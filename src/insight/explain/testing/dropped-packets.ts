/**
 * For every reason a packet that ends for it, as it comes to a switch of the sample cluster.
 * @module
 */
import { directPlanner } from '../../../../test/tables/direct.ts'
import { DIRECT_CASES } from '../../../../test/tables/direct-cases.ts'
import {
  type Fields,
  from,
  icmp6,
  REMOTE,
  tcp4,
  tunnelled,
  UNDERLAY,
  udp4,
  v4,
  v6,
} from '../../../../test/tables/packets.ts'
import { PIPELINE_CASES } from '../../../../test/tables/pipeline-cases.ts'
import { SAMPLE_PODS, samplePlanner } from '../../../../test/tables/sample-node.ts'
import { SERVICE_CASES } from '../../../../test/tables/service-cases.ts'
import { connectionsWith, type Known } from '../../../../test/tables/tracking.ts'
import type { NodeFacts } from '../../../agent/control/facts.ts'
import { cidr } from '../../../network/model/address.ts'
import type { Policy, PolicyRule } from '../../../network/model/policy.ts'
import { flowsOf, goto } from '../../../network/pipeline/build.ts'
import type { DropName } from '../../../network/pipeline/drops.ts'
import { type StageName, ZONES } from '../../../network/pipeline/stages.ts'
import { CT_STATE } from '../../../network/simulate/connections.ts'
import { factsOf, sampleView } from '../../testing/sample-facts.ts'
import { newWorld, type Walk, walk } from '../../trace/walk.ts'
import type { ClusterView } from '../../view.ts'

/** A packet's way to its end, as it comes to the first node. */
export function droppedFor(reason: DropName): Walk | undefined {
  const { packet, view = sampleView(), known, size = 60, planted } = SPECIAL[reason] ?? { packet: tabled(reason) }
  const [facts] = view.nodes
  if (packet === undefined || facts === undefined) return undefined
  const start = planted === undefined ? facts : withDefect(facts, planted)
  const world = known === undefined ? newWorld() : { ...newWorld(), connections: () => connectionsWith(known) }
  return walk(view, start, packet, size, world)
}

interface Special {
  readonly packet: Fields | undefined
  readonly view?: ClusterView
  readonly known?: Known
  readonly size?: number
  /** A defect that sends every packet straight to a stage: for ends that no flow leads to. */
  readonly planted?: StageName
}

const { web, api } = SAMPLE_PODS
const FROM_WEB: Fields = { ...from(web), ...tcp4(v4(web), v4(api)) }
const OUT: Fields = { ...from(web), ...tcp4(v4(web), '198.51.100.7') }

/** The sample view, with a first node that is in a cluster without tunnels. */
function directView(otherwise?: 'refuse'): ClusterView {
  const view = sampleView()
  return { ...view, nodes: [factsOf(directPlanner(otherwise), Object.values(SAMPLE_PODS)), ...view.nodes.slice(1)] }
}

function tabledDirect(reason: DropName): Special {
  const found = DIRECT_CASES.find(
    ({ endings: [ending] }) => ending !== undefined && 'drop' in ending && ending.drop === reason,
  )
  return { packet: found?.packet, view: directView(found?.otherwise === 'refuse' ? 'refuse' : undefined) }
}

const SPECIAL: { readonly [R in DropName]?: Special } = {
  'direct-source': tabledDirect('direct-source'),
  'direct-chatter': tabledDirect('direct-chatter'),
  'no-way': tabledDirect('no-way'),
  'unknown-remote-pod': tabledDirect('unknown-remote-pod'),
  'too-big': { packet: { ...from(web), ...tcp4(v4(web), REMOTE.v4) }, size: 1451 },
  'held-fragment': { packet: { ...from(web), ...udp4(v4(web), '172.30.0.10', 40000, 514), ip_frag: 3 } },
  'unfinished-datagram': {
    packet: { ...from(web), ...udp4(v4(web), v4(api), 40000, 9), ip_frag: 1, ct_state: CT_STATE.inv },
    planted: 'deliver',
  },
  'no-endpoint-port': { packet: FROM_WEB, planted: 'deliver' },
  'unfinished-advertisement': { packet: { ...from(web), ...icmp6(135, v6(web), v6(api)) }, planted: 'advertise' },
  'unasked-answer': {
    packet: { ...tunnelled(UNDERLAY.node2, 42), ...tcp4(REMOTE.v4, v4(web)), tcp_src: 8080, tcp_dst: 40000 },
    known: { first: tcp4(v4(web), REMOTE.v4), zone: ZONES.service, allowed: false },
  },
  'egress-denied': { packet: FROM_WEB, view: sampleView([admin('egress')]) },
  'ingress-denied': { packet: FROM_WEB, view: sampleView([admin('ingress')]) },
  'egress-isolated': { packet: FROM_WEB, view: sampleView([inShop('out', { egress: [] })]) },
  'ingress-isolated': { packet: FROM_WEB, view: sampleView([inShop('in', { ingress: [] })]) },
  'firewall-denied': {
    packet: OUT,
    view: sampleView([firewall('default', { type: 'range', range: cidr('0.0.0.0/0'), except: [] })]),
  },
  'firewall-ambiguous': { packet: OUT, view: sampleView([firewall('a'), firewall('b')]) },
  'firewall-unresolved': {
    packet: OUT,
    view: sampleView([firewall('default', { type: 'name', name: 'www.example.org' })]),
  },
  'policy-pending': { packet: FROM_WEB, view: viewOfStrangers() },
}

function tabled(reason: DropName): Fields | undefined {
  const cases = [...PIPELINE_CASES, ...SERVICE_CASES.map(({ packet, endings: [expect] }) => ({ packet, expect }))]
  return cases.find(({ expect }) => expect !== undefined && 'drop' in expect && expect.drop === reason)?.packet
}

function inShop(name: string, parts: Partial<Policy>): Policy {
  const subject = { namespaces: { name: 'shop' }, pods: [] }
  return { kind: 'NetworkPolicy', namespace: 'shop', name, tier: 'namespace', priority: 0, subject, ...parts }
}

function admin(direction: 'ingress' | 'egress'): Policy {
  const rules: readonly PolicyRule[] = [{ action: 'deny', name: 'nobody' }]
  const subject = { namespaces: { labels: [] }, pods: [] }
  return { kind: 'AdminNetworkPolicy', name: 'tenants', tier: 'admin', priority: 1, subject, [direction]: rules }
}

function firewall(name: string, ...peers: NonNullable<PolicyRule['peers']>): Policy {
  const egress = peers.map((peer) => ({ action: 'deny', peers: [peer] }) as const)
  return { ...inShop(name, { egress }), kind: 'EgressNetworkPolicy', tier: 'firewall' }
}

/** A policy is there before the node knows the labels of its pods. */
function viewOfStrangers(): ClusterView {
  const pods = [{ key: 'app', operator: 'Exists', values: [] }] as const
  const planner = samplePlanner()
  planner.putPolicy(inShop('in', { ingress: [], subject: { namespaces: { name: 'shop' }, pods } }))
  const view = sampleView()
  return { ...view, nodes: [factsOf(planner, Object.values(SAMPLE_PODS)), ...view.nodes.slice(1)] }
}

function withDefect(facts: NodeFacts, stage: StageName): NodeFacts {
  const { flow } = flowsOf('planted')
  const flows = [flow('classify', 999, {}, [goto(stage)])]
  return { ...facts, fragments: [...facts.fragments, { key: 'planted', title: 'a defect', flows, groups: [] }] }
}
