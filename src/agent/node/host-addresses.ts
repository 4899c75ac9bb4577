/**
 * The node's own addresses on a link of ours: one host address each, without a network behind it.
 * @module
 */
import { addrAdd, addrDel, addrList, type RtnlSocket } from '../../linux/index.ts'
import { BITS, familyOf, type Ip } from '../../network/model/address.ts'

/** Gives the link these addresses and no others, but for what the kernel gave it itself. */
export function setHostAddresses(rtnl: RtnlSocket, link: number, addresses: readonly Ip[]): void {
  const wanted = new Set(addresses.map((address) => `${address}/${BITS[familyOf(address)]}`))
  for (const present of addrList(rtnl, { link })) {
    if (present.scope === 'link' || wanted.delete(present.address)) continue
    addrDel(rtnl, { link, address: present.address })
  }
  for (const address of wanted) addrAdd(rtnl, { link, address, nodad: address.includes(':'), noprefixroute: true })
}
