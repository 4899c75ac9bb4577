/**
 * `subnet.env`: what a machine's subnet is, for whoever makes its bridge. Facts: flannel 0.28, pkg/subnet, and the CNI
 * plugin `flannel` 1.9, which reads it.
 * @module
 */
import { type Cidr, familyOf, firstIp, formatIp, ipValue, networkAround, parseIp } from '../../network/model/address.ts'
import type { Subnets } from './lease.ts'

/** What the file tells. */
export interface SubnetEnv {
  /** The whole network; the CNI plugin takes a list. */
  readonly networks: readonly Cidr[]
  readonly subnets: Subnets
  /** Bytes of a packet that arrives anywhere. */
  readonly mtu: number
  /** Whether flanneld translates the source of what leaves the network; then nobody else is to. */
  readonly ipMasq: boolean
}

/** The file's text. The subnet is told as its first address, which the bridge is to have. */
export function encodeSubnetEnv({ networks, subnets, mtu, ipMasq }: SubnetEnv): string {
  const of = (family: 4 | 6): string => networks.filter((network) => familyOf(network) === family).join(',')
  const { ipv4, ipv6 } = subnets
  const lines = [
    ...(ipv4 === undefined ? [] : [`FLANNEL_NETWORK=${of(4)}`, `FLANNEL_SUBNET=${gateway(ipv4)}`]),
    ...(ipv6 === undefined ? [] : [`FLANNEL_IPV6_NETWORK=${of(6)}`, `FLANNEL_IPV6_SUBNET=${gateway(ipv6)}`]),
    `FLANNEL_MTU=${mtu}`,
    `FLANNEL_IPMASQ=${ipMasq}`,
  ]
  return `${lines.join('\n')}\n`
}

/** The file's variables as they are. Whoever sources it in a shell may have quoted them. */
export function variablesIn(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, name, value = ''] = /^\s*(?:export\s+)?(\w+)=(.*?)\s*$/.exec(line) ?? []
    if (name !== undefined) variables.set(name, value.replace(/^(["'])(.*)\1$/, '$2'))
  }
  return variables
}

/** The subnets that a file tells of; undefined where it tells none. */
export function subnetsIn(text: string): Subnets | undefined {
  const variables = variablesIn(text)
  const ipv4 = subnetOf(variables.get('FLANNEL_SUBNET'), 4)
  const ipv6 = subnetOf(variables.get('FLANNEL_IPV6_SUBNET'), 6)
  if (ipv4 === undefined && ipv6 === undefined) return undefined
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) }
}

/** The networks that a file tells of. */
export function networksIn(text: string): readonly Cidr[] {
  const variables = variablesIn(text)
  return (['FLANNEL_NETWORK', 'FLANNEL_IPV6_NETWORK'] as const).flatMap((name) =>
    (variables.get(name) ?? '').split(',').flatMap((one) => subnetOf(one, name === 'FLANNEL_NETWORK' ? 4 : 6) ?? []),
  )
}

/** A subnet's first address but one, with its length: `10.5.52.1/24`. */
export function gateway(subnet: Cidr): string {
  const length = subnet.slice(subnet.indexOf('/'))
  return `${formatIp(familyOf(subnet), ipValue(firstIp(subnet)) + 1n)}${length}`
}

function subnetOf(text: string | undefined, family: 4 | 6): Cidr | undefined {
  const [, address = '', length = ''] = /^(.+)\/(\d{1,3})$/.exec(text ?? '') ?? []
  const parsed = parseIp(address)
  if (parsed === undefined || familyOf(parsed) !== family || Number(length) > (family === 4 ? 32 : 128))
    return undefined
  return networkAround(parsed, Number(length))
}
