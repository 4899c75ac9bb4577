/**
 * Machines that lay claim to one address, and whose it is. A node's belongs to the node, whoever else names it. Two nodes
 * may share one for a moment, when they exchange theirs: neither is held up for it. One machine is at an address, so of
 * the external hosts there one is served: were it all, that machine could speak for each of their tenants.
 * @module
 */
import { tunnelAddress } from './context.ts'
import type { Ip } from './model/address.ts'
import type { Cluster } from './model/cluster.ts'
import type { Machine, NodeNetwork } from './model/node.ts'

/** A machine and what it lays claim to. */
export interface Claimant extends Pick<NodeNetwork, 'node' | 'addresses' | 'ranges'> {
  readonly machine: Pick<Machine, 'kind'>
}

/** What is wrong with an address, for people. */
export interface SharedAddress {
  readonly problem: string
  readonly remedy: string
}

type Underlay = Pick<Cluster, 'underlay'>

/**
 * What is wrong with a machine's addresses since others have them too; undefined when nothing is. An external host's are
 * all to be its own. Of a node it is the one that tunnels run to, and among nodes: an external host takes nothing from it.
 */
export function sharedAddress(
  underlay: Underlay,
  machine: Claimant,
  others: Iterable<Claimant>,
): SharedAddress | undefined {
  const known = [...others].filter(({ node }) => node !== machine.node)
  for (const address of claimsOf(underlay, machine)) {
    const other = known.filter((one) => isInTheWay(underlay, machine, one, address)).reduce(first, undefined)
    if (other !== undefined) return wordsOf(address, machine, other)
  }
  return undefined
}

/** The addresses of a machine that no other one should have. */
export function claimsOf(underlay: Underlay, machine: Claimant): readonly Ip[] {
  if (machine.machine.kind === 'external') return machine.addresses
  const end = tunnelAddress(underlay, machine)
  return end === undefined ? [] : [end]
}

/**
 * Whether an external host has to leave the address that tunnels to it would end at to another machine: to a node; else to
 * an external host that has ranges, the first by name. So one that is declared later, and has none, disturbs nobody.
 */
export function givesWay(underlay: Underlay, host: Claimant, claimants: Iterable<Claimant>): boolean {
  const end = tunnelAddress(underlay, host)
  if (host.machine.kind === 'node' || end === undefined) return false
  for (const one of claimants) {
    if (one.node === host.node || !one.addresses.includes(end)) continue
    if (one.machine.kind === 'node') return true
    const isFirst = one.ranges.length > 0 && (host.ranges.length === 0 || one.node < host.node)
    if (isFirst && tunnelAddress(underlay, one) === end) return true
  }
  return false
}

function isInTheWay(underlay: Underlay, { machine }: Claimant, other: Claimant, address: Ip): boolean {
  if (machine.kind === 'external') return other.addresses.includes(address)
  return other.machine.kind === 'node' && tunnelAddress(underlay, other) === address
}

/** Nodes come first, then names. */
function first(a: Claimant | undefined, b: Claimant): Claimant {
  if (a === undefined || a.machine.kind !== b.machine.kind) return a?.machine.kind === 'node' ? a : b
  return a.node < b.node ? a : b
}

function wordsOf(address: Ip, { machine }: Claimant, other: Claimant): SharedAddress {
  if (machine.kind === 'node') {
    const problem = `${address} is ${other.node}'s address too: what is sent to one of them reaches the other`
    return { problem, remedy: 'give each node its own' }
  }
  if (other.machine.kind === 'node') {
    const problem = `${address} is ${other.node}'s address: it stays the node's, and nobody serves this host there`
    return { problem, remedy: 'give the host its own' }
  }
  const problem = `${address} is ${other.node}'s address too: one host at most is served there`
  return { problem, remedy: 'give each host its own' }
}
