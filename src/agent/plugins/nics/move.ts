/**
 * A NIC's way into a pod and home again. What is to be known for the way back is on the disk and on the link before the link
 * moves, so that every step can be the last one of an agent.
 * @module
 */
import { cniError } from '../../../cni/index.ts'
import {
  closeFd,
  hasErrno,
  type Link,
  linkFind,
  linkGet,
  linkList,
  linkSet,
  linkSetNetns,
  netnsId,
  netnsOpen,
  openMonitor,
  openRtnl,
  type RtnlSocket,
} from '../../../linux/index.ts'
import type { PodNetns } from '../../attach/endpoint-links.ts'
import { isPlugged } from './find.ts'
import { isNoted, markOf, type NicNote } from './note.ts'

/** The node as NICs leave it and come back to it. */
export interface NicHome {
  readonly rtnl: RtnlSocket
  /** Its namespace. */
  readonly nsFd: number
  readonly sysfs: string
  readonly boot: string
}

/** The kernel ends a namespace some time after its last user is gone, and gives hardware back then. */
const RETURN_MS = 2_000
const MOST_TURNS = 8

/** Moves a noted NIC into a pod under the name that its interface is to have. Down, and without what it had here. */
export async function moveIn({ rtnl }: NicHome, link: Link, note: NicNote, netns: PodNetns): Promise<void> {
  linkSet(rtnl, link.index, { alias: markOf(note) })
  try {
    await linkSetNetns(rtnl, link.index, netns.fd, note.ifname)
  } catch (error) {
    if (!hasErrno(error, 'EINVAL')) throw error
    const reason = 'the kernel binds it to the namespace that it is in'
    throw cniError('nic-unfit', { nic: link.name, reason })
  }
}

/** The noted NIC in a pod, whatever it is called there. */
export function nicInside(note: NicNote, nsFd: number, boot: string): Link | undefined {
  using inside = openRtnl({ nsFd })
  return linkList(inside).find((link) => isNoted(link, note, boot))
}

/**
 * Brings a noted NIC home as it was: from the pod, or from where the kernel put it when the pod's namespace ended. Resolves also
 * where it is no more. Throws `nic-not-home` while it can still come.
 */
export async function bringHome(home: NicHome, note: NicNote, netns: PodNetns | undefined): Promise<void> {
  const own = netns === undefined ? openNoted(note) : undefined
  try {
    for (let turn = 0; turn < MOST_TURNS; turn += 1) {
      const found = linkList(home.rtnl).find((link) => isNoted(link, note, home.boot))
      if (found !== undefined) return settle(home, found, note)
      const nsFd = netns?.fd ?? own
      if (nsFd !== undefined && (await moveOut(home, note, nsFd))) continue
      const { device, kind } = note.nic
      // A software link ends with its namespace, and hardware can be pulled out of the machine.
      const isGone = kind !== undefined || (device !== undefined && !isPlugged(device, home))
      if (isGone) return
      if (!(await seen(home, note))) break
    }
  } finally {
    if (own !== undefined) closeFd(own)
  }
  throw cniError('nic-not-home', {
    nic: note.nic.name,
    reason: `it is not on the node, and the namespace of container ${note.containerId} cannot be looked into`,
  })
}

/** False where it is not in there. */
async function moveOut(home: NicHome, note: NicNote, nsFd: number): Promise<boolean> {
  const found = nicInside(note, nsFd, home.boot)
  if (found === undefined) return false
  using inside = openRtnl({ nsFd })
  try {
    await linkSetNetns(inside, found.index, home.nsFd, note.nic.name)
  } catch (error) {
    if (hasErrno(error, 'ENODEV')) return true
    if (!hasErrno(error, 'EEXIST')) throw error
    // Both its names are taken on the node. One of its own, then: its old one can wait, the pod's namespace may not.
    await linkSetNetns(inside, found.index, home.nsFd, `nic${markOf(note).slice(-8)}`)
  }
  return true
}

/** Gives a NIC on the node its name and the rest back; the mark is the last to go. */
function settle({ rtnl }: NicHome, { index, name, up }: Link, note: NicNote): void {
  const { nic } = note
  if (name !== nic.name) {
    if (linkFind(rtnl, nic.name) !== undefined) {
      throw cniError('nic-not-home', {
        nic: nic.name,
        reason: `it is on the node as ${name}, and another link is called ${nic.name} now`,
      })
    }
    if (up) linkSet(rtnl, index, { up: false })
    linkSet(rtnl, index, { name: nic.name })
  }
  const now = linkGet(rtnl, index)
  if (now.mtu !== nic.mtu) linkSet(rtnl, index, { mtu: nic.mtu })
  // A pod may have given it another: then nobody on the wire answers it.
  if (nic.mac !== undefined && now.mac !== nic.mac) linkSet(rtnl, index, { mac: nic.mac })
  linkSet(rtnl, index, { up: nic.up, alias: nic.alias ?? '' })
}

/** The pod's namespace by its path, if that is still the same. */
function openNoted({ netns }: NicNote): number | undefined {
  let fd: number
  try {
    fd = netnsOpen(netns.path)
  } catch {
    return undefined
  }
  const { device, inode } = netnsId(fd)
  if (device === netns.device && inode === netns.inode) return fd
  closeFd(fd)
  return undefined
}

/** Whether it turns up on the node within the time that the kernel takes. */
async function seen({ rtnl, nsFd, boot }: NicHome, note: NicNote): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const look = (): void => {
    if (linkList(rtnl).some((link) => isNoted(link, note, boot))) resolve(true)
  }
  const monitor = openMonitor({ topics: ['link'], nsFd, onEvent: look, onResync: look })
  const timer = setTimeout(() => resolve(false), RETURN_MS)
  try {
    look()
    return await promise
  } finally {
    clearTimeout(timer)
    monitor.close()
  }
}
