/**
 * What a machine's part of the overlay is to be.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { IpamError } from '../ipam/errors.ts'
import type { NodeRanges } from '../ipam/node-ranges.ts'
import { type RangeChange, rangeChange } from '../ipam/range-change.ts'
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
  /** The revision of that record; absent: there is none. */
  readonly revision?: number | undefined
  /** The ranges that it keeps, in its order. */
  readonly kept: readonly Cidr[]
  /** Others that are taken for it, by a write that may be made yet. */
  readonly chosen?: readonly Cidr[]
  /** Those that it had before. */
  readonly former?: readonly Cidr[] | undefined
  /** Since when nothing was heard of it, for people. */
  readonly silence: string | undefined
  /** What is wrong with an address that another machine has too, for people. */
  readonly shared: string | undefined
}

/** What a machine's network is to be. What it lacks is taken out of `ranges`, if possible what it had before. */
export function networkOf(inputs: NodeNetworkInputs): NodeNetworkDecision {
  const { cluster, owner, record, ranges, silence, shared } = inputs
  const { machine } = owner
  const isHost = machine.kind === 'external'
  // No pods live on an external host: what it has of foreign networks is a mistake that would lead their traffic there.
  const kept = isHost ? inputs.kept.filter((range) => hasRange(cluster, range)) : inputs.kept
  const trouble = addressTrouble(cluster, owner)
  const stranded = kept.filter((range) => !hasRange(cluster, range)).map(strandedRange)
  // A machine that nobody can reach gets no range: it could not use it. Nor does a host where another one is.
  const isReached = trouble === undefined && !(isHost && shared !== undefined)
  const status = isDeepStrictEqual(record?.machine, machine) ? record?.status : undefined
  const families = [...new Set([...ranges.families, ...kept.map(familyOf)])].sort((a, b) => a - b)
  const changes = families.map((family) => ({ family, ...changeOf(inputs, kept, family, status) }))
  const wanted = isReached ? changes.filter(({ family }) => ranges.families.includes(family)) : []
  const { added, gained, failures } = additions(inputs, kept, wanted)
  const problems = [trouble, shared].filter((one) => one !== undefined).concat(stranded, failures)
  const closing = changes.flatMap((change) => change.closing)
  const value: NodeNetwork = {
    node: owner.node,
    machine,
    addresses: addressesOf(cluster, owner),
    ranges: [...changes.flatMap((change) => change.ranges), ...added].sort((a, b) => familyOf(a) - familyOf(b)),
    ...(closing.length === 0 ? {} : { closing }),
    ...(problems.length === 0 ? {} : { problem: problems.join('; ') }),
    ...(silence === undefined ? {} : { silence }),
    ...(status === undefined ? {} : { status }),
  }
  return { value, gained, lacks: failures.length > 0 }
}

type Wanted = Pick<RangeChange, 'ranges' | 'lacks'> & { readonly family: Family }

/** What the machine lacks: first what is taken for it already, then what it had before, then whatever is free. */
function additions(
  { cluster, ranges, chosen = [], former = [] }: NodeNetworkInputs,
  kept: readonly Cidr[],
  wanted: readonly Wanted[],
): { readonly added: readonly Cidr[]; readonly gained: readonly Cidr[]; readonly failures: readonly string[] } {
  const mine = chosen.filter((range) => !kept.includes(range) && hasRange(cluster, range))
  const reused: Cidr[] = []
  const gained: Cidr[] = []
  const failures: string[] = []
  for (const { family, lacks, ranges: own } of wanted) {
    const ready = mine.filter((range) => familyOf(range) === family).slice(0, Math.max(lacks, 0))
    reused.push(...ready)
    for (let missing = lacks - ready.length; missing > 0; missing -= 1) {
      const got = attempt(() => regained(ranges, family, former) ?? ranges.allocate(family))
      if (typeof got !== 'string') {
        const why = `${got.message} (${got.remedy})`
        failures.push(own.length === 0 ? why : `its pods need a further range: ${why}`)
        break
      }
      gained.push(got)
    }
  }
  return { added: [...reused, ...gained], gained, failures }
}

/** What becomes of the ranges of a family. An external host has one: no pods live there. */
function changeOf(
  { cluster, owner, record, revision }: NodeNetworkInputs,
  kept: readonly Cidr[],
  family: Family,
  status: NodeNetwork['status'],
): RangeChange {
  const isNode = owner.machine.kind === 'node'
  const isMine = ({ range }: { readonly range: Cidr }): boolean => familyOf(range) === family
  return rangeChange({
    ranges: kept.filter((range) => familyOf(range) === family),
    closing: isNode ? (record?.closing ?? []).filter(isMine) : [],
    wants: isNode ? (status?.wants?.[family] ?? 1) : 1,
    unused: (status?.unused ?? []).filter(isMine),
    most: isNode ? (cluster.rangesPerNode ?? 1) : 1,
    ...(revision === undefined || !isNode ? {} : { revision }),
  })
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
