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
  try {
    linkAdd(rtnl, {
      ...traits,
      parent: master.index,
      name: ifname,
      nsFd: netns.fd,
      group: UNDERLAY_GROUP,
      ...(mtu === undefined ? {} : { mtu }),
      ...(mac === undefined ? {} : { mac }),
    })
  } catch (error) {
    throw told(error, order, { rtnl, inside })
  }
}

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

/** Removes the interface if it is ours and of the kind. */
export async function removeChild(kind: ChildTraits['kind'], ifname: string, netns: PodNetns): Promise<void> {
  const found = findChild(kind, ifname, netns)
  if (found === undefined) return
  using inside = openRtnl({ nsFd: netns.fd })
  try {
    await linkDel(inside, found.index)
  } catch (error) {
    if (!hasErrno(error, 'ENODEV')) throw error
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
