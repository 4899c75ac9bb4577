/**
 * Interfaces of pods that stand on a link of the node. They are born in the pod under their own name, so that an ADD that
 * is interrupted leaves none on the node, and known by their link group; they go with the pod's namespace at the latest.
 * @module
 */
import { cniError, toCniError } from '../../../cni/index.ts'
import {
  hasErrno,
  type Link,
  linkAdd,
  linkDel,
  linkFind,
  linkGet,
  linkSet,
  openRtnl,
  type RtnlSocket,
} from '../../../linux/index.ts'
import { UNDERLAY_GROUP } from '../../../network/host.ts'
import type { PodNetns } from '../../attach/endpoint-links.ts'
import type { ChildNetconf, ChildTraits } from './netconf.ts'
import { findVlan } from './vlan-holder.ts'

/** An interface to be made. */
export interface ChildOrder extends Pick<ChildNetconf, 'traits' | 'mtu' | 'mac'> {
  readonly master: Link
  readonly ifname: string
  readonly netns: PodNetns
}

/** Modules of the kernel that have these links. */
const MODULE = { macvlan: 'macvlan', ipvlan: 'ipvlan', vlan: '8021q' } as const

/** Makes the interface, down. Throws `interface-exists`, `kernel-feature-missing`, `master-unfit` and `vlan-in-use`. */
export function makeChild(rtnl: RtnlSocket, order: ChildOrder): void {
  const { traits, master, ifname, netns, mtu, mac } = order
  if (mtu !== undefined && mtu > master.mtu) {
    throw cniError('config-invalid', {
      field: 'mtu',
      expected: `must not be more than ${master.mtu}, that of ${master.name}`,
    })
  }
  using inside = openRtnl({ nsFd: netns.fd })
  const name = birthName(rtnl, ifname)
  if (name !== ifname && linkFind(inside, ifname) !== undefined) throw cniError('interface-exists', { ifname })
  try {
    linkAdd(rtnl, {
      ...traits,
      parent: master.index,
      name,
      nsFd: netns.fd,
      group: UNDERLAY_GROUP,
      ...(mtu === undefined ? {} : { mtu }),
      ...(mac === undefined ? {} : { mac }),
    })
    if (name !== ifname) linkSet(inside, linkGet(inside, name).index, { name: ifname })
  } catch (error) {
    throw told(error, order, { rtnl, inside })
  }
}

/**
 * The kernel of many distributions refuses a name that a link of the node has (Linux before 6.14), wherever the new link is to be:
 * most pods' first interface and most nodes' NICs are eth0.
 */
function birthName(rtnl: RtnlSocket, ifname: string): string {
  return linkFind(rtnl, ifname) === undefined ? ifname : BIRTH_NAME
}

/** Of links that get their name in the pod. */
const BIRTH_NAME = 'weft-birth'

/** Sets the interface up; how it is then. */
export function raiseChild(ifname: string, { fd: nsFd }: PodNetns): Link {
  using inside = openRtnl({ nsFd })
  linkSet(inside, 'lo', { up: true })
  linkSet(inside, ifname, { up: true })
  return linkGet(inside, ifname)
}

/** The interface; undefined where there is none, or one of another kind or that somebody else made. */
export function findChild(kind: ChildTraits['kind'], ifname: string, { fd: nsFd }: PodNetns): Link | undefined {
  using inside = openRtnl({ nsFd })
  const found = linkFind(inside, ifname)
  return found?.kind === kind && found.group === UNDERLAY_GROUP ? found : undefined
}

/** Removes the interface if it is ours and of the kind, and one that did not come to its name. */
export async function removeChild(kind: ChildTraits['kind'], ifname: string, netns: PodNetns): Promise<void> {
  using inside = openRtnl({ nsFd: netns.fd })
  for (const name of [ifname, BIRTH_NAME]) {
    const found = findChild(kind, name, netns)
    if (found === undefined) continue
    try {
      await linkDel(inside, found.index)
    } catch (error) {
      if (!hasErrno(error, 'ENODEV')) throw error
    }
  }
}

/** The kernel's refusal in words that say what to change. */
function told(
  error: unknown,
  { traits, master, ifname }: ChildOrder,
  { rtnl, inside }: { readonly rtnl: RtnlSocket; readonly inside: RtnlSocket },
): Error {
  const { kind } = traits
  const unfit = (reason: string): Error => cniError('master-unfit', { master: master.name, kind, reason })
  if (hasErrno(error, 'EOPNOTSUPP')) {
    return cniError('kernel-feature-missing', { reason: `links of kind ${kind} (module ${MODULE[kind]})` })
  }
  if (hasErrno(error, 'EEXIST')) {
    if (traits.kind !== 'vlan' || linkFind(inside, ifname) !== undefined)
      return cniError('interface-exists', { ifname })
    const holder = findVlan(rtnl, master, traits.id)
    const where = holder === undefined ? 'a link in a namespace that has no name here' : holder.told
    return cniError('vlan-in-use', { vlan: traits.id, master: master.name, holder: where })
  }
  if (hasErrno(error, 'EBUSY'))
    return unfit('something else takes what arrives there: a bridge, or links of another kind')
  if (hasErrno(error, 'EINVAL')) return unfit(toCniError(error).message)
  return error instanceof Error ? error : new Error(String(error))
}
