/**
 * Address arithmetic on whole numbers.
 * @module
 */
import { BITS, type Cidr, familyOf, firstIp, formatIp, ipValue, prefixLength } from '../network/model/address.ts'

/** A network as numbers. */
export interface Span {
  readonly family: 4 | 6
  readonly first: bigint
  readonly hostBits: number
}

/** The numbers of a network. */
export function spanOf(network: Cidr): Span {
  const family = familyOf(network)
  return { family, first: ipValue(firstIp(network)), hostBits: BITS[family] - prefixLength(network) }
}

/** The network with this first address and as many host bits. */
export function networkAt(family: 4 | 6, first: bigint, hostBits: number): Cidr {
  return `${formatIp(family, first)}/${BITS[family] - hostBits}` as Cidr
}
