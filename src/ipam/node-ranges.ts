/**
 * Which part of the cluster's pod networks each node gives addresses out of. The order is the one of k8s-ovs and
 * OpenShift SDN, so that a cluster that moves over goes on where it was.
 * @module
 */
import { type Cidr, type Family, familyOf } from '../network/model/address.ts'
import type { ClusterNetwork } from '../network/model/cluster.ts'
import { IpamError } from './errors.ts'
import { RangeSequence } from './range-sequence.ts'

/** Gives node ranges out of the cluster's networks. For each family the first network with a free range wins. */
export class NodeRanges {
  readonly #sequences: readonly RangeSequence[]

  /**
   * Goes on at a {@link position} of an earlier instance, if one is given.
   * Throws `IPAM_BAD_POOL` when a network has no room for a node.
   */
  constructor(networks: readonly ClusterNetwork[], position: readonly number[] = []) {
    this.#sequences = networks.map((network, index) => new RangeSequence(network, position[index]))
  }

  /** Where the next searches start, network by network: a released range is reused as late as can be. */
  get position(): readonly number[] {
    return this.#sequences.map(({ next }) => next)
  }

  /** The families that nodes get a range of, IPv4 first. */
  get families(): readonly Family[] {
    return [...new Set(this.#sequences.map(({ family }) => family))].sort((a, b) => a - b)
  }

  /** The next free range. Throws `IPAM_RANGES_EXHAUSTED`. */
  allocate(family: Family): Cidr {
    for (const sequence of this.#sequences) {
      const range = sequence.family === family ? sequence.allocate() : undefined
      if (range !== undefined) return range
    }
    throw new IpamError(
      'IPAM_RANGES_EXHAUSTED',
      `no subnets available: every IPv${family} node range is taken`,
      'add a pod network to the cluster configuration, or remove nodes that are gone',
    )
  }

  /** Notes that a range is taken. Twice is fine. Throws `IPAM_OUTSIDE` when it is none of these networks'. */
  mark(range: Cidr): void {
    this.#sequenceOf(range).mark(range)
  }

  /** Keeps away from a network of any size: one that somebody chose by hand. */
  reserve(network: Cidr): void {
    for (const sequence of this.#sequences) sequence.reserve(network)
  }

  /** Gives a range back. Throws `IPAM_OUTSIDE`, or `IPAM_NOT_TAKEN` when nobody has it. */
  release(range: Cidr): void {
    if (this.#sequenceOf(range).release(range)) return
    throw new IpamError('IPAM_NOT_TAKEN', `${range} is not taken`, 'nothing to do')
  }

  /** Whether somebody has this very range. */
  isTaken(range: Cidr): boolean {
    return this.#sequences.some((sequence) => sequence.owns(range) && sequence.isTaken(range))
  }

  /** Whether a range could have been given out here: inside a network, of its size. */
  owns(range: Cidr): boolean {
    return this.#sequences.some((sequence) => sequence.owns(range))
  }

  #sequenceOf(range: Cidr): RangeSequence {
    const found = this.#sequences.find((sequence) => sequence.owns(range))
    if (found !== undefined) return found
    const message = `${range} is no IPv${familyOf(range)} node range of this cluster's networks`
    throw new IpamError('IPAM_OUTSIDE', message, 'compare it with cidr and hostBits of the cluster configuration')
  }
}
