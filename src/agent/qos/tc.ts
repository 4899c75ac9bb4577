/**
 * A bucket on a link: what the kernel has of it, and how it becomes what it should be. Ours is told from others' by its
 * handle. What is right is left alone, and a change loses nothing that waits.
 *
 * The bucket is an `htb` class. A `tbf` would do as well, but for edits: a segment that waits in it and is larger than a
 * new, smaller bucket never gets out, and everything waits behind it.
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

/** What a class may send at once of the little that it is sure of, in bytes. */
const SHARE_BURST = 3_000

/** Whether a qdisc is ours. */
export function isOurs({ handle }: Pick<Qdisc, 'handle'>): boolean {
  return handle === tcHandle(OUR_MAJOR, 0)
}

/** A bucket as the kernel has it: its rate in bit/s, and the bytes that passed it. */
export interface Standing {
  readonly rate: number
  readonly bytes: bigint
}

/** Whether a link is as asked for, or still lets go what waits. */
export type Outcome = 'settled' | 'draining'

/**
 * Makes a link's root a hierarchical token bucket with one class for everything, or takes ours away: not before what
 * waits in it has left, which it may do at once then. `force` takes it away with what waits.
 */
export function setBucket(rtnl: RtnlSocket, link: number, bucket: Bucket | undefined, force = false): Outcome {
  if (bucket === undefined) return takeAway(rtnl, link, force)
  ensureHtb(rtnl, link, ONLY_CLASS)
  setClass(rtnl, link, { minor: ONLY_CLASS, bucket })
  return 'settled'
}

/** A link's only class; undefined where there is none of ours. */
export function bucketIn(rtnl: RtnlSocket, link: number): Standing | undefined {
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
  /** Others hang below it: it has no queue. */
  readonly isInner?: boolean
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
  const { minor, parent = 0, bucket, share = bucket.rate, isInner = false } = wish
  const handle = tcHandle(OUR_MAJOR, minor)
  const found = classOf(rtnl, link, minor)
  if (!isClass(found, wish)) {
    classReplace(rtnl, {
      link,
      parent: tcHandle(OUR_MAJOR, parent),
      handle,
      rate: share,
      ceil: bucket.rate,
      burst: share === bucket.rate ? bucket.burst : Math.min(bucket.burst, SHARE_BURST),
      cburst: bucket.burst,
      quantum: QUANTUM,
    })
  }
  if (isInner) return
  const queue = qdiscList(rtnl, { link }).find((one) => one.parent === handle)
  if (queue?.data?.kind === 'bfifo' && queue.data.limit === bucket.limit) return
  if (queue !== undefined && queue.kind !== 'bfifo') qdiscDel(rtnl, { link, parent: handle })
  qdiscReplace(rtnl, { link, parent: handle, kind: 'bfifo', limit: bucket.limit })
}

/** A class of our htb, if it is there. */
export function classOf(rtnl: RtnlSocket, link: number, minor: number): TrafficClass | undefined {
  return classList(rtnl, link).find(({ handle }) => handle === tcHandle(OUR_MAJOR, minor))
}

function takeAway(rtnl: RtnlSocket, link: number, force: boolean): Outcome {
  const root = rootOf(rtnl, link)
  if (root === undefined || !isOurs(root)) return 'settled'
  const waiting = force ? 0 : (root.counters?.backlog ?? 0)
  if (waiting > 0) {
    setClass(rtnl, link, { minor: ONLY_CLASS, bucket: { ...DRAIN, limit: Math.max(DRAIN.limit, waiting) } })
    return 'draining'
  }
  qdiscDel(rtnl, { link, parent: TC_ROOT })
  return 'settled'
}

/** As good as no limit. */
export const DRAIN: Bucket = { rate: 1e12, burst: 1 << 24, limit: 1 << 25 }

/** The kernel rounds a burst to what its time can tell. */
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

function rootOf(rtnl: RtnlSocket, link: number): Qdisc | undefined {
  return qdiscList(rtnl, { link }).find(({ parent }) => parent === TC_ROOT)
}
