/**
 * What the Linux bridge has to know of pods where this node translates services: a packet whose destination was changed on the
 * bridge is sent on to that destination's MAC, and nobody can be asked for it, as pods are behind VLANs.
 * @module
 */
import { hasErrno, linkFind, neighDel, neighReplace, type RtnlSocket } from '../../linux/index.ts'

/** Remembers a pod's MAC for good, where there is a Linux bridge. */
export function rememberPod(rtnl: RtnlSocket, hostBridge: string, address: string, mac: string): void {
  const link = linkFind(rtnl, hostBridge)
  if (link?.kind === 'bridge') neighReplace(rtnl, { link: link.index, address, mac, state: 'permanent' })
}

/** Forgets it. */
export function forgetPod(rtnl: RtnlSocket, hostBridge: string, address: string): void {
  const link = linkFind(rtnl, hostBridge)
  if (link === undefined || address === '') return
  try {
    neighDel(rtnl, { link: link.index, address })
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENODEV')) throw error
  }
}
