/**
 * Leases: which subnet is which machine's, and how that machine is reached. In etcd a lease is a key below `subnets/` with
 * JSON as its value. Facts: flannel 0.28, pkg/lease and pkg/subnet.
 * @module
 */
import {
  type Cidr,
  familyOf,
  firstIp,
  type Ip,
  type Mac,
  parseCidr,
  parseIp,
  parseMac,
  prefixLength,
} from '../../network/model/address.ts'
import { caseless, type Fields, fieldOf } from './fields.ts'

/** A machine's subnets; at least one is there. */
export interface Subnets {
  readonly ipv4?: Cidr
  readonly ipv6?: Cidr
}

/** How a machine is reached. */
export interface LeaseAttributes {
  readonly publicIp?: Ip
  readonly publicIpv6?: Ip
  /** `vxlan`, `host-gw`, `udp`, or another one's. */
  readonly backendType: string
  /** What the back end's peers need of IPv4, as its JSON says it. */
  readonly backendData?: unknown
  /** The same of IPv6. */
  readonly backendV6Data?: unknown
}

/** A machine's subnets and how it is reached. */
export interface Lease {
  readonly subnets: Subnets
  readonly attributes: LeaseAttributes
  /** Since when it is there, in numbers of whoever keeps leases. Of two that cannot both hold the older one counts. */
  readonly since?: number
  /** Where its packets may come from, beside the addresses at which it is reached. */
  readonly sources?: readonly Ip[]
}

/** The last part of a lease's key: `10.5.52.0-24`, and for both families `10.5.52.0-24&fd00:10:5:34::-64`. */
export function leaseKey({ ipv4, ipv6 }: Subnets): string {
  const four = ipv4 === undefined ? NO_IPV4 : dashed(ipv4)
  return ipv6 === undefined ? four : `${four}&${dashed(ipv6)}`
}

/** The subnets that a key names; undefined for one that names none. */
export function parseLeaseKey(key: string): Subnets | undefined {
  const [, four = '', fourLength, six, sixLength] = KEY.exec(key) ?? []
  const hasIpv4 = `${four}-${fourLength}` !== NO_IPV4
  const ipv4 = hasIpv4 ? parseCidr(`${four}/${fourLength}`) : undefined
  const ipv6 = six === undefined ? undefined : parseCidr(`${six}/${sixLength}`)
  if (hasIpv4 && (ipv4 === undefined || familyOf(ipv4) !== 4)) return undefined
  if (six !== undefined && (ipv6 === undefined || familyOf(ipv6) !== 6)) return undefined
  if (ipv4 === undefined && ipv6 === undefined) return undefined
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) }
}

/** The JSON of a lease, with flannel's fields in its order. */
export function encodeAttributes(attributes: LeaseAttributes): string {
  const { publicIp, publicIpv6, backendType, backendData, backendV6Data } = attributes
  return JSON.stringify({
    PublicIP: publicIp ?? NOBODY,
    PublicIPv6: publicIpv6 ?? null,
    ...(backendType === '' ? {} : { BackendType: backendType }),
    ...(backendData === undefined ? {} : { BackendData: backendData }),
    ...(backendV6Data === undefined ? {} : { BackendV6Data: backendV6Data }),
  })
}

/** What a lease's JSON says; undefined where it is none, or nobody is reached by it. */
export function decodeAttributes(text: string): LeaseAttributes | undefined {
  const fields = fieldsIn(text)
  if (fields === undefined) return undefined
  const publicIp = addressOf(fieldOf(fields, 'PublicIP'), 4)
  const publicIpv6 = addressOf(fieldOf(fields, 'PublicIPv6'), 6)
  if (publicIp === undefined && publicIpv6 === undefined) return undefined
  const type = fieldOf(fields, 'BackendType')
  const data = fieldOf(fields, 'BackendData')
  const v6Data = fieldOf(fields, 'BackendV6Data')
  return {
    ...(publicIp && { publicIp }),
    ...(publicIpv6 && { publicIpv6 }),
    backendType: typeof type === 'string' ? type : '',
    ...(data === undefined ? {} : { backendData: data }),
    ...(v6Data === undefined ? {} : { backendV6Data: v6Data }),
  }
}

/** What a VXLAN back end tells its peers. */
export function vxlanData(vni: number, mac: Mac): unknown {
  return { VNI: vni, VtepMAC: mac }
}

/** The MAC address in a VXLAN back end's data; undefined where there is none that a device could have. */
export function vtepMacIn(data: unknown): Mac | undefined {
  const fields = caseless(data)
  const text = fields === undefined ? undefined : fieldOf(fields, 'VtepMAC')
  const mac = typeof text === 'string' ? parseMac(text) : undefined
  if (mac === undefined || mac === '00:00:00:00:00:00') return undefined
  // The lowest bit of the first byte marks a group.
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 0 ? mac : undefined
}

/** What stands for an IPv4 subnet in the key of a lease that has none. */
const NO_IPV4 = '0.0.0.0-0'
const NOBODY = '0.0.0.0'
const KEY = /^(\d+\.\d+\.\d+\.\d+)-(\d{1,2})(?:&([a-f\d:.]+)-(\d{1,3}))?$/

function dashed(subnet: Cidr): string {
  return `${firstIp(subnet)}-${prefixLength(subnet)}`
}

function addressOf(input: unknown, family: 4 | 6): Ip | undefined {
  const address = typeof input === 'string' ? parseIp(input) : undefined
  return address !== undefined && familyOf(address) === family && address !== NOBODY && address !== '::'
    ? address
    : undefined
}

function fieldsIn(text: string): Fields | undefined {
  try {
    return caseless(JSON.parse(text))
  } catch {
    return undefined
  }
}
