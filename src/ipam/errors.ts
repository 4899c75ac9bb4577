/**
 * What can go wrong when something is given out.
 * @module
 */

/** Why nothing was given out, or taken back. */
export type IpamErrorCode =
  /** Every node range of the family is taken. */
  | 'IPAM_RANGES_EXHAUSTED'
  /** Every address of the range is leased or resting. */
  | 'IPAM_ADDRESSES_EXHAUSTED'
  /** Every VNI is taken. */
  | 'IPAM_VNIS_EXHAUSTED'
  /** Not a part of what is given out here. */
  | 'IPAM_OUTSIDE'
  /** Somebody has it. */
  | 'IPAM_TAKEN'
  /** Nobody has it. */
  | 'IPAM_NOT_TAKEN'
  /** Kept for the network itself: network, gateway or broadcast address. */
  | 'IPAM_RESERVED'
  /** A pool that cannot be: no room for a node, host bits out of bounds. */
  | 'IPAM_BAD_POOL'

/** Nothing was given out, or taken back. The pool is as it was. */
export class IpamError extends Error {
  readonly code: IpamErrorCode
  readonly remedy: string

  constructor(code: IpamErrorCode, message: string, remedy: string) {
    super(message)
    this.name = 'IpamError'
    this.code = code
    this.remedy = remedy
  }
}
