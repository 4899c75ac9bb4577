/**
 * Named sets of an nftables table, as nft(8) reads them.
 * @module
 */
import { type Family, familyOf, type Ip } from './model/address.ts'
import { formatIpRange, type IpRange, mergedRanges } from './model/ip-range.ts'
import type { NodePort } from './service/catalogue.ts'

/** Protocols with ports. */
export function nodePortSet(name: string, ports: readonly NodePort[]): string {
  const elements = ports.map(({ protocol, port }) => `${protocol.toLowerCase()} . ${port}`).join(', ')
  return `  set ${name} {
    type inet_proto . inet_service
${elements === '' ? '' : `    elements = { ${elements} }\n`}  }`
}

/** The addresses of a family. */
export function addressSet(name: string, family: Family, addresses: readonly Ip[]): string {
  const elements = addresses.filter((address) => familyOf(address) === family).join(', ')
  return `  set ${name} {
    type ${family === 4 ? 'ipv4_addr' : 'ipv6_addr'}
${elements === '' ? '' : `    elements = { ${elements} }\n`}  }`
}

/** The ranges of a family, which may hold one another. */
export function rangeSet(name: string, family: Family, ranges: readonly IpRange[]): string {
  const elements = mergedRanges(ranges.filter(({ first }) => familyOf(first) === family))
    .map(formatIpRange)
    .join(', ')
  return `  set ${name} {
    type ${family === 4 ? 'ipv4_addr' : 'ipv6_addr'}
    flags interval
${elements === '' ? '' : `    elements = { ${elements} }\n`}  }`
}
