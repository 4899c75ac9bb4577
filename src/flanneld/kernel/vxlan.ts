/**
 * The VXLAN device of one family: made if need be, kept if it fits, so that its MAC address, which the other machines know,
 * stays what it is.
 * @module
 */
import { FlannelError } from '../../compat/flannel/errors.ts'
import {
  addrAdd,
  addrDel,
  addrList,
  type Link,
  linkAdd,
  linkDel,
  linkFind,
  linkList,
  linkSet,
  type RtnlSocket,
  sysctlSet,
} from '../../linux/index.ts'
import { type Cidr, type Ip, type Mac, parseMac } from '../../network/model/address.ts'

/** By which a link is known to be ours, beside its name. */
export const ALIAS = 'weft flannel'

/** A device as it should be. */
export interface VxlanWish {
  readonly name: string
  readonly vni: number
  readonly port: number
  /** From where it sends. */
  readonly local: Ip
  /** Index of the link that carries it. */
  readonly parent: number
  readonly learning: boolean
  /** Of itself, in bytes. */
  readonly mtu: number
  /** The MAC address that the other machines know, where there was one. */
  readonly mac?: Mac
}

/** A device as it is. */
export interface VxlanDevice {
  readonly index: number
  readonly mac: Mac
}

/** The device's name: of IPv4 and of IPv6, as flannel calls it. */
export function vxlanName(family: 4 | 6, vni: number): string {
  return family === 4 ? `flannel.${vni}` : `flannel-v6.${vni}`
}

/**
 * Brings a device to the wish. One that another flanneld left is taken over; one that is no VXLAN device is not ours to
 * remove. Throws FLANNEL_HOST and what the kernel says.
 */
export async function ensureVxlan(rtnl: RtnlSocket, wish: VxlanWish): Promise<VxlanDevice> {
  const { name, vni, port, local, parent, learning, mtu } = wish
  let link = linkFind(rtnl, name)
  let mac = wish.mac
  if (link !== undefined && link.kind !== 'vxlan') {
    const message = `link ${name} is no VXLAN device`
    throw new FlannelError('FLANNEL_HOST', message, `find out whose it is, and remove it: ip link del ${name}`)
  }
  if (link !== undefined && !fits(link, wish)) {
    // Made anew with the MAC address that others know.
    mac ??= macOf(link)
    await linkDel(rtnl, link.index)
    link = undefined
  }
  if (link === undefined) {
    const spec = { kind: 'vxlan', name, vni, port, local, parent, learning, mtu, ...(mac && { mac }) } as const
    link = linkAdd(rtnl, { ...spec, alias: ALIAS })
    quiet(name)
  }
  const change = {
    ...(link.mtu === mtu ? {} : { mtu }),
    ...(link.alias === ALIAS ? {} : { alias: ALIAS }),
    ...(link.up ? {} : { up: true }),
  }
  if (Object.keys(change).length > 0) linkSet(rtnl, link.index, change)
  const found = macOf(link)
  if (found === undefined) throw new FlannelError('FLANNEL_HOST', `link ${name} has no MAC address`, 'try again')
  return { index: link.index, mac: found }
}

/** Gives a link this one address, and takes others from it. */
export function ensureAddress(rtnl: RtnlSocket, link: number, address: Cidr): void {
  const present = addrList(rtnl, { link }).filter(({ scope }) => scope !== 'link')
  for (const { address: other, peer } of present) {
    if (other !== address) addrDel(rtnl, { link, address: other, ...(peer === undefined ? {} : { peer }) })
  }
  if (present.some((one) => one.address === address)) return
  addrAdd(rtnl, { link, address, nodad: true, noprefixroute: true })
}

/** Removes devices of ours that nobody needs any more. */
export async function removeOthers(rtnl: RtnlSocket, wanted: readonly string[]): Promise<void> {
  for (const { index, name, alias, kind } of linkList(rtnl)) {
    const isOurs = kind === 'vxlan' && alias === ALIAS && /^flannel(-v6)?\.\d+$/.test(name)
    if (isOurs && !wanted.includes(name)) await linkDel(rtnl, index)
  }
}

function fits({ data }: Link, { vni, port, local, parent, learning }: VxlanWish): boolean {
  if (data?.kind !== 'vxlan') return false
  const same = data.vni === vni && data.port === port && data.local === local && data.parent === parent
  return same && data.remote === undefined && data.external !== true && (data.learning ?? false) === learning
}

function macOf({ mac }: Link): Mac | undefined {
  return mac === undefined ? undefined : parseMac(mac)
}

/** Nobody on a tunnel is believed when it calls itself a router. A kernel without IPv6 has nothing to be told. */
function quiet(name: string): void {
  try {
    sysctlSet(['net', 'ipv6', 'conf', name, 'accept_ra'], 0)
  } catch {
    // Nothing to be told.
  }
}
