/**
 * The pair of links between a pod and the node.
 * @module
 */
import { createHash } from 'node:crypto'
import { readyForUserspace } from '../../agent/attach/veth.ts'
import { cniError } from '../../cni/index.ts'
import { podAlias } from '../../compat/ovn-underlay/keys.ts'
import { hasErrno, linkAdd, linkDel, linkFind, linkSet, openRtnl, type RtnlSocket } from '../../linux/index.ts'

/** The link group of the node's ends: given at birth, so that none is ever without it. */
export const POD_GROUP = 0x5756

/** The name of the node's end: always the same for an interface, so that DEL finds it without a record. */
export function linkName(containerId: string, ifname: string): string {
  return `ou${createHash('sha256').update(`${containerId}/${ifname}`).digest('hex').slice(0, 12)}`
}

/** An interface that a pod gets. */
export interface PodLink {
  readonly name: string
  readonly containerId: string
  readonly ifname: string
  readonly nsFd: number
  /** Bytes. */
  readonly mtu: number
}

/** Makes the pair, the node's end up. What an interrupted ADD left is removed before. Throws `interface-exists`. */
export async function makePodLink(rtnl: RtnlSocket, { name, containerId, ifname, nsFd, mtu }: PodLink): Promise<void> {
  await removePodLink(rtnl, name)
  try {
    linkAdd(rtnl, { kind: 'veth', name, mtu, group: POD_GROUP, peer: { name: ifname, mtu, nsFd } })
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
    throw cniError('interface-exists', { ifname })
  }
  linkSet(rtnl, name, { up: true, addrGenMode: 'none', alias: podAlias(containerId, ifname) })
}

/** Removes it; nothing where it is gone or not one of ours. */
export async function removePodLink(rtnl: RtnlSocket, name: string): Promise<void> {
  const found = linkFind(rtnl, name)
  if (found?.group !== POD_GROUP) return
  try {
    await linkDel(rtnl, found.index)
  } catch (error) {
    if (!hasErrno(error, 'ENODEV')) throw error
  }
}

/** Gives the pod's end the MAC of its port: OVN takes frames of no other. */
export function dressPodLink({ name, ifname, nsFd }: PodLink, mac: string, inUserspace: boolean): void {
  if (inUserspace) readyForUserspace(name, ifname, nsFd)
  using rtnl = openRtnl({ nsFd })
  linkSet(rtnl, ifname, { mac })
}
