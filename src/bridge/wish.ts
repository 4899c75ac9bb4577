/**
 * What is asked for, and whether it can be done. Pure.
 * @module
 */
import { BRIDGE as INTEGRATION_BRIDGE } from '../network/host.ts'
import { BridgeError } from './errors.ts'
import { IDS, isOurs, type SwitchBridge, type UplinkFacts } from './model.ts'

/** A bridge to make. */
export interface Wish {
  readonly bridge: string
  readonly uplink: string
  readonly datapathType: 'system' | 'netdev'
  /** Bytes; absent: the uplink's. */
  readonly mtu?: number
  /** VLANs that the uplink carries besides untagged frames; none: all. */
  readonly trunks: readonly number[]
  /** False: the uplink is not expected to have addresses, but for what every link gives itself. */
  readonly move: boolean
}

/** Longest name of a link. */
const NAME_MAX = 15

/** Refuses a name that no bridge can have, or must not have. */
export function checkName(name: string): void {
  if (name === INTEGRATION_BRIDGE) {
    throw new BridgeError('BRIDGE_NAME', `${name} is the bridge of pods, which the agent makes`, 'choose another name')
  }
  if (!/^[A-Za-z0-9_.-]+$/.test(name) || name.length > NAME_MAX || name === '.' || name === '..' || /^-/.test(name)) {
    throw new BridgeError(
      'BRIDGE_NAME',
      `'${name}' cannot be a bridge's name`,
      `choose up to ${NAME_MAX} letters, digits, dots, dashes and underscores`,
    )
  }
}

/** The bridge that has a link as a port. */
export function bridgeWith(port: string, bridges: readonly SwitchBridge[]): SwitchBridge | undefined {
  return bridges.find(({ ports }) => ports.some(({ interfaces }) => interfaces.some(({ name }) => name === port)))
}

/** Whether the wish is fulfilled already, by whomever. */
export function isThere(wish: Wish, bridges: readonly SwitchBridge[]): boolean {
  return bridgeWith(wish.uplink, bridges)?.name === wish.bridge
}

/** Refuses what cannot be, or would cost somebody else something. `kernelLinks` are the names of all links. */
export function checkWish(
  wish: Wish,
  uplink: UplinkFacts,
  bridges: readonly SwitchBridge[],
  kernelLinks: ReadonlySet<string>,
): void {
  checkName(wish.bridge)
  checkBridge(wish, bridges, kernelLinks)
  checkUplink(uplink, bridges)
  if (wish.mtu !== undefined && wish.mtu > uplink.mtu) {
    const cause = `${wish.bridge} cannot have an MTU of ${wish.mtu}: ${uplink.name} carries ${uplink.mtu} bytes`
    throw new BridgeError('BRIDGE_MTU', cause, `raise the uplink's: ip link set ${uplink.name} mtu ${wish.mtu}`)
  }
  const global = uplink.addresses.filter(({ scope }) => scope === 'global')
  if (!wish.move && global.length > 0) {
    const cause = `${uplink.name} has ${global.map(({ address }) => address).join(' ')}, which stop working on a port`
    throw new BridgeError('BRIDGE_UPLINK_HAS_ADDRESSES', cause, 'leave out --no-move, or take the addresses off first')
  }
  if (uplink.nexthopRoutes.length > 0) {
    const cause = `routes to ${uplink.nexthopRoutes.join(', ')} go by nexthop objects, which are not moved`
    throw new BridgeError('BRIDGE_ROUTE_UNKNOWN', cause, 'replace them by routes that name their gateway')
  }
}

function checkBridge(wish: Wish, bridges: readonly SwitchBridge[], kernelLinks: ReadonlySet<string>): void {
  const existing = bridges.find(({ name }) => name === wish.bridge)
  if (existing === undefined) {
    if (!kernelLinks.has(wish.bridge)) return
    const cause = `there is a link ${wish.bridge} that is no bridge of Open vSwitch`
    throw new BridgeError('BRIDGE_NOT_OURS', cause, 'choose another name, or remove the link')
  }
  if (!isOurs(existing)) {
    const cause = `${wish.bridge} exists and was not made by Weft`
    const remedy = `use it as it is, add the uplink yourself (ovs-vsctl add-port ${wish.bridge} ${wish.uplink}), or choose another name`
    throw new BridgeError('BRIDGE_NOT_OURS', cause, remedy)
  }
  const has = existing.externalIds[IDS.uplink] ?? 'another uplink'
  const remedy = `\`weft bridge remove ${wish.bridge}\` puts ${has} back first`
  throw new BridgeError('BRIDGE_NOT_OURS', `${wish.bridge} exists with the uplink ${has}`, remedy)
}

function checkUplink(uplink: UplinkFacts, bridges: readonly SwitchBridge[]): void {
  const { name } = uplink
  const holder = bridgeWith(name, bridges)
  if (holder !== undefined) {
    const cause = `${name} is a port of ${holder.name} already`
    throw new BridgeError('BRIDGE_UPLINK_TAKEN', cause, `use ${holder.name}, or take the port off it first`)
  }
  if (uplink.master !== undefined) {
    const { name: master, kind } = uplink.master
    const remedy =
      kind === 'bond' || kind === 'team' ? `give the ${kind} as the uplink: --uplink ${master}` : 'choose another link'
    throw new BridgeError('BRIDGE_UPLINK_TAKEN', `${name} is a member of the ${kind} ${master}`, remedy)
  }
  if (uplink.wireless) {
    const cause = `${name} is wireless: an access point takes frames of one address only`
    throw new BridgeError('BRIDGE_UPLINK_UNFIT', cause, 'choose a wired link')
  }
  if (uplink.loopback || uplink.hardware !== ETHERNET) {
    throw new BridgeError('BRIDGE_UPLINK_UNFIT', `${name} is no Ethernet link`, 'choose a network card')
  }
  const rider = uplink.riders.find(({ kind }) => TAKERS.has(kind))
  if (rider !== undefined) {
    const cause = `the ${rider.kind} ${rider.name} takes packets from ${name}, which can then be no port`
    throw new BridgeError('BRIDGE_UPLINK_TAKEN', cause, `remove ${rider.name}, or choose another link`)
  }
}

const ETHERNET = 1
/** Kinds of links that take all packets of the link below, as a port's switch does. */
const TAKERS: ReadonlySet<string> = new Set(['macvlan', 'macvtap', 'ipvlan', 'ipvtap'])
