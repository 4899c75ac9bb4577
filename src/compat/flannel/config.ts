/**
 * flannel's network configuration: the key `config` in etcd, and `net-conf.json` beside Kubernetes. Keys are read in
 * whatever case they are written, as Go's decoder does. Facts: flannel 0.28, Documentation/configuration.md.
 * @module
 */
import { type Cidr, familyOf, type Ip, networkAround, parseIp } from '../../network/model/address.ts'
import { type Backend, decodeBackend } from './backend.ts'
import { configFault, quoted } from './errors.ts'
import { caseless, type Fields, fieldOf, numberOf, switchOf } from './fields.ts'
import { capacityOf, type SubnetRange, subnetRange } from './range.ts'

/** What of a network is one family's. */
export interface FamilyNetwork {
  readonly network: Cidr
  /** Which subnets there are; absent where others cut the network, as Kubernetes does. */
  readonly range?: SubnetRange
}

/** A network that nodes share. At least one family is there. */
export interface NetworkConfig {
  readonly ipv4?: FamilyNetwork
  readonly ipv6?: FamilyNetwork
  readonly backend: Backend
}

/** Who cuts the network into subnets: flannel's nodes themselves, or Kubernetes' controller manager. */
export type Cutter = 'nodes' | 'kubernetes'

/** Reads a configuration. Throws FLANNEL_CONFIG: what is wrong, and which value would be right. */
export function decodeNetworkConfig(text: string, cutter: Cutter): NetworkConfig {
  const fields = caseless(parsed(text))
  if (fields === undefined) throw configFault('the network configuration is no JSON object', EXAMPLE)
  const hasIpv4 = switchOf(fields, 'EnableIPv4') ?? true
  const hasIpv6 = switchOf(fields, 'EnableIPv6') ?? false
  // Ours is nftables whatever it says: the switch only has to be one.
  switchOf(fields, 'EnableNFTables')
  if (!hasIpv4 && !hasIpv6)
    throw configFault('neither IPv4 nor IPv6 is enabled', 'leave EnableIPv4 out, or set EnableIPv6')
  const ipv4 = hasIpv4 ? familyNetwork(fields, 4, cutter) : undefined
  const ipv6 = hasIpv6 ? familyNetwork(fields, 6, cutter) : undefined
  const backend = decodeBackend(fieldOf(fields, 'Backend'))
  if (hasIpv6 && backend.type === 'udp') {
    throw configFault('the back end udp carries IPv4 alone', 'choose vxlan or host-gw for IPv6')
  }
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }), backend }
}

/** The ranges of a configuration that nodes cut themselves. */
export function rangesOf({ ipv4, ipv6 }: NetworkConfig): readonly SubnetRange[] {
  return [ipv4?.range, ipv6?.range].filter((range) => range !== undefined)
}

/** How many machines have a place, as a sentence where it is soon too few; undefined where there is enough. */
export function capacityWarning(config: NetworkConfig, taken: number): string | undefined {
  const capacities = rangesOf(config).map((range) => ({ range, capacity: capacityOf(range) }))
  const [smallest] = capacities.toSorted((a, b) => (a.capacity < b.capacity ? -1 : 1))
  if (smallest === undefined || BigInt(taken) * 10n < smallest.capacity * 9n) return undefined
  const { range, capacity } = smallest
  return `${taken} of ${capacity} subnets of ${range.network} are taken: one more machine each takes a /${range.length}`
}

const EXAMPLE = 'write it like {"Network": "10.1.0.0/16"}'

function familyNetwork(fields: Fields, family: 4 | 6, cutter: Cutter): FamilyNetwork {
  const prefix = family === 4 ? '' : 'IPv6'
  const network = networkIn(fields, `${prefix}Network`, family)
  if (cutter === 'kubernetes') return { network }
  const range = subnetRange({
    network,
    length: numberOf(fields, `${prefix}SubnetLen`, 128),
    first: addressIn(fields, `${prefix}SubnetMin`, family),
    last: addressIn(fields, `${prefix}SubnetMax`, family),
  })
  return { network, range }
}

function networkIn(fields: Fields, field: string, family: 4 | 6): Cidr {
  const value = fieldOf(fields, field)
  const example = family === 4 ? '"10.1.0.0/16"' : '"fd00:10::/48"'
  if (value === undefined) throw configFault(`there is no ${field}`, `write "${field}": ${example}`)
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(typeof value === 'string' ? value : '') ?? []
  const parsedAddress = parseIp(address)
  const fits =
    parsedAddress !== undefined && familyOf(parsedAddress) === family && Number(length) <= (family === 4 ? 32 : 128)
  if (!fits) throw configFault(`${field} ${quoted(value)} is no IPv${family} network`, `write it like ${example}`)
  return networkAround(parsedAddress, Number(length))
}

function addressIn(fields: Fields, field: string, family: 4 | 6): Ip | undefined {
  const value = fieldOf(fields, field)
  if (value === undefined || value === '') return undefined
  const address = typeof value === 'string' ? parseIp(value) : undefined
  if (address !== undefined && familyOf(address) === family) return address
  throw configFault(`${field} ${quoted(value)} is no IPv${family} address`, 'write the first address of a subnet')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw configFault('the network configuration is no JSON', EXAMPLE)
  }
}
