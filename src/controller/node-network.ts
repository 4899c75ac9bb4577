/**
 * What a machine's part of the overlay is to be.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { IpamError } from '../ipam/errors.ts'
import type { NodeRanges } from '../ipam/node-ranges.ts'
import { hasRange } from '../network/cluster-change.ts'
import { type Cidr, type Family, familyOf, type Ip } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import { describeProblems } from '../network/model/decode.ts'
import type { Node, NodeNetwork } from '../network/model/node.ts'
import { nodeAddressProblems } from '../network/model/validate-cluster.ts'
import type { Notice } from './write.ts'

/** A machine that is to have a network. Of an external host the record itself says so. */
export type Owner = Pick<NodeNetwork, 'node' | 'machine' | 'addresses'>

/** The owner of a name's network: the node of that name, else the external host that was declared under it. */
export function ownerOf(node: Node | undefined, record: NodeNetwork | undefined): Owner | undefined {
  if (node !== undefined) {
    return { node: node.name, machine: { kind: 'node', uid: node.uid }, addresses: node.addresses }
  }
  return record?.machine.kind === 'external' ? record : undefined
}

/** A machine's part of the overlay, and how it came to it. */
export interface NodeNetworkDecision {
  readonly value: NodeNetwork
  /** Ranges taken for it just now. */
  readonly gained: readonly Cidr[]
  /** There was no free range of some family. */
  readonly lacks: boolean
}

/** What a machine's network depends on. */
export interface NodeNetworkInputs {
  readonly cluster: Cluster
  readonly owner: Owner
  /** As it is now. */
  readonly record: NodeNetwork | undefined
  /** Where it gets from what it lacks. */
  readonly ranges: NodeRanges
  /** The ranges that it may keep. */
  readonly held: readonly Cidr[]
  /** Those that it had before. */
  readonly former?: readonly Cidr[] | undefined
  /** Since when nothing was heard of it, for people. */
  readonly silence: string | undefined
  /** What is wrong with an address that another machine has too, for people. */
  readonly shared: string | undefined
}

/** What a machine's network is to be. What it lacks is taken out of `ranges`, if possible what it had before. */
export function networkOf(inputs: NodeNetworkInputs): NodeNetworkDecision {
  const { cluster, owner, record, ranges, held, former = [], silence, shared } = inputs
  const { machine } = owner
  const isHost = machine.kind === 'external'
  // No pods live on an external host: what it has of foreign networks is a mistake that would lead their traffic there.
  const kept = isHost ? held.filter((range) => hasRange(cluster, range)) : held
  const trouble = addressTrouble(cluster, owner)
  const stranded = kept.filter((range) => !hasRange(cluster, range)).map(strandedRange)
  // A machine that nobody can reach gets no range: it could not use it. Nor does a host where another one is.
  const isReached = trouble === undefined && !(isHost && shared !== undefined)
  const wanted = isReached ? ranges.families.filter((family) => !kept.some((r) => familyOf(r) === family)) : []
  const gained: Cidr[] = []
  const failures: string[] = []
  for (const family of wanted) {
    const got = attempt(() => regained(ranges, family, former) ?? ranges.allocate(family))
    if (typeof got === 'string') gained.push(got)
    else failures.push(`${got.message} (${got.remedy})`)
  }
  const problems = [trouble, shared].filter((one) => one !== undefined).concat(stranded, failures)
  const status = isDeepStrictEqual(record?.machine, machine) ? record?.status : undefined
  const value: NodeNetwork = {
    node: owner.node,
    machine,
    addresses: addressesOf(cluster, owner),
    ranges: [...kept, ...gained].sort((a, b) => familyOf(a) - familyOf(b)),
    ...(problems.length === 0 ? {} : { problem: problems.join('; ') }),
    ...(silence === undefined ? {} : { silence }),
    ...(status === undefined ? {} : { status }),
  }
  return { value, gained, lacks: failures.length > 0 }
}

/** The addresses of a machine that count. What an administrator declared is not for us to shorten. */
export function addressesOf(cluster: Cluster, { machine, addresses }: Owner): readonly Ip[] {
  if (machine.kind === 'external') return addresses
  return addresses.filter((address) => nodeAddressProblems(cluster, [address]).length === 0)
}

/** A problem that was not told yet; `shared` as of {@link NodeNetworkInputs}. */
export function problemNotice(
  { problem }: NodeNetwork,
  before: NodeNetwork | undefined,
  shared: string | undefined,
): Notice | undefined {
  if (problem === undefined || problem === before?.problem) return undefined
  const isShared = shared !== undefined && before?.problem?.includes(shared) !== true
  return { code: isShared ? 'NODE_ADDRESS_SHARED' : 'NODE_NETWORK_INCOMPLETE', message: problem, remedy: '' }
}

/** A range that the name had before, if it is still to be had. */
function regained(ranges: NodeRanges, family: Family, former: readonly Cidr[]): Cidr | undefined {
  const range = former.find((one) => familyOf(one) === family && ranges.owns(one) && !ranges.isTaken(one))
  if (range !== undefined) ranges.mark(range)
  return range
}

function strandedRange(range: Cidr): string {
  return `its range ${range} is in none of the cluster's networks (restore the network, or remove the node and add it again)`
}

function addressTrouble(cluster: Cluster, owner: Owner): string | undefined {
  const usable = owner.addresses.filter((address) => nodeAddressProblems(cluster, [address]).length === 0)
  if (usable.some((address) => familyOf(address) === cluster.underlay)) return undefined
  const problems = nodeAddressProblems(cluster, owner.addresses)
  return problems.length > 0
    ? describeProblems(problems)
    : `it has no IPv${cluster.underlay} address for tunnels to run to (give it one, or change the cluster's underlay)`
}

function attempt(allocate: () => Cidr): Cidr | IpamError {
  try {
    return allocate()
  } catch (error) {
    if (error instanceof IpamError) return error
    throw error
  }
}
