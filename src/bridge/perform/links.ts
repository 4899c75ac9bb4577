/**
 * Links that are made for a bridge, and members of Linux bridges. Each makes sure that something is so.
 * @module
 */
import {
  disableOffloads,
  hasErrno,
  linkAdd,
  linkDel,
  linkFind,
  linkGet,
  linkSet,
  type RtnlSocket,
} from '../../linux/index.ts'
import { BridgeError } from '../errors.ts'
import { type Change, MADE_GROUP, type NewLink } from '../model.ts'

/** Changes of links. */
export type LinkMade = Extract<Change, { readonly do: 'new-link' | 'no-link' | 'member' | 'no-member' }>

/** Performs one. Throws BRIDGE_NOT_OURS where somebody else has the name. */
export async function performLink(rtnl: RtnlSocket, change: LinkMade): Promise<void> {
  switch (change.do) {
    case 'new-link':
      return make(rtnl, change.made)
    case 'no-link': {
      const found = linkFind(rtnl, change.link)
      if (found?.group === MADE_GROUP) await linkDel(rtnl, found.index).catch(unlessGone)
      return
    }
    case 'member': {
      const { index } = linkGet(rtnl, change.master)
      if (linkGet(rtnl, change.link).master !== index) linkSet(rtnl, change.link, { master: index })
      return
    }
    case 'no-member': {
      const [link, master] = [linkFind(rtnl, change.link), linkFind(rtnl, change.master)]
      if (link !== undefined && master !== undefined && link.master === master.index) {
        linkSet(rtnl, link.index, { master: 0 })
      }
      return
    }
  }
}

function make(rtnl: RtnlSocket, made: NewLink): void {
  const { name, mtu } = made
  const found = linkFind(rtnl, name)
  if (found !== undefined && found.group !== MADE_GROUP) {
    const cause = `somebody else has just made a link ${name}`
    throw new BridgeError('BRIDGE_NOT_OURS', cause, 'look at it, and begin again')
  }
  const birth = { name, mtu, group: MADE_GROUP }
  if (made.kind === 'bridge') {
    const { mac } = made
    // The MAC is set, so that it is not the lowest one of the members. Nothing is learned: what a switch outside sends back
    // comes from where a member's address was seen last, and would be dropped.
    if (found === undefined) {
      linkAdd(rtnl, {
        ...birth,
        kind: 'bridge',
        mac,
        up: true,
        stp: false,
        forwardDelay: 0,
        ageingTime: 0,
        multicastSnooping: false,
      })
    }
    return
  }
  const { peer, offloads } = made
  if (found === undefined) linkAdd(rtnl, { ...birth, kind: 'veth', peer: { name: peer, mtu, group: MADE_GROUP } })
  for (const end of [name, peer]) {
    if (!offloads) disableOffloads(end)
    linkSet(rtnl, end, { up: true, addrGenMode: 'none' })
  }
}

function unlessGone(error: unknown): void {
  if (!hasErrno(error, 'ENODEV')) throw error
}
