/**
 * A bucket on a link: what the kernel has of it, and how it becomes what it should be. Ours is told from others' by its
 * handle. What is right is left alone, and a change loses nothing that waits.
 * @module
 */
import {
  classList,
  classReplace,
  type Qdisc,
  qdiscAdd,
  qdiscDel,
  qdiscList,
  qdiscReplace,
  type RtnlSocket,
  TC_ROOT,
  type TrafficClass,
  tcHandle,
} from '../../linux/index.ts'
import type { Bucket } from '../../network/qos/shaping.ts'

/** The major number of what we hang on links. */
export const OUR_MAJOR = 0x5745
/** The class of everything, where there is only one. */
const ONLY_CLASS = 1
/** Bytes in turn, where classes share. More than a segment of 64 KiB: less would be unfair to nobody, but slow. */
const QUANTUM = 65_536 + 1_000

/** Whether a qdisc is ours. */
export function isOurs({ handle }: Pick<Qdisc, 'handle'>): boolean {
  return handle === tcHandle(OUR_MAJOR, 0)
}

/** Makes a link's root a token bucket, or takes ours away. */
export function setTbf(rtnl: RtnlSocket, link: number, bucket: Bucket | undefined): void {
  const root = rootOf(rtnl, link)
  if (bucket === undefined) {
    removeRoot(rtnl, link, root)
    return
  }
  if (isTbf(root, bucket)) return
  // Another kind in our place would be changed, which no kind takes from another.
  if (root !== undefined && root.kind !== 'tbf') qdiscDel(rtnl, { link, parent: TC_ROOT })
  qdiscReplace(rtnl, { link, handle: tcHandle(OUR_MAJOR, 0), kind: 'tbf', ...bucket })
}

/** A bucket as the kernel has it: its rate in bit/s, and the bytes that passed it. */
export interface Standing {
  readonly rate: number
  readonly bytes: bigint
}

/** A link's token bucket; undefined where there is none of ours. */
export function tbfOf(rtnl: RtnlSocket, link: number): Standing | undefined {
  const root = rootOf(rtnl, link)
  if (root?.data?.kind !== 'tbf' || !isOurs(root)) return undefined
  return { rate: root.data.rate, bytes: root.counters?.bytes ?? 0n }
}

/** Makes a link's root a hierarchical token bucket with one class for everything, or takes ours away. */
export function setHtb(rtnl: RtnlSocket, link: number, bucket: Bucket | undefined): void {
  if (bucket === undefined) {
    removeRoot(rtnl, link, rootOf(rtnl, link))
    return
  }
  ensureHtb(rtnl, link, ONLY_CLASS)
  setClass(rtnl, link, { minor: ONLY_CLASS, bucket })
}

/** A link's only class; undefined where there is none of ours. */
export function htbOf(rtnl: RtnlSocket, link: number): Standing | undefined {
  const root = rootOf(rtnl, link)
  const only = root !== undefined && isOurs(root) ? classOf(rtnl, link, ONLY_CLASS) : undefined
  return only?.data === undefined ? undefined : { rate: only.data.ceil, bytes: only.counters?.bytes ?? 0n }
}

/** A class of an htb of ours; without `parent` it hangs below the root. `share`: what it is guaranteed, in bit/s. */
export interface ClassWish {
  readonly minor: number
  readonly parent?: number
  readonly bucket: Bucket
  readonly share?: number
}

/** Makes sure that a link's root is an htb of ours. Nothing of somebody else's is kept: one root is all a link has. */
export function ensureHtb(rtnl: RtnlSocket, link: number, defaultClass: number): void {
  const root = rootOf(rtnl, link)
  if (root !== undefined && isOurs(root) && root.data?.kind === 'htb' && root.data.defaultClass === defaultClass) return
  if (root !== undefined) qdiscDel(rtnl, { link, parent: TC_ROOT })
  qdiscAdd(rtnl, { link, handle: tcHandle(OUR_MAJOR, 0), kind: 'htb', defaultClass })
}

/** Makes a class of our htb what it should be, with a queue of its own. */
export function setClass(rtnl: RtnlSocket, link: number, wish: ClassWish): void {
  const { minor, parent = 0, bucket, share = bucket.rate } = wish
  const handle = tcHandle(OUR_MAJOR, minor)
  const found = classOf(rtnl, link, minor)
  if (!isClass(found, wish)) {
    classReplace(rtnl, {
      link,
      parent: tcHandle(OUR_MAJOR, parent),
      handle,
      rate: share,
      ceil: bucket.rate,
      burst: bucket.burst,
      cburst: bucket.burst,
      quantum: QUANTUM,
    })
  }
  const queue = qdiscList(rtnl, { link }).find((one) => one.parent === handle)
  if (queue?.data?.kind === 'bfifo' && queue.data.limit === bucket.limit) return
  if (queue !== undefined && queue.kind !== 'bfifo') qdiscDel(rtnl, { link, parent: handle })
  qdiscReplace(rtnl, { link, parent: handle, kind: 'bfifo', limit: bucket.limit })
}

/** A class of our htb, if it is there. */
export function classOf(rtnl: RtnlSocket, link: number, minor: number): TrafficClass | undefined {
  return classList(rtnl, link).find(({ handle }) => handle === tcHandle(OUR_MAJOR, minor))
}

/** Whether a root is the token bucket that it should be. The kernel rounds a burst to what its time can tell. */
export function isTbf(root: Qdisc | undefined, bucket: Bucket): boolean {
  if (root?.data?.kind !== 'tbf' || !isOurs(root)) return false
  const { rate, burst, limit } = root.data
  return sameRate(rate, bucket.rate) && limit === bucket.limit && isAbout(burst, bucket)
}

function isClass(found: TrafficClass | undefined, { bucket, share = bucket.rate }: ClassWish): boolean {
  const data = found?.data
  if (data === undefined) return false
  return sameRate(data.ceil, bucket.rate) && sameRate(data.rate, share) && isAbout(data.cburst, bucket)
}

/** The kernel counts whole bytes. */
function sameRate(found: number, wanted: number): boolean {
  return Math.floor(found / 8) === Math.floor(wanted / 8)
}

function isAbout(found: number, { burst, rate }: Bucket): boolean {
  const tick = (rate / 8) * TICK
  return Math.abs(found - burst) <= burst / 100 + 2 * tick + 1
}

/** Seconds in the unit that bursts are told in. */
const TICK = 64e-9

function removeRoot(rtnl: RtnlSocket, link: number, root: Qdisc | undefined): void {
  if (root !== undefined && isOurs(root)) qdiscDel(rtnl, { link, parent: TC_ROOT })
}

function rootOf(rtnl: RtnlSocket, link: number): Qdisc | undefined {
  return qdiscList(rtnl, { link }).find(({ parent }) => parent === TC_ROOT)
}
