/**
 * What a node and its part of the overlay must be.
 * @module
 */
import { type Cidr, type Ip, overlaps } from './address.ts'
import { MOST_RANGES } from './cluster.ts'
import { below, type Decode, type Decoded, decodeWith, reject, shown } from './decode.ts'
import { address, checked, flag, integer, list, literal, network, optional, record, text, variant } from './decoders.ts'
import { labels } from './labels.ts'
import { objectName, uid } from './names.ts'
import type { ClosingRange, Machine, Node, NodeNetwork, NodeNetworkStatus, UnusedRange } from './node.ts'
import { MAX_VNI } from './tenant.ts'
import { nodeBgp } from './validate-bgp.ts'
import { isHostAddress } from './validate-cluster.ts'

const MAX_ADDRESSES = 32
/** Of both families: {@link MOST_RANGES} of each that are open, and as many that are about to go. */
const MAX_RANGES = 4 * MOST_RANGES
const MAX_SENTENCE = 4096

const hostAddress: Decode<Ip> = checked(address, (value, at) => {
  if (!isHostAddress(value)) {
    reject(
      at,
      `${shown(value)} cannot be a node's address`,
      'give one that other nodes reach it at: no loopback, multicast or link-local',
    )
  }
})

const node: Decode<Node> = record<Node>({
  name: objectName,
  uid,
  addresses: list(hostAddress, MAX_ADDRESSES),
  labels: optional(labels),
  bgp: optional(nodeBgp),
})

const revision = integer(0, Number.MAX_SAFE_INTEGER)

const status: Decode<NodeNetworkStatus> = record<NodeNetworkStatus>({
  ready: flag,
  reason: optional(text(0, MAX_SENTENCE)),
  uplinkMtu: integer(0, 65535),
  datapath: literal('system', 'netdev'),
  direct: optional(literal(true)),
  wants: optional(
    record<NonNullable<NodeNetworkStatus['wants']>>({ 4: optional(integer(1, 255)), 6: optional(integer(1, 255)) }),
  ),
  unused: optional(list(record<UnusedRange>({ range: network, since: optional(revision) }), MAX_RANGES)),
  beat: optional(integer(0, Number.MAX_SAFE_INTEGER)),
})

const ranges: Decode<readonly Cidr[]> = checked(list(network, MAX_RANGES), (value, at) => {
  for (const [index, range] of value.entries()) {
    const other = value.slice(0, index).find((earlier) => overlaps(earlier, range))
    if (other !== undefined)
      reject(below(at, index), `${range} overlaps with ${other}`, 'give ranges that share no address')
  }
})

const machine: Decode<Machine> = variant<Machine>('kind', [
  ['node', record({ kind: literal('node'), uid })],
  ['external', record({ kind: literal('external'), vni: integer(0, MAX_VNI) })],
])

const nodeNetwork: Decode<NodeNetwork> = record<NodeNetwork>({
  node: objectName,
  machine,
  addresses: list(hostAddress, MAX_ADDRESSES),
  ranges,
  closing: optional(list(record<ClosingRange>({ range: network, since: revision }), MAX_RANGES)),
  problem: optional(text(1, MAX_SENTENCE)),
  silence: optional(text(1, MAX_SENTENCE)),
  status: optional(status),
})

/** The node in this input, or what is wrong with it. */
export function decodeNode(input: unknown): Decoded<Node> {
  return decodeWith(node, input)
}

/** The node's part of the overlay in this input, or what is wrong with it. */
export function decodeNodeNetwork(input: unknown): Decoded<NodeNetwork> {
  return decodeWith(nodeNetwork, input)
}

/** What an agent says of its node in this input, or what is wrong with it. */
export function decodeNodeStatus(input: unknown): Decoded<NodeNetworkStatus> {
  return decodeWith(status, input)
}
