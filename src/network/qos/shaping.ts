/**
 * How an endpoint is held to its limits: token buckets that delay what is too much, one for each direction, and a policer
 * behind the one that stands where the pod might reach it. Rates are of layer 2: what the interface's own counters count.
 * @module
 */
import type { Meter } from '../../flow/flow.ts'
import type { Direction, Limits } from '../model/bandwidth.ts'
import type { Endpoint } from '../model/endpoint.ts'

/** A token bucket: `rate` in bit/s; `burst`, what may pass at once after a silence, and `limit`, what may wait, in bytes. */
export interface Bucket {
  readonly rate: number
  readonly burst: number
  readonly limit: number
}

/** What shapes one endpoint. */
export interface Shaping {
  /** `qos/<container>/<interface>`. */
  readonly key: string
  /** For people: `pod shop/web-1`. */
  readonly title: string
  /** The node's end of its veth pair. */
  readonly link: string
  readonly buckets: { readonly [D in Direction]?: Bucket }
}

/** The shaping of an endpoint whose node's end is `link` and whose interface has this MTU; none where it has no limits. */
export function shapingOf(endpoint: Endpoint, link: string, mtu: number): Shaping | undefined {
  const { toPod, fromPod } = endpoint.limits ?? {}
  if (toPod === undefined && fromPod === undefined) return undefined
  return {
    key: `qos/${endpoint.id}`,
    title: `pod ${endpoint.namespace}/${endpoint.pod}`,
    link,
    buckets: {
      ...(toPod === undefined ? {} : { toPod: bucketOf(toPod, mtu) }),
      ...(fromPod === undefined ? {} : { fromPod: bucketOf(fromPod, mtu) }),
    },
  }
}

/**
 * The bucket of a rate.
 *
 * The burst is 200 ms of it, so that ten seconds are true to two percent and a sender that gets no processor for a while
 * catches up; but never less than two frames, and no more than a few segments of 64 KiB (TSO), one of which has to
 * fit. From 2 Gbit/s on a millisecond has to: a timer may be that late.
 */
export function bucketOf(rate: number, mtu: number): Bucket {
  const perSecond = rate / 8
  const frame = mtu + ETHERNET_HEADER
  const burst = Math.max(2 * frame, Math.min(perSecond / 5, SEGMENTS), Math.min(perSecond / 1_000, MOST_BURST))
  const queue = Math.max(FRAMES_WAITING * frame, Math.min(perSecond / 5, MOST_QUEUE), burst)
  return { rate, burst: Math.ceil(burst), limit: Math.ceil(queue) }
}

/**
 * The policer of what an endpoint sends, should somebody take its shaper away: a little above the rate, so that it never
 * has a word while the shaper stands. Its number is the port's.
 */
export function policerOf({ ofport, limits = {} }: Pick<Endpoint, 'ofport' | 'limits'>): Meter | undefined {
  if (limits.fromPod === undefined) return undefined
  const rate = Math.ceil((limits.fromPod * POLICER_SLACK) / 1_000)
  return rate > MOST_METER ? undefined : { id: ofport, unit: 'kbps', rate, burst: Math.max(rate, LEAST_POLICER_BURST) }
}

/** Whether nothing is limited. */
export function isUnlimited({ toPod, fromPod }: Limits): boolean {
  return toPod === undefined && fromPod === undefined
}

const ETHERNET_HEADER = 14
const SEGMENTS = 4 * 65_536
const MOST_BURST = 1 << 24
const MOST_QUEUE = 1 << 25
/** A queue shorter than a window's beginning would make TCP stumble. */
const FRAMES_WAITING = 40
const POLICER_SLACK = 1.1
/** Kilobits: a pod may send a few segments at once. */
const LEAST_POLICER_BURST = 2_000
/** Meters count kilobits per second in 32 bits. */
const MOST_METER = 0xffffffff
