/**
 * The link that carries the node's tunnels.
 * @module
 */
import { addrList, linkList, type RtnlSocket } from '../linux/index.ts'
import type { Ip } from '../network/model/address.ts'

/** What is assumed while no link has the node's address. */
const ETHERNET_MTU = 1500

/** MTU of the link that has one of these addresses, in bytes. */
export function uplinkMtu(rtnl: RtnlSocket, addresses: readonly Ip[]): number {
  const holder = addrList(rtnl).find(({ address }) => addresses.some((one) => address.startsWith(`${one}/`)))
  if (holder === undefined) return ETHERNET_MTU
  return linkList(rtnl).find(({ index }) => index === holder.link)?.mtu ?? ETHERNET_MTU
}
