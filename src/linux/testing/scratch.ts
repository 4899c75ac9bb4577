/**
 * What tests need of a kernel: namespaces of their own, without a name, that end with their descriptor.
 * @module
 */
import { linkAdd } from '../netlink/link-add.ts'
import { type LinkRef, linkGet, linkSet } from '../netlink/link-ops.ts'
import { openRtnl, type RtnlSocket } from '../netlink/rtnl-socket.ts'
import { netnsNew } from '../netns.ts'
import { closeFd } from '../socket.ts'

export interface Scratch extends Disposable {
  readonly nsFd: number
  readonly rtnl: RtnlSocket
}

/** A fresh namespace with its loopback up. */
export function scratch(): Scratch {
  const nsFd = netnsNew()
  const rtnl = openRtnl({ nsFd })
  linkSet(rtnl, 'lo', { up: true })
  return {
    nsFd,
    rtnl,
    [Symbol.dispose]: () => {
      rtnl.close()
      closeFd(nsFd)
    },
  }
}

/** A veth between two namespaces, both ends up; the link in the first. */
export function veth(a: Scratch, b: Scratch, name = 'a0', peer = 'b0'): { readonly a: number; readonly b: number } {
  const link = linkAdd(a.rtnl, { kind: 'veth', name, up: true, peer: { name: peer, nsFd: b.nsFd } })
  linkSet(b.rtnl, peer, { up: true })
  return { a: link.index, b: indexOf(b, peer) }
}

export function indexOf(scope: Scratch, link: LinkRef): number {
  return linkGet(scope.rtnl, link).index
}
