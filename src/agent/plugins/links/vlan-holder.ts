/**
 * Who has a VLAN of a link: a VLAN can be in one place only, and that may be any namespace of the machine.
 * @module
 */
import { closeSync } from 'node:fs'
import { type Link, linkDel, linkList, netnsList, netnsOpen, openRtnl, type RtnlSocket } from '../../../linux/index.ts'

/** A link that has a VLAN. */
export interface VlanHolder {
  readonly link: Link
  /** Which link it is, for people. */
  readonly told: string
  /** Removes the link. */
  remove(): Promise<void>
}

/**
 * The link that has a VLAN of a link of the node: on the node, or in a namespace that has a name (`ip netns`). Undefined where none of
 * these has it.
 */
export function findVlan(rtnl: RtnlSocket, { index, name }: Link, id: number): VlanHolder | undefined {
  const findIn = (place: RtnlSocket): Link | undefined =>
    linkList(place).find(({ data, parent }) => data?.kind === 'vlan' && data.id === id && parent === index)
  const own = findIn(rtnl)
  if (own !== undefined) {
    return { link: own, told: `link ${own.name} of this node`, remove: () => linkDel(rtnl, own.index) }
  }
  for (const netns of netnsList()) {
    using inside = openNetns(netns)
    const link = inside && findIn(inside.rtnl)
    if (link === undefined) continue
    const remove = async (): Promise<void> => {
      using again = openNetns(netns)
      if (again !== undefined) await linkDel(again.rtnl, link.index)
    }
    return { link, told: `link ${link.name}@${name} in network namespace ${netns}`, remove }
  }
  return undefined
}

/** Undefined where the namespace went meanwhile, or is none. */
function openNetns(name: string): (Disposable & { readonly rtnl: RtnlSocket }) | undefined {
  let fd: number | undefined
  try {
    fd = netnsOpen(name)
    const rtnl = openRtnl({ nsFd: fd })
    return { rtnl, [Symbol.dispose]: () => rtnl.close() }
  } catch {
    return undefined
  } finally {
    // The socket stays in the namespace by itself.
    if (fd !== undefined) closeSync(fd)
  }
}
