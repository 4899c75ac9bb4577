/**
 * The physical network: a Linux bridge in a namespace of its own, a cable to every node and to a host outside.
 * @module
 */

import { disableOffloads } from '../../linux/ethtool.ts'
import { addrAdd } from '../../linux/netlink/address.ts'
import { linkAdd } from '../../linux/netlink/link-add.ts'
import { linkGet, linkSet } from '../../linux/netlink/link-ops.ts'
import { routeReplace } from '../../linux/netlink/route.ts'
import { openRtnl, type RtnlSocket } from '../../linux/netlink/rtnl-socket.ts'
import { netnsOpen } from '../../linux/netns.ts'
import { closeFd } from '../../linux/socket.ts'
import { familyOf, type Ip } from '../../network/model/address.ts'
import { type Layout, type NodeLayout, outsideAddress, UNDERLAY, UNDERLAY_MTU } from '../layout.ts'
import { addNamespace } from './namespaces.ts'

/** The node's end of its cable. */
export const UPLINK = 'eth0'

/** Makes the physical network with the host outside. */
export function makeUnderlay(layout: Layout): void {
  addNamespace(layout, layout.underlayNetns)
  inNetns(layout.underlayNetns, (rtnl) => linkAdd(rtnl, { kind: 'bridge', name: 'wire', mtu: UNDERLAY_MTU, up: true }))
  plugIn(layout, layout.outsideNetns, 'outside')
  giveAddresses(layout.outsideNetns, UPLINK, [outsideAddress(4), outsideAddress(6)])
}

/** Makes a node's namespace with its cable; its addresses come later, where the node wants them. */
export function plugInNode(layout: Layout, node: NodeLayout): void {
  plugIn(layout, node.netns, node.name)
}

/** Gives a link of a namespace addresses of the physical network, sets it up, and routes the rest outside. */
export function giveAddresses(netns: string, name: string, addresses: readonly Ip[]): void {
  inNetns(netns, (rtnl) => {
    const link = linkGet(rtnl, name).index
    linkSet(rtnl, link, { up: true })
    for (const address of addresses) {
      const family = familyOf(address)
      addrAdd(rtnl, { link, address: `${address}/${UNDERLAY[family].length}`, nodad: true })
      const outside = outsideAddress(family)
      if (outside === address) continue
      routeReplace(rtnl, { destination: family === 4 ? '0.0.0.0/0' : '::/0', gateway: outside, link, protocol: 3 })
    }
  })
}

/** Runs `work` with a netlink socket of a namespace. */
function inNetns<T>(netns: string, work: (rtnl: RtnlSocket, fd: number) => T): T {
  const fd = netnsOpen(netns)
  try {
    using rtnl = openRtnl({ nsFd: fd })
    return work(rtnl, fd)
  } finally {
    closeFd(fd)
  }
}

function plugIn(layout: Layout, netns: string, port: string): void {
  addNamespace(layout, netns)
  const peerFd = netnsOpen(netns)
  try {
    inNetns(layout.underlayNetns, (rtnl, fd) => {
      const master = linkGet(rtnl, 'wire').index
      const peer = { name: UPLINK, mtu: UNDERLAY_MTU, nsFd: peerFd }
      linkAdd(rtnl, { kind: 'veth', name: port, mtu: UNDERLAY_MTU, master, peer })
      linkSet(rtnl, port, { up: true })
      disableOffloads(port, fd)
    })
    inNetns(netns, (rtnl, fd) => {
      linkSet(rtnl, 'lo', { up: true })
      linkSet(rtnl, UPLINK, { up: true })
      disableOffloads(UPLINK, fd)
    })
  } finally {
    closeFd(peerFd)
  }
}
