/**
 * A switch's decisions in the pipeline's words.
 * @module
 */
import type { NodeFacts } from '../../agent/control/facts.ts'
import { FIELDS } from '../../flow/fields.ts'
import type { Action, Flow, Subfield } from '../../flow/flow.ts'
import { fabricOf } from '../../network/fabric/way.ts'
import { contains, type Ip, parseIp } from '../../network/model/address.ts'
import { parseCookie } from '../../network/pipeline/cookie.ts'
import { DROPS, type DropName, dropByCode } from '../../network/pipeline/drops.ts'
import {
  DIRECT_PORT,
  GATEWAY_PORT,
  ORIGIN,
  REGISTERS,
  STAGES,
  type StageName,
  TUNNEL_PORT,
} from '../../network/pipeline/stages.ts'
import type { Packet, Step } from '../../network/simulate/simulate.ts'
import { stageAt } from '../flow-words.ts'
import { titlesByHash } from '../view.ts'
import { carrierWords, wayOf, wayWords } from '../ways.ts'
import { nameOf } from './party.ts'
import { backendOf, backendText } from './service.ts'
import { trackingWords } from './tracking-words.ts'
import { addressIn, type Hop } from './walk.ts'

/** One table's part in a packet's way. */
export interface Explained {
  readonly table: number
  /** Undefined for a table that the pipeline does not have. */
  readonly stage: StageName | undefined
  readonly question: string
  /** What was decided, in the order in which it was done. */
  readonly decided: readonly string[]
  /** Title of the object whose flow decided. */
  readonly object: string | undefined
  readonly flow: Flow | undefined
  readonly drop: DropName | undefined
}

/** A hop, table by table. */
export function explain(hop: Hop): readonly Explained[] {
  const titles = titlesByHash(hop.facts.fragments)
  return hop.passage.steps.map((step, i): Explained => {
    const stage = stageAt(step.table)
    const cookie = step.flow === undefined ? undefined : parseCookie(step.flow.cookie)
    const drop = dropByCode(cookie?.dropCode ?? 0)
    return {
      table: step.table,
      stage,
      question: stage === undefined ? '' : STAGES[stage].question,
      decided: decisions(hop, step, hop.passage.steps[i + 1], drop),
      object: cookie === undefined ? undefined : titles.get(cookie.hash),
      flow: step.flow,
      drop,
    }
  })
}

function decisions(hop: Hop, step: Step, next: Step | undefined, drop: DropName | undefined): string[] {
  const { flow } = step
  if (flow === undefined) return ['no flow here is for this packet: it is dropped']
  const words = flow.actions.flatMap((action) => wordsOf(action, hop, step, next))
  const merged = words.filter((word, i) => words.indexOf(word) === i)
  return drop === undefined ? merged : [...merged, `dropped: ${DROPS[drop].because}`]
}

function wordsOf(action: Action, hop: Hop, step: Step, next: Step | undefined): string[] {
  const { facts, oversize } = hop
  const { packet } = step
  switch (action.op) {
    case 'set':
      return setWords(facts, action, step)
    case 'move':
      return moveWords(action, packet)
    case 'check_pkt_larger':
      return [oversize ? `larger than ${action.size - 14} bytes` : `not larger than ${action.size - 14} bytes`]
    case 'output':
      return [outOf(facts, action.port, packet)]
    case 'output_reg':
      return [outOf(facts, Number(read(packet, action.from)), packet)]
    case 'goto':
      return [`go on to ${stageAt(action.table) ?? `table ${action.table}`}`]
    case 'controller':
      return ['the agent tells the sender']
    case 'ct':
      return trackingWords(action, next)
    case 'group':
      return groupWords(hop)
    case 'clone':
      return ['a copy goes ahead']
    default:
      return [action.op]
  }
}

function setWords(facts: NodeFacts, action: Action & { readonly op: 'set' }, step: Step): string[] {
  const { field, value } = action
  if (field === 'eth_src' || field === 'eth_dst') return ['new MAC addresses']
  if (field === 'tun_dst' || field === 'tun_ipv6_dst') {
    const address = parseIp(String(value))
    return [`to ${peerWords(facts, address)}`]
  }
  const mask = action.mask === undefined ? (1n << BigInt(FIELDS[field].bits)) - 1n : BigInt(action.mask)
  return registersIn(field, mask).map((name) => registerWords(facts, name, read(step.packet, REGISTERS[name]), step))
}

function moveWords({ from, to }: Action & { readonly op: 'move' }, packet: Packet): string[] {
  if (to.field === 'tun_id') return [`tenant VNI ${read(packet, to)} written into the tunnel header`]
  const [register] = registersIn(to.field, ((1n << BigInt(to.bits)) - 1n) << BigInt(to.offset))
  if (from.field === 'tun_id' && register !== undefined) return [`${REGISTERS[register].about}: ${read(packet, to)}`]
  return []
}

function registersIn(field: string, mask: bigint): RegisterName[] {
  return REGISTER_NAMES.filter((name) => {
    const register = REGISTERS[name]
    const bits = ((1n << BigInt(register.bits)) - 1n) << BigInt(register.offset)
    return register.field === field && (mask & bits) === bits
  })
}

type RegisterName = keyof typeof REGISTERS
const REGISTER_NAMES = Object.keys(REGISTERS) as RegisterName[]

function registerWords(facts: NodeFacts, name: RegisterName, value: bigint, step: Step): string {
  if (name === 'origin') return originWords(facts, Number(value), step)
  if (name === 'destinationPort') return `lives behind ${portWords(facts, Number(value))}`
  const { about, bits } = REGISTERS[name]
  return bits === 1 ? about : `${about}: ${value}`
}

const ORIGIN_WORDS: ReadonlyMap<number, string> = new Map([
  [ORIGIN.pod, 'from a pod'],
  [ORIGIN.gateway, 'from the node’s stack'],
])

/** What came by a route is to the pipeline as what came by the tunnel: of another node, which judged it. */
function originWords({ cluster, status }: NodeFacts, origin: number, { table, packet }: Step): string {
  if (origin !== ORIGIN.tunnel) return ORIGIN_WORDS.get(origin) ?? `from ${origin}`
  if (stageAt(table) !== 'direct') return `from ${carrierWords('tunnel', cluster)}`
  const { way } = fabricOf(cluster)
  const sender = peerAt(status.peers, addressIn(packet, 'src'))?.node ?? 'another node'
  return `from ${sender}, ${way === 'tunnel' ? 'without a tunnel' : `by ${carrierWords(way, cluster)}`}`
}

function outOf(facts: NodeFacts, port: number | string, packet: Packet): string {
  const { cluster } = facts
  if (port === TUNNEL_PORT) return `into ${carrierWords('tunnel', cluster)}`
  if (port === DIRECT_PORT) {
    const to = addressIn(packet, 'dst')
    const peer = peerAt(facts.status.peers, to)?.node
    const way = peer === undefined ? undefined : wayOf(facts, peer, to)
    return `to ${peer ?? 'another node'}, ${way === undefined ? 'by the node’s own routes' : wayWords(way, cluster)}`
  }
  if (port === GATEWAY_PORT) return 'to the node’s stack, by the gateway port'
  if (port === 'in_port') return 'answered: back out of the port it came in by'
  return `out of ${portWords(facts, port)}`
}

function portWords(facts: NodeFacts, port: number | string): string {
  if (port === TUNNEL_PORT) return carrierWords('tunnel', facts.cluster)
  if (port === DIRECT_PORT) return 'the node’s routes to other nodes'
  const lease = facts.leases.find(({ endpoint }) => endpoint.ofport === port)
  return lease === undefined ? `port ${port}` : `port ${port} (pod ${nameOf(lease)})`
}

function groupWords({ choice }: Hop): string[] {
  if (choice === undefined) return ['one of a group']
  const { group, bucket } = choice
  const count = group.buckets.length === 1 ? 'the only endpoint' : `one of ${group.buckets.length} endpoints`
  const targets = (bucket?.actions ?? []).flatMap((action) => backendOf(action) ?? [])
  const how = group.selection?.method === 'hash' ? 'by the client’s address' : 'freely for each connection'
  return [`${count}, chosen ${how}`, ...targets.map((backend) => `led to ${backendText(backend)}`)]
}

function peerWords(facts: NodeFacts, address: Ip | undefined): string {
  const peer = facts.status.peers.find((one) => one.address === address)
  return peer === undefined ? `${address}` : `${peer.node} at ${address}`
}

function peerAt(peers: NodeFacts['status']['peers'], address: Ip): NodeFacts['status']['peers'][number] | undefined {
  return peers.find(({ ranges }) => ranges.some((range) => contains(range, address)))
}

function read(packet: Packet, { field, offset, bits }: Subfield): bigint {
  return ((packet.get(field) ?? 0n) >> BigInt(offset)) & ((1n << BigInt(bits)) - 1n)
}
