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
import { type Cidr, familyOf, type Ip, prefixLength } from '../../network/model/address.ts'
import { type Layout, type NodeLayout, outsideAddress, UNDERLAY, UNDERLAY_MTU, wireAddress } from '../layout.ts'
import { addNamespace } from './namespaces.ts'

/** The node's end of its cable. */
export const UPLINK = 'eth0'
/** The node's end of its cable on the wire of {@link makeWire}. */
export const SECOND_UPLINK = 'eth1'

const FIRST_WIRE: Wire = { bridge: 'wire', nic: UPLINK, suffix: '' }
const SECOND_WIRE: Wire = { bridge: 'lan', nic: SECOND_UPLINK, suffix: '-lan' }

/** A network that machines are plugged in: a bridge, what machines call their end, and what tells the bridge's ports apart. */
interface Wire {
  readonly bridge: string
  readonly nic: string
  readonly suffix: string
}

/** Makes the physical network with the host outside. */
export function makeUnderlay(layout: Layout): void {
  addNamespace(layout, layout.underlayNetns)
  makeBridge(layout, FIRST_WIRE)
  addNamespace(layout, layout.outsideNetns)
  plugIn(layout, { netns: layout.outsideNetns, name: 'outside' }, FIRST_WIRE)
  giveAddresses(layout.outsideNetns, UPLINK, [outsideAddress(4), outsideAddress(6)])
}

/** Makes a node's namespace with its cable; its addresses come later, where the node wants them. */
export function plugInNode(layout: Layout, node: NodeLayout): void {
  addNamespace(layout, node.netns)
  plugIn(layout, node, FIRST_WIRE)
}

/** A second wire to every machine. The host outside is the gateway of its networks. */
export function makeWire(layout: Layout, nodes: readonly NodeLayout[], networks: readonly Cidr[]): void {
  makeBridge(layout, SECOND_WIRE)
  const outside = { netns: layout.outsideNetns, name: 'outside' }
  for (const machine of [outside, ...nodes]) plugIn(layout, machine, SECOND_WIRE)
  giveWireAddresses(layout.outsideNetns, SECOND_UPLINK, networks, 0)
}

/** Gives a link its addresses of the second wire: those of machine `index`, from 1; 0 is the gateway. */
export function giveWireAddresses(netns: string, name: string, networks: readonly Cidr[], index: number): void {
  inNetns(netns, (rtnl) => {
    const link = linkGet(rtnl, name).index
    linkSet(rtnl, link, { up: true })
    for (const network of networks) {
      addrAdd(rtnl, { link, address: `${wireAddress(network, index)}/${prefixLength(network)}`, nodad: true })
    }
  })
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

function makeBridge({ underlayNetns }: Layout, { bridge }: Wire): void {
  inNetns(underlayNetns, (rtnl) => linkAdd(rtnl, { kind: 'bridge', name: bridge, mtu: UNDERLAY_MTU, up: true }))
}

function plugIn(
  layout: Layout,
  machine: { readonly netns: string; readonly name: string },
  { bridge, nic, suffix }: Wire,
): void {
  const peerFd = netnsOpen(machine.netns)
  const port = `${machine.name}${suffix}`
  try {
    inNetns(layout.underlayNetns, (rtnl, fd) => {
      const master = linkGet(rtnl, bridge).index
      const peer = { name: nic, mtu: UNDERLAY_MTU, nsFd: peerFd }
      linkAdd(rtnl, { kind: 'veth', name: port, mtu: UNDERLAY_MTU, master, peer })
      linkSet(rtnl, port, { up: true })
      disableOffloads(port, fd)
    })
    inNetns(machine.netns, (rtnl, fd) => {
      linkSet(rtnl, 'lo', { up: true })
      linkSet(rtnl, nic, { up: true })
      disableOffloads(nic, fd)
    })
  } finally {
    closeFd(peerFd)
  }
}
