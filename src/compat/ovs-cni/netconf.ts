/**
 * The network configuration of the CNI type `ovs`, key by key as ovs-cni has it, with `vlan_mode` added.
 * @module
 */
import {
  isObject,
  type JsonObject,
  member,
  optionalInteger,
  optionalObject,
  optionalText,
  present,
  ShapeError,
} from '../../cni/json.ts'
import { ipamTypeOf } from '../../cni/netconf.ts'
import { type Membership, parseMembership } from './vlan.ts'

/** A configuration of type `ovs`. */
export interface OvsNetconf {
  /** Absent: OVN's, where {@link Asked} names a port of OVN's; else it is missing. */
  readonly bridge?: string
  /** Absent: nothing is said of VLANs. */
  readonly membership?: Membership
  /** MTU of both ends of the pod's link in bytes; absent: the bridge's. */
  readonly mtu?: number
  /** The OpenFlow port number that is asked for. */
  readonly ofportRequest?: number
  /** The `type` of the Interface row. */
  readonly interfaceType?: string
  /** Where ovsdb-server listens: `unix:<path>`, `tcp:…` or `ssl:…`. */
  readonly socketFile?: string
  /** How long the link may take to be up, where there are addresses. */
  readonly linkState: { readonly retries: number; readonly intervalMs: number }
  /** `ipam.type`. */
  readonly ipam?: string
}

/** What files of the node may add to, and look at last, unless `configuration_path` names one. */
export const FLAT_FILES = ['/etc/kubernetes/cni/net.d/ovs.d/ovs.conf', '/etc/cni/net.d/ovs.d/ovs.conf'] as const

/** Keys that a flat file can give. */
const FLAT_KEYS = [
  'bridge',
  'vlan',
  'vlan_mode',
  'mtu',
  'trunk',
  'deviceID',
  'ofport_request',
  'interface_type',
  'socket_file',
  'link_state_check_retries',
  'link_state_check_interval',
  'ipam',
] as const

/** Keys that reach further than a network: what an administrator alone may write. */
export const ADMINISTRATORS_KEYS = ['socket_file', 'configuration_path'] as const

/** Open vSwitch's own limits (ovs-vswitchd.conf.db(5)): numbers above are reserved. */
const OFPORT = [0, 65_279] as const
const MTU = [0, 65_535] as const
/** The least an IPv4 link may have (RFC 791). */
const LEAST_MTU = 68
const DEFAULT_RETRIES = 5
const DEFAULT_INTERVAL_MS = 600
/** Nobody waits longer for a link, in milliseconds. */
const LONGEST_WAIT_MS = 60_000

/** A configuration with what it leaves empty taken from a file of the node's. */
export function withFlatFile(config: JsonObject, flat: JsonObject): JsonObject {
  const filled = FLAT_KEYS.flatMap((key) => {
    const value = member(flat, key)
    return value === undefined || !isEmpty(key, config) ? [] : [[key, value] as const]
  })
  return { ...config, ...Object.fromEntries(filled) }
}

/** Reads a configuration. Throws `ShapeError` naming the field that is wrong. */
export function parseOvsNetconf(config: JsonObject): OvsNetconf {
  const ofport = optionalInteger(config, 'ofport_request', 'ofport_request', OFPORT)
  return present<OvsNetconf>({
    bridge: optionalText(config, 'bridge', 'bridge'),
    membership: parseMembership(config),
    mtu: parseMtu(config),
    ofportRequest: ofport === 0 ? undefined : ofport,
    interfaceType: optionalText(config, 'interface_type', 'interface_type'),
    socketFile: optionalText(config, 'socket_file', 'socket_file'),
    linkState: parseLinkState(config),
    ipam: ipamTypeOf(config),
  })
}

/** The device that a configuration wants to be the pod's interface: none can be, and which field says so. */
export function deviceOf(config: JsonObject): { readonly key: string; readonly value: string } | undefined {
  const runtime = optionalObject(config, 'runtimeConfig', 'runtimeConfig') ?? {}
  for (const [key, value] of [
    ['deviceID', optionalText(config, 'deviceID', 'deviceID')],
    ['runtimeConfig.deviceID', optionalText(runtime, 'deviceID', 'runtimeConfig.deviceID')],
  ] as const) {
    if (value !== undefined) return { key, value }
  }
  return undefined
}

/** As the zero values of Go: a VLAN of 0 says something, an MTU of 0 does not. */
function isEmpty(key: (typeof FLAT_KEYS)[number], config: JsonObject): boolean {
  const value = member(config, key)
  if (value === undefined || value === '') return true
  if (value === 0) return key !== 'vlan'
  if (Array.isArray(value)) return value.length === 0
  return isObject(value) && key === 'ipam' && member(value, 'type') === undefined
}

function parseMtu(config: JsonObject): number | undefined {
  const mtu = optionalInteger(config, 'mtu', 'mtu', MTU)
  if (mtu === undefined || mtu === 0) return undefined
  if (mtu < LEAST_MTU) throw new ShapeError('mtu', `must be at least ${LEAST_MTU}, or 0 for the bridge's`)
  return mtu
}

function parseLinkState(config: JsonObject): OvsNetconf['linkState'] {
  const bounds = [0, LONGEST_WAIT_MS] as const
  const retries = optionalInteger(config, 'link_state_check_retries', 'link_state_check_retries', bounds)
  const interval = optionalInteger(config, 'link_state_check_interval', 'link_state_check_interval', bounds)
  return { retries: retries || DEFAULT_RETRIES, intervalMs: interval || DEFAULT_INTERVAL_MS }
}

/** How long a link may take to be up, in milliseconds. */
export function linkStateWaitMs({ linkState: { retries, intervalMs } }: Pick<OvsNetconf, 'linkState'>): number {
  return Math.min(retries * intervalMs, LONGEST_WAIT_MS)
}
