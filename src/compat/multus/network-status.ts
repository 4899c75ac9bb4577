import type { JsonObject } from '../../cni/json.ts'
import type { CniResult, ResultDns, ResultInterface } from '../../cni/result.ts'
import { isDefaultRoute } from './default-route.ts'

/** The annotation that says what a pod was attached to. */
export const NETWORK_STATUS = 'k8s.v1.cni.cncf.io/network-status'

/** What one network's ADD answered. */
export interface DelegateResult {
  /** `<namespace>/<name>` of its definition, else the CNI network's name. */
  readonly name: string
  readonly ifname: string
  /** It is the pod's first. */
  readonly isFirst: boolean
  readonly result: CniResult
}

/**
 * The text of the annotation, laid out as Multus does it: one entry for each interface in the pod, in the order of the
 * networks. Devices are not described, as none are handed out. Addresses are without prefix length; those without an interface are the last one's.
 */
export function networkStatusOf(results: readonly DelegateResult[]): string {
  const entries = results.flatMap(entriesOf)
  return `[${entries.map((entry) => JSON.stringify(entry, undefined, 4)).join(',')}]`
}

/** An interface of the pod, and its place in the result. */
interface Inside {
  readonly index: number
  readonly name: string
  readonly mac?: string
  readonly mtu?: number
}

function entriesOf(delegate: DelegateResult): readonly JsonObject[] {
  const { result, name, isFirst } = delegate
  const inside = insideOf(delegate)
  const gateways = result.routes.flatMap((route) => (isDefaultRoute(route) && route.gw !== undefined ? [route.gw] : []))
  const main = isFirst ? mainOf(result, inside) : undefined
  return inside.map((item, at) =>
    entry({
      name,
      interface: item.name,
      ips: addressesOf(result, item, at === inside.length - 1),
      mac: item.mac,
      mtu: item.mtu,
      default: item === main ? true : undefined,
      dns: dnsOf(result.dns),
      gateway: gateways,
    }),
  )
}

/** The pod's interfaces; a result of an old version names none, and means the one that was asked for. */
function insideOf({ result, ifname }: DelegateResult): readonly Inside[] {
  const inside = result.interfaces.flatMap((item, index) => (isInside(item) ? [{ ...item, index }] : []))
  return inside.length === 0 ? [{ index: -1, name: ifname }] : inside
}

function isInside({ sandbox }: ResultInterface): boolean {
  return sandbox !== undefined && sandbox !== ''
}

function addressesOf({ ips }: CniResult, { index }: Inside, isLast: boolean): readonly string[] {
  const isIts = (at: number | undefined): boolean => (at === undefined ? isLast : at === index || index < 0)
  return ips.filter((ip) => isIts(ip.interface)).map(({ address }) => withoutPrefix(address))
}

/** The interface with an address that has a gateway, else the first. */
function mainOf({ ips }: CniResult, inside: readonly Inside[]): Inside | undefined {
  const withGateway = new Set(ips.flatMap((ip) => (ip.gateway === undefined ? [] : (ip.interface ?? []))))
  return inside.find(({ index }) => withGateway.has(index)) ?? inside[0]
}

function dnsOf({ nameservers, domain, search, options }: ResultDns): JsonObject {
  return entry({ nameservers, domain, search, options })
}

/** Only members that say something. */
function entry(members: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject {
  const said = Object.entries(members).filter(([, value]) => value !== undefined && !isEmptyList(value))
  return Object.fromEntries(said) as JsonObject
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function withoutPrefix(address: string): string {
  return address.slice(0, address.indexOf('/'))
}
