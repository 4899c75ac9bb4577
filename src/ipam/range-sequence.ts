/**
 * The node ranges of one cluster network, in the order in which k8s-ovs and OpenShift SDN give them out.
 *
 * IPv4, when a node's host bits and its number share an octet: the low bits of the counter become the high bits of the
 * range's number, so that those ranges go first whose part of the shared octet is zero. IPv6: in counting order, without
 * ranges whose low 16 subnet bits are zero (where there are 16 or more), and at most 2^24 of them.
 * @module
 */
import { type Cidr, type Family, overlaps } from '../network/model/address.ts'
import type { ClusterNetwork } from '../network/model/cluster.ts'
import { networkAt, spanOf } from './bits.ts'
import { IpamError } from './errors.ts'

/** More nodes than this no network is counted for. */
const MAX_COUNT_BITS = 24

/** The node ranges of one cluster network. */
export class RangeSequence {
  readonly family: Family
  readonly #first: bigint
  readonly #hostBits: number
  readonly #subnetBits: number
  readonly #count: number
  readonly #left: number
  /** The counters of taken ranges; those far beyond the counter's end, marked by hand, are bigints. */
  readonly #taken = new Set<number | bigint>()
  readonly #reserved: Cidr[] = []
  #next = 0

  /** Starts at a counter, by which one sequence goes on where another was. Throws `IPAM_BAD_POOL` when the network has no room for a node, or nodes would have no room for pods. */
  constructor({ cidr, hostBits }: ClusterNetwork, next = 0) {
    const span = spanOf(cidr)
    if (hostBits < 1 || hostBits > span.hostBits) {
      throw new IpamError(
        'IPAM_BAD_POOL',
        `${cidr} has no ranges of ${hostBits} host bits`,
        `choose 1 to ${span.hostBits}`,
      )
    }
    this.family = span.family
    this.#next = next
    this.#first = span.first
    this.#hostBits = hostBits
    this.#subnetBits = span.hostBits - hostBits
    this.#count = 2 ** Math.min(this.#subnetBits, MAX_COUNT_BITS)
    this.#left = span.family === 4 ? rotation(hostBits, this.#subnetBits) : 0
  }

  /** The counter at which the next search starts. */
  get next(): number {
    return this.#next
  }

  /** The next free range, or undefined when there is none; the next search then starts over. */
  allocate(): Cidr | undefined {
    if (this.#taken.size < this.#count) {
      for (let tried = 0; tried < this.#count; tried += 1) {
        const n = (this.#next + tried) % this.#count
        if (this.#taken.has(n) || this.#isSkipped(n)) continue
        const range = this.#rangeOf(n)
        if (this.#reserved.some((reserved) => overlaps(reserved, range))) continue
        this.#next = n + 1
        this.#taken.add(n)
        return range
      }
    }
    this.#next = 0
    return undefined
  }

  /** Whether this is one of the network's ranges, of a node's size. */
  owns(range: Cidr): boolean {
    return this.#numberOf(range) !== undefined
  }

  isTaken(range: Cidr): boolean {
    const key = this.#numberOf(range)
    return key !== undefined && this.#taken.has(key)
  }

  mark(range: Cidr): void {
    const key = this.#numberOf(range)
    if (key !== undefined) this.#taken.add(key)
  }

  /** Keeps away from a network of any size. */
  reserve(network: Cidr): void {
    this.#reserved.push(network)
  }

  /** False when nobody had it. */
  release(range: Cidr): boolean {
    const key = this.#numberOf(range)
    return key !== undefined && this.#taken.delete(key)
  }

  #isSkipped(n: number): boolean {
    return this.family === 6 && this.#subnetBits >= 16 && n % 0x10000 === 0
  }

  #rangeOf(n: number): Cidr {
    const base = BigInt(this.#left === 0 ? n : rotateLeft(n, this.#left, this.#subnetBits))
    return networkAt(this.family, this.#first + (base << BigInt(this.#hostBits)), this.#hostBits)
  }

  /** The counter at which a range is given out; one beyond the counter's end never is, but can be taken. */
  #numberOf(range: Cidr): number | bigint | undefined {
    const span = spanOf(range)
    if (span.family !== this.family || span.hostBits !== this.#hostBits || span.first < this.#first) return undefined
    const base = (span.first - this.#first) >> BigInt(this.#hostBits)
    if (base >= 1n << BigInt(this.#subnetBits)) return undefined
    if (base > BigInt(Number.MAX_SAFE_INTEGER)) return base
    return this.#left === 0 ? Number(base) : rotateLeft(Number(base), this.#subnetBits - this.#left, this.#subnetBits)
  }
}

/** How far the counter is rotated left; 0 when the order is plain. */
function rotation(hostBits: number, subnetBits: number): number {
  const sharesOctet = hostBits % 8 !== 0
  const crossesOctet = Math.floor((hostBits - 1) / 8) !== Math.floor((hostBits + subnetBits - 1) / 8)
  return sharesOctet && crossesOctet ? 8 - (hostBits % 8) : 0
}

function rotateLeft(n: number, by: number, bits: number): number {
  const mask = 2 ** bits - 1
  return ((n << by) & mask) | (n >>> (bits - by))
}
