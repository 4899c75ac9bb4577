/**
 * Pairs of links between a pod and its node: born with both ends in place, known by the group and name of the node's end.
 * @module
 */
import { cniError } from '../../cni/index.ts'
import { addrAdd, hasErrno, linkAdd, linkDel, linkFind, linkGet, linkSet, type RtnlSocket } from '../../linux/index.ts'
import type { Ip, Mac } from '../../network/model/address.ts'
import type { SysctlWish } from '../../network/model/ways.ts'
import { once, setSysctls } from './ways.ts'

/** A network namespace to change. Without a descriptor it is the program's own. */
export interface Site {
  readonly rtnl: RtnlSocket
  readonly nsFd?: number
}

/** The namespace of a pod. */
export type PodSite = Site & { readonly nsFd: number }

/** The pair between a pod and its node. */
export interface Pair {
  /** Name of the node's end. */
  readonly host: string
  /** Name of the pod's end. */
  readonly pod: string
  /** Link group of the node's end. */
  readonly group: number
  readonly macs: { readonly pod: Mac; readonly host: Mac }
  readonly mtu: number
  /** Of the node's end, for people. */
  readonly alias: string
  /** Of the node's end, before it is up. */
  readonly sysctls: readonly SysctlWish[]
  /** Of the node's end, in IPv6; absent: the kernel's choice. */
  readonly linkLocal?: Ip
}

/** Makes the pair, or makes one that is there right. Throws `interface-exists` where the pod has a link of the name. */
export async function makePair(host: Site, pod: PodSite, pair: Pair): Promise<void> {
  const { macs, mtu, group } = pair
  const [outside, inside] = [linkFind(host.rtnl, pair.host), linkFind(pod.rtnl, pair.pod)]
  const isWhole = outside?.mac === macs.host && outside.group === group && inside?.mac === macs.pod
  if (isWhole) {
    linkSet(host.rtnl, pair.host, { mtu })
    linkSet(pod.rtnl, pair.pod, { mtu })
  } else {
    if (outside !== undefined) await linkDel(host.rtnl, outside.index)
    bear(host.rtnl, pair, pod.nsFd)
  }
  setSysctls(pair.sysctls, host.nsFd)
  if (pair.linkLocal !== undefined) {
    linkSet(host.rtnl, pair.host, { addrGenMode: 'none' })
    const link = linkGet(host.rtnl, pair.host).index
    once(() => addrAdd(host.rtnl, { link, address: `${pair.linkLocal}/64`, nodad: true }))
  }
  linkSet(host.rtnl, pair.host, { up: true, alias: pair.alias })
  linkSet(pod.rtnl, pair.pod, { up: true })
}

/**
 * Removes the node's end of a pair and the pod's with it, and the routes and neighbours that lead by them. Any link of that name
 * that is of none of the groups stays.
 */
export async function removePair({ rtnl }: Site, host: string, groups: readonly number[]): Promise<void> {
  const link = linkFind(rtnl, host)
  if (link?.kind !== 'veth' || !groups.includes(link.group)) return
  try {
    await linkDel(rtnl, link.index)
  } catch (error) {
    // The pod's namespace took it along.
    if (!hasErrno(error, 'ENODEV')) throw error
  }
}

/** MAC addresses of both ends, explicit and always the same for a pod: systemd leaves alone what was set at birth. */
export function macsOfPair(id: string): Pair['macs'] {
  const digest = new Bun.CryptoHasher('sha256').update(id).digest('hex')
  const mac = (at: number): Mac => `0a${digest.slice(at, at + 10).replace(/../g, ':$&')}` as Mac
  return { pod: mac(12), host: mac(24) }
}

function bear(rtnl: RtnlSocket, { host, pod, macs, mtu, group }: Pair, nsFd: number): void {
  const peer = { name: pod, mac: macs.pod, mtu, nsFd }
  try {
    linkAdd(rtnl, { kind: 'veth', name: host, mac: macs.host, mtu, group, peer })
  } catch (error) {
    throw hasErrno(error, 'EEXIST') ? cniError('interface-exists', { ifname: pod }) : error
  }
}
