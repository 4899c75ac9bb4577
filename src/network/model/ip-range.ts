/**
 * Runs of addresses, as pools are written: `172.18.30.131-172.18.30.140`.
 * @module
 */
import { type Cidr, contains, familyOf, firstIp, type Ip, ipValue, lastIp, parseIp } from './address.ts'

/** Addresses of one family from the first to the last, both included. */
export interface IpRange {
  readonly first: Ip
  readonly last: Ip
}

/** The range in `a` or `a-b`; undefined for anything else, for two families, and where the first comes after the last. */
export function parseIpRange(text: string): IpRange | undefined {
  const [from = '', to = from, ...rest] = text.split('-')
  const [first, last] = [parseIp(from), parseIp(to)]
  if (first === undefined || last === undefined || rest.length > 0) return undefined
  if (familyOf(first) !== familyOf(last) || ipValue(first) > ipValue(last)) return undefined
  return { first, last }
}

/** The addresses of a network. */
export function rangeOf(network: Cidr): IpRange {
  return { first: firstIp(network), last: lastIp(network) }
}

/** A range as it is written: one address alone without a dash. */
export function formatIpRange({ first, last }: IpRange): string {
  return first === last ? first : `${first}-${last}`
}

/** How many addresses it has. */
export function rangeSize({ first, last }: IpRange): bigint {
  return ipValue(last) - ipValue(first) + 1n
}

/** Whether an address is in it. */
export function isInRange({ first, last }: IpRange, address: Ip): boolean {
  if (familyOf(first) !== familyOf(address)) return false
  const value = ipValue(address)
  return ipValue(first) <= value && value <= ipValue(last)
}

/** Whether all of it is in a network. */
export function isWithin(network: Cidr, { first, last }: IpRange): boolean {
  return contains(network, first) && contains(network, last)
}

/** The same addresses, of one family, in as few ranges as hold them, in their order. */
export function mergedRanges(ranges: readonly IpRange[]): readonly IpRange[] {
  const sorted = ranges
    .map((range) => ({ range, from: ipValue(range.first), to: ipValue(range.last) }))
    .toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))
  const merged: (typeof sorted)[number][] = []
  for (const one of sorted) {
    const before = merged.at(-1)
    if (before === undefined || one.from > before.to + 1n) merged.push(one)
    else if (one.to > before.to) {
      merged[merged.length - 1] = {
        range: { first: before.range.first, last: one.range.last },
        from: before.from,
        to: one.to,
      }
    }
  }
  return merged.map(({ range }) => range)
}
