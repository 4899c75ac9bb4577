/**
 * The configuration of the plugin `unnumbered-ptp` of cni-ipvlan-vpc-k8s, with its keys and defaults, and two keys of ours that it
 * does not have. Reference: plugin/unnumbered-ptp in its repository.
 * @module
 */
import { asCidr, ifnameFault } from '../../cni/formats.ts'
import {
  asText,
  type JsonObject,
  list,
  member,
  optionalInteger,
  optionalText,
  present,
  ShapeError,
} from '../../cni/json.ts'
import { type Cidr, ip, networkAround } from '../../network/model/address.ts'

/** A leg as it is configured. */
export interface PtpNetconf {
  /** The node's link whose addresses pods reach their node at. */
  readonly hostInterface: string
  /** The leg's name in the pod. */
  readonly containerInterface: string
  /** What leaves the node by another link than a leg gets the node's address. */
  readonly ipMasq: boolean
  /** Bytes; absent: that of `hostInterface`. */
  readonly mtu?: number
  /** Tables of legs are looked for from here on. */
  readonly routeTableStart: number
  /** First and last. Accepted, and of no effect: every answer goes the way that its question came, whatever the port. */
  readonly nodePorts: readonly [first: number, last: number]
  /** The bits of the mark that sends answers past legs' own tables. */
  readonly nodePortMark: number
  /** Ours: what alone goes by the leg, besides the node itself. Absent: everything that the wire is not known to carry. */
  readonly byLeg?: readonly Cidr[]
}

/** Where a configuration says less: the plugin that makes the pod's interface as well knows its link. */
export interface PtpDefaults {
  readonly hostInterface?: string
  readonly containerInterface?: string
}

const MTU = [68, 65_535] as const
const TABLE = [1, 0x7fff_0000] as const
const DEFAULTS = { routeTableStart: 256, nodePorts: '30000:32767', nodePortMark: 0x2000 } as const

/** Reads a configuration. Throws `ShapeError`. */
export function parsePtpNetconf(config: JsonObject, defaults: PtpDefaults = {}): PtpNetconf {
  const zeroIs = <Value>(key: string, absent: Value, range: readonly [number, number]): number | Value =>
    member(config, key) === 0 ? absent : (optionalInteger(config, key, key, range) ?? absent)
  return present<PtpNetconf>({
    hostInterface: linkIn(config, 'hostInterface', defaults.hostInterface),
    containerInterface: linkIn(config, 'containerInterface', defaults.containerInterface),
    ipMasq: flagIn(config, 'ipMasq'),
    mtu: zeroIs('mtu', undefined, MTU),
    routeTableStart: zeroIs('routeTableStart', DEFAULTS.routeTableStart, TABLE),
    nodePorts: portsIn(optionalText(config, 'nodePorts', 'nodePorts') || DEFAULTS.nodePorts),
    nodePortMark: zeroIs('nodePortMark', DEFAULTS.nodePortMark, [1, 0xffff_ffff]),
    byLeg: byLegIn(config),
  })
}

function linkIn(config: JsonObject, key: string, otherwise: string | undefined): string {
  const name = optionalText(config, key, key) || otherwise
  if (name === undefined) throw new ShapeError(key, 'is missing')
  const fault = ifnameFault(name)
  if (fault === undefined) return name
  throw new ShapeError(key, fault)
}

function flagIn(config: JsonObject, key: string): boolean {
  const value = member(config, key)
  if (value === undefined || typeof value === 'boolean') return value ?? false
  throw new ShapeError(key, 'must be true or false')
}

/** As iptables has it: `first:last`, or one port. */
function portsIn(text: string): readonly [number, number] {
  const [first, last] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text)?.slice(1).map(Number) ?? []
  const range = [first ?? 0, Number.isNaN(last ?? Number.NaN) ? (first ?? 0) : (last ?? 0)] as const
  if (range[0] >= 1 && range[0] <= range[1] && range[1] <= 65_535) return range
  throw new ShapeError('nodePorts', 'must be ports as first:last, each from 1 to 65535')
}

/** One network or several, as the coordinator has them. */
function byLegIn(config: JsonObject): readonly Cidr[] | undefined {
  const all = ['serviceCIDR', 'hijackCIDR'].flatMap((key) => {
    const value = member(config, key)
    if (value === undefined) return []
    const texts = typeof value === 'string' ? [value] : list(config, key, key, asText)
    return [texts.map((text, i) => networkIn(text, `${key}[${i}]`))]
  })
  return all.length === 0 ? undefined : [...new Set(all.flat())]
}

function networkIn(text: string, path: string): Cidr {
  const [address = '', length] = asCidr(text, path).split('/')
  return networkAround(ip(address), Number(length))
}
