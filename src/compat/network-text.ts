/**
 * Networks as people write them: an address alone is one, and bits behind the prefix do not matter.
 * @module
 */
import { BITS, type Cidr, familyOf, hostCidr, networkAround, parseIp } from '../network/model/address.ts'

/** The network in `10.0.0.0/8`, `10.1.2.3/8` or `10.1.2.3`; undefined for anything else. */
export function networkIn(text: unknown): Cidr | undefined {
  if (typeof text !== 'string') return undefined
  const [, addressText = '', lengthText] = /^([^/]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text.trim()) ?? []
  const address = parseIp(addressText)
  if (address === undefined) return undefined
  if (lengthText === undefined) return hostCidr(address)
  const length = Number(lengthText)
  return length > BITS[familyOf(address)] ? undefined : networkAround(address, length)
}

/** The networks in a list that is separated by commas or blanks; what is none is left out. */
export function networksIn(text: unknown): readonly Cidr[] {
  if (typeof text !== 'string') return []
  return text.split(/[\s,]+/).flatMap((one) => networkIn(one) ?? [])
}
