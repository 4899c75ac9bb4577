/**
 * Which ranges every node has: decided from the whole state at once, so that it does not matter what happened before.
 *
 * A node keeps its ranges as long as it exists, whatever becomes of its addresses; a new machine of the same name takes
 * them over. Where two records hold the same addresses, those made by hand come first, then the first by name keeps
 * them and the other gets new ones. What a record that is to be deleted holds is free only when it is gone.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { IpamError } from '../ipam/errors.ts'
import { NodeRanges } from '../ipam/node-ranges.ts'
import { type Cidr, contains, familyOf, firstIp, type Ip, overlaps, prefixLength } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import { describeProblems } from '../network/model/decode.ts'
import type { Node, NodeNetwork } from '../network/model/node.ts'
import { nodeAddressProblems } from '../network/model/validate-cluster.ts'
import type { Stored } from '../registry/registry.ts'
import type { Decision, WriteOf } from './write.ts'

/** What is decided from. */
export interface NodeInputs {
  readonly cluster: Cluster
  readonly nodes: readonly Stored<'Node'>[]
  readonly networks: readonly Stored<'NodeNetwork'>[]
  /** Where the last decision's search for free ranges ended. */
  readonly position?: readonly number[]
}

/** What is decided, and where the search for free ranges ended. */
export interface NodeDecision extends Decision<'NodeNetwork'> {
  readonly position: readonly number[]
}

/** The writes after which every node has its ranges, or a problem that says why not. */
export function decideNodes({ cluster, nodes, networks, position }: NodeInputs): NodeDecision {
  const ranges = new NodeRanges(cluster.networks, position)
  const declared = new Map(nodes.map(({ name, value }) => [name, value]))
  const records = networks.toSorted(
    (a, b) => precedence(a, declared) - precedence(b, declared) || compare(a.name, b.name),
  )
  const kept = keepRanges(ranges, records)
  const recorded = new Map(networks.map((record) => [record.name, record]))
  const writes: WriteOf<'NodeNetwork'>[] = []
  for (const { name, value, revision } of records) {
    if (!declared.has(name) && value.nodeUid !== '') writes.push({ op: 'delete', kind: 'NodeNetwork', name, revision })
  }
  for (const [name, node] of [...declared].sort(([a], [b]) => compare(a, b))) {
    const record = recorded.get(name)
    const value = networkOf(cluster, ranges, node, record?.value, kept.get(name) ?? [])
    if (record === undefined) writes.push({ op: 'create', kind: 'NodeNetwork', name, value })
    else if (!isDeepStrictEqual(value, record.value)) {
      writes.push({ op: 'update', kind: 'NodeNetwork', name, value, revision: record.revision })
    }
  }
  const problems = writes.flatMap((write) =>
    write.op !== 'delete' && write.value.problem !== undefined ? [`node ${write.name}: ${write.value.problem}`] : [],
  )
  return { writes, problems, position: ranges.position }
}

/** Made by hand, a node's, nobody's any more. */
function precedence({ name, value }: Stored<'NodeNetwork'>, declared: ReadonlyMap<string, Node>): number {
  if (value.nodeUid === '') return 0
  return declared.has(name) ? 1 : 2
}

/** The ranges that every record may keep; `ranges` stays away from them. */
function keepRanges(
  ranges: NodeRanges,
  records: readonly Stored<'NodeNetwork'>[],
): ReadonlyMap<string, readonly Cidr[]> {
  const odd: Cidr[] = []
  const regular: Cidr[] = []
  const isFree = (range: Cidr): boolean => {
    if (odd.some((other) => overlaps(other, range))) return false
    return ranges.owns(range) ? !ranges.isTaken(range) : !regular.some((other) => overlaps(other, range))
  }
  const keep = (range: Cidr): void => {
    if (ranges.owns(range)) {
      ranges.mark(range)
      regular.push(range)
    } else {
      ranges.reserve(range)
      odd.push(range)
    }
  }
  const kept = new Map<string, readonly Cidr[]>()
  for (const { name, value } of records) {
    // A range outside the networks is kept as well: pods live in it, and giving them up helps nobody.
    const mine = value.ranges.filter(isFree)
    for (const range of mine) keep(range)
    kept.set(name, mine)
  }
  return kept
}

function isInside(cluster: Cluster, range: Cidr): boolean {
  return cluster.networks.some(
    ({ cidr }) => contains(cidr, firstIp(range)) && prefixLength(cidr) <= prefixLength(range),
  )
}

function networkOf(
  cluster: Cluster,
  ranges: NodeRanges,
  node: Node,
  record: NodeNetwork | undefined,
  kept: readonly Cidr[],
): NodeNetwork {
  const addresses = node.addresses.filter((address) => nodeAddressProblems(cluster, [address]).length === 0)
  const trouble = addressTrouble(cluster, node, addresses)
  const problems = trouble === undefined ? [] : [trouble]
  const mine: Cidr[] = [...kept]
  for (const range of kept) if (!isInside(cluster, range)) problems.push(strandedRange(range))
  for (const family of ranges.families) {
    if (kept.some((range) => familyOf(range) === family)) continue
    // A node that nobody can reach gets no range: it could not use it.
    if (trouble === undefined) allocateInto(mine, problems, () => ranges.allocate(family))
  }
  const status = record?.nodeUid === node.uid ? record.status : undefined
  return {
    node: node.name,
    nodeUid: node.uid,
    addresses,
    ranges: mine.sort((a, b) => familyOf(a) - familyOf(b)),
    ...(problems.length === 0 ? {} : { problem: problems.join('; ') }),
    ...(status === undefined ? {} : { status }),
  }
}

function strandedRange(range: Cidr): string {
  return `its range ${range} is in none of the cluster's networks (restore the network, or remove the node and add it again)`
}

function addressTrouble(cluster: Cluster, node: Node, usable: readonly Ip[]): string | undefined {
  if (usable.some((address) => familyOf(address) === cluster.underlay)) return undefined
  const problems = nodeAddressProblems(cluster, node.addresses)
  return problems.length > 0
    ? describeProblems(problems)
    : `the node has no IPv${cluster.underlay} address for tunnels to run to (give it one, or change the cluster's underlay)`
}

function allocateInto(mine: Cidr[], problems: string[], allocate: () => Cidr): void {
  try {
    mine.push(allocate())
  } catch (error) {
    if (!(error instanceof IpamError)) throw error
    problems.push(`${error.message} (${error.remedy})`)
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
