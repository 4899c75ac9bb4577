/**
 * Which address of a node's range each endpoint has. Pure: the caller brings the clock.
 * @module
 */
import { type Cidr, familyOf, formatIp, type Ip, ipValue } from '../network/model/address.ts'
import { spanOf } from './bits.ts'
import { BusySet } from './busy-set.ts'
import { IpamError } from './errors.ts'

/** How a pool is made. */
export interface AddressPoolOptions {
  /** How long a released address rests before somebody else gets it, in the unit of the clock. 0 when absent. */
  readonly rest?: number
  /** The address after which the search starts: the last one given out, where somebody remembers it. */
  readonly after?: Ip
}

/** Only the first 2^48 addresses are given out unasked; later ones can be requested. */
const MAX_SEARCHED = 2 ** 48

/** The address of a node in its range: IPv4 the first with the last octet | 1, IPv6 the one after the first. */
export function gatewayOf(range: Cidr): Ip {
  const { family, first } = spanOf(range)
  return formatIp(family, family === 4 ? first | 1n : first + 1n)
}

/**
 * The addresses of a range. Network, gateway and (IPv4) broadcast address are kept for the network. The next address
 * is the lowest free one after the last one given out, so that a released address is reused as late as can be.
 */
export class AddressPool {
  readonly range: Cidr
  readonly gateway: Ip
  /** How many addresses endpoints can have at most. */
  readonly capacity: bigint
  readonly #first: bigint
  readonly #size: bigint
  readonly #family: 4 | 6
  readonly #rest: number
  /** Reserved, leased and resting addresses, as offsets, below MAX_SEARCHED. */
  readonly #busy: BusySet
  readonly #reserved: readonly bigint[]
  /** Leased offsets from MAX_SEARCHED on: nobody comes upon them by search. */
  readonly #distant = new Set<bigint>()
  /** Until when released offsets rest, in the order of their release. */
  readonly #resting = new Map<number, number>()
  #next: number

  /** Throws `IPAM_BAD_POOL` when the range has no address for endpoints. */
  constructor(range: Cidr, options: AddressPoolOptions = {}) {
    const { family, first, hostBits } = spanOf(range)
    if (hostBits < 2)
      throw new IpamError('IPAM_BAD_POOL', `${range} has no address for pods`, 'choose 2 host bits or more')
    const size = 1n << BigInt(hostBits)
    this.#size = size
    this.range = range
    this.gateway = gatewayOf(range)
    this.#first = first
    this.#family = family
    this.#rest = options.rest ?? 0
    this.#reserved = [0n, ipValue(this.gateway) - first, ...(family === 4 ? [size - 1n] : [])]
    this.capacity = size - BigInt(this.#reserved.length)
    this.#busy = new BusySet(Math.min(Number(size), MAX_SEARCHED))
    for (const offset of this.#reserved) this.#busy.add(Number(offset))
    const after = (options.after === undefined ? undefined : this.#offsetOf(options.after)) ?? 0n
    this.#next = after < MAX_SEARCHED ? Number(after) + 1 : 0
  }

  /** How many addresses are leased. */
  get leased(): number {
    return this.#busy.count - this.#reserved.length - this.#resting.size + this.#distant.size
  }

  /** How many addresses are leased, or rest. */
  busy(now: number): number {
    this.#wake(now)
    return this.leased + this.#resting.size
  }

  /** The addresses that are leased, in no order. */
  leasedAddresses(): Ip[] {
    const near = [...this.#busy].filter((offset) => !this.#resting.has(offset)).map(BigInt)
    const offsets = [...near, ...this.#distant].filter((offset) => !this.#reserved.includes(offset))
    return offsets.map((offset) => formatIp(this.#family, this.#first + offset))
  }

  /** How many released addresses may not be reused yet, as of the last call with a clock. */
  get resting(): number {
    return this.#resting.size
  }

  /** Released addresses that may not be reused yet, as of the last call with a clock. */
  restingAddresses(): Ip[] {
    return [...this.#resting.keys()].map((offset) => formatIp(this.#family, this.#first + BigInt(offset)))
  }

  /** Leases the next free address. Throws `IPAM_ADDRESSES_EXHAUSTED`. */
  allocate(now: number): Ip {
    this.#wake(now)
    const offset = this.#busy.nextFree(this.#next) ?? this.#busy.nextFree(0)
    if (offset === undefined) throw this.#exhausted()
    this.#busy.add(offset)
    this.#next = offset + 1
    return formatIp(this.#family, this.#first + BigInt(offset))
  }

  /**
   * Leases this very address, also while it rests: who asks for it by name means it.
   * Throws `IPAM_OUTSIDE`, `IPAM_RESERVED` or `IPAM_TAKEN`.
   */
  request(address: Ip): void {
    if (!this.#lease(address))
      throw new IpamError('IPAM_TAKEN', `${address} is leased`, 'release it, or ask for another')
  }

  /** Notes a lease that exists; twice is fine. Throws `IPAM_OUTSIDE` or `IPAM_RESERVED`. */
  mark(address: Ip): void {
    this.#lease(address)
  }

  /** Ends a lease; the address rests from now on. Throws `IPAM_OUTSIDE`, `IPAM_RESERVED` or `IPAM_NOT_TAKEN`. */
  release(address: Ip, now: number): void {
    const offset = this.#leasableOffset(address)
    if (!this.#has(offset)) throw new IpamError('IPAM_NOT_TAKEN', `${address} is not leased`, 'nothing to do')
    if (this.#distant.delete(offset)) return
    if (this.#rest > 0) this.#resting.set(Number(offset), now + this.#rest)
    else this.#busy.delete(Number(offset))
  }

  /** Whether an endpoint has this address. */
  isLeased(address: Ip): boolean {
    const offset = this.#offsetOf(address)
    return offset !== undefined && !this.#reserved.includes(offset) && this.#has(offset)
  }

  /** False when the address was leased already. */
  #lease(address: Ip): boolean {
    const offset = this.#leasableOffset(address)
    if (this.#has(offset)) return false
    if (offset >= MAX_SEARCHED) this.#distant.add(offset)
    else if (!this.#resting.delete(Number(offset))) this.#busy.add(Number(offset))
    return true
  }

  #has(offset: bigint): boolean {
    if (offset >= MAX_SEARCHED) return this.#distant.has(offset)
    return this.#busy.has(Number(offset)) && !this.#resting.has(Number(offset))
  }

  /** Frees what has rested long enough. All rest equally long, so those that come first are done first. */
  #wake(now: number): void {
    for (const [offset, until] of this.#resting) {
      if (until > now) break
      this.#resting.delete(offset)
      this.#busy.delete(offset)
    }
  }

  #offsetOf(address: Ip): bigint | undefined {
    if (familyOf(address) !== this.#family) return undefined
    const offset = ipValue(address) - this.#first
    return offset >= 0n && offset < this.#size ? offset : undefined
  }

  #leasableOffset(address: Ip): bigint {
    const offset = this.#offsetOf(address)
    if (offset === undefined) {
      throw new IpamError('IPAM_OUTSIDE', `${address} is not in ${this.range}`, `choose an address of ${this.range}`)
    }
    if (!this.#reserved.includes(offset)) return offset
    throw new IpamError('IPAM_RESERVED', `${address} is kept for the network ${this.range}`, 'choose another address')
  }

  #exhausted(): IpamError {
    const resting = this.#resting.size === 0 ? '' : `, ${this.#resting.size} of them released a moment ago`
    return new IpamError(
      'IPAM_ADDRESSES_EXHAUSTED',
      `all ${this.capacity} addresses of ${this.range} are in use${resting}`,
      'remove pods from this node, or give nodes more host bits',
    )
  }
}
