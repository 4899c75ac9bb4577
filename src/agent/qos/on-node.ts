/**
 * Shaping on the node, out of the pod's reach: what passes the node's end of a pod's link is led through a link of ours (an
 * ifb) on its way, where each pod has a class below its namespace's, and goes on from there as if nothing had been. Only
 * the kernel's own datapath sees packets after that. What pods receive takes a detour for their namespace's total only:
 * their own limit waits at their own link.
 * @module
 */
import {
  classDel,
  classList,
  filterAdd,
  filterDel,
  filterList,
  linkAdd,
  linkFind,
  linkSet,
  qdiscAdd,
  qdiscDel,
  qdiscList,
  type RtnlSocket,
  TC_EGRESS_FILTERS,
  TC_INGRESS,
  TC_INGRESS_FILTERS,
  TC_ROOT,
  tcHandle,
} from '../../linux/index.ts'
import { DIRECTIONS, type Direction } from '../../network/model/bandwidth.ts'
import { FIRST_ENDPOINT_PORT } from '../../network/pipeline/stages.ts'
import { type Bucket, bucketOf } from '../../network/qos/shaping.ts'
import type { Lease } from '../attach/lease.ts'
import type { Group, SenderSide } from './shaper.ts'
import { classOf, DRAIN, ensureHtb, OUR_MAJOR, type Outcome, setClass } from './tc.ts'

/** The links that packets take their detour through, and where on a pod's link it begins. */
export const DETOURS = {
  fromPod: { name: 'weft-shape', parent: TC_INGRESS_FILTERS },
  toPod: { name: 'weft-shape-to', parent: TC_EGRESS_FILTERS },
} as const satisfies { readonly [D in Direction]: { readonly name: string; readonly parent: number } }
/** The order of our filter among others'; it tells ours. */
export const PRIORITY = OUR_MAJOR
/** What no class is named for is not held up. */
const NO_CLASS = 0
/** What a pod is sure of within its namespace's total, in bit/s: next to nothing, so that all share what there is. */
const SHARE = 8_000
/** The group of a pod whose namespace is not told. */
const EVERYBODY: Group = { number: 1, limits: {} }

/** Shapes what pods send on the node, and what namespaces send and receive there. */
export function onNode(rtnl: RtnlSocket): SenderSide {
  return {
    set: (lease, outside, bucket, { group = EVERYBODY, force = false }) => {
      const outcomes = DIRECTIONS.map((direction) => {
        const own = direction === 'fromPod' ? bucket : undefined
        return lead(rtnl, { direction, lease, outside, own, group, force })
      })
      return outcomes.includes('draining') ? 'draining' : 'settled'
    },
    standing: (lease, outside) => {
      const detour = linkFind(rtnl, DETOURS.fromPod.name)
      if (detour === undefined || !isLed(rtnl, 'fromPod', outside, detour.index, lease)) return undefined
      return standingOf(rtnl, detour.index, lease.endpoint.ofport)
    },
    total: (direction, number) => {
      const detour = linkFind(rtnl, DETOURS[direction].name)
      return detour === undefined ? undefined : standingOf(rtnl, detour.index, number)
    },
    sweep: (standing) => {
      const held = new Set(standing.map(handleOf))
      for (const { name } of Object.values(DETOURS)) {
        const detour = linkFind(rtnl, name)
        if (detour !== undefined) sweep(rtnl, detour.index, held)
      }
    },
  }
}

interface Leading {
  readonly direction: Direction
  readonly lease: Lease
  readonly outside: number
  /** The pod's own limit. */
  readonly own: Bucket | undefined
  readonly group: Group
  readonly force: boolean
}

function lead(rtnl: RtnlSocket, { direction, lease, outside, own, group, force }: Leading): Outcome {
  const total = group.limits?.[direction]
  const found = linkFind(rtnl, DETOURS[direction].name)
  const isLedNow = found !== undefined && isLed(rtnl, direction, outside, found.index, lease)
  if (own === undefined && total === undefined) {
    // Before namespaces have been read, what stands stays.
    if (isLedNow && group.limits === undefined) return 'settled'
    removeFilter(rtnl, direction, outside)
    return found === undefined ? 'settled' : removeClass(rtnl, found.index, handleOf(lease), force)
  }
  const detour = ensureDetour(rtnl, direction)
  const bucket = total === undefined ? undefined : bucketOf(total, lease.mtu)
  if (group.limits !== undefined || classOf(rtnl, detour, group.number) === undefined) {
    setClass(rtnl, detour, { minor: group.number, bucket: bucket ?? DRAIN, isInner: true })
  }
  moveTo(rtnl, detour, lease, group)
  const ceiling = own ?? bucket ?? DRAIN
  setClass(rtnl, detour, { minor: lease.endpoint.ofport, parent: group.number, bucket: ceiling, share: SHARE })
  if (!isLedNow) putFilter(rtnl, direction, outside, detour, lease)
  return 'settled'
}

/** A class stays where it was born: below another group it is born anew. */
function moveTo(rtnl: RtnlSocket, detour: number, lease: Lease, { number }: Group): void {
  const found = classOf(rtnl, detour, lease.endpoint.ofport)
  if (found === undefined || found.parent === tcHandle(OUR_MAJOR, number)) return
  classDel(rtnl, { link: detour, handle: handleOf(lease) })
}

function ensureDetour(rtnl: RtnlSocket, direction: Direction): number {
  const { name } = DETOURS[direction]
  const link = linkFind(rtnl, name) ?? linkAdd(rtnl, { kind: 'ifb', name, alias: 'weft' })
  if (!link.up) linkSet(rtnl, link.index, { up: true })
  ensureHtb(rtnl, link.index, NO_CLASS)
  return link.index
}

function putFilter(rtnl: RtnlSocket, direction: Direction, outside: number, detour: number, lease: Lease): void {
  const place = { link: outside, parent: DETOURS[direction].parent, priority: PRIORITY }
  if (!qdiscList(rtnl, { link: outside }).some(({ kind }) => kind === 'clsact')) {
    qdiscDel(rtnl, { link: outside, parent: TC_INGRESS })
    qdiscAdd(rtnl, { link: outside, kind: 'clsact' })
  }
  filterDel(rtnl, place)
  filterAdd(rtnl, { ...place, kind: 'u32', actions: { redirect: detour, setPriority: handleOf(lease) } })
}

function isLed(rtnl: RtnlSocket, direction: Direction, outside: number, detour: number, lease: Lease): boolean {
  const all = filterList(rtnl, { link: outside, parent: DETOURS[direction].parent })
  const [ours, ...more] = all.filter(({ priority }) => priority === PRIORITY)
  const { redirect, setPriority } = ours?.actions ?? {}
  return more.length === 0 && redirect === detour && setPriority === handleOf(lease)
}

function removeFilter(rtnl: RtnlSocket, direction: Direction, outside: number): void {
  const { parent } = DETOURS[direction]
  const ours = filterList(rtnl, { link: outside, parent }).find(({ priority }) => priority === PRIORITY)
  // One that only marks is for the uplink's shares.
  if (ours === undefined || (ours.actions !== undefined && ours.actions.redirect === undefined)) return
  filterDel(rtnl, { link: outside, parent, priority: PRIORITY })
  // Others' filters would go with it.
  const rest = Object.values(DETOURS).flatMap((one) => filterList(rtnl, { link: outside, parent: one.parent }))
  if (rest.length === 0) qdiscDel(rtnl, { link: outside, parent: TC_INGRESS })
}

/** What waits in a class leaves first, as fast as it can. */
function removeClass(rtnl: RtnlSocket, detour: number, handle: number, force = false): Outcome {
  const found = classList(rtnl, detour).find((one) => one.handle === handle)
  if (found === undefined) return 'settled'
  if (!force && (found.counters?.backlog ?? 0) > 0) {
    const parent = found.parent === TC_ROOT ? 0 : found.parent % 0x10000
    setClass(rtnl, detour, { minor: handle % 0x10000, parent, bucket: DRAIN, share: SHARE })
    return 'draining'
  }
  classDel(rtnl, { link: detour, handle })
  return 'settled'
}

/** Classes of endpoints that are gone go, and then those of namespaces without endpoints. */
function sweep(rtnl: RtnlSocket, detour: number, held: ReadonlySet<number>): void {
  for (const { handle } of classList(rtnl, detour)) {
    if (handle % 0x10000 >= FIRST_ENDPOINT_PORT && !held.has(handle)) removeClass(rtnl, detour, handle)
  }
  const left = classList(rtnl, detour)
  const parents = new Set(left.map(({ parent }) => parent))
  for (const { handle } of left) {
    if (handle % 0x10000 < FIRST_ENDPOINT_PORT && !parents.has(handle)) classDel(rtnl, { link: detour, handle })
  }
}

function standingOf(rtnl: RtnlSocket, detour: number, minor: number) {
  const found = classOf(rtnl, detour, minor)
  // One without a total lets everything pass.
  if (found?.data === undefined || found.data.ceil === DRAIN.rate) return undefined
  return { rate: found.data.ceil, bytes: found.counters?.bytes ?? 0n }
}

function handleOf({ endpoint }: Lease): number {
  return tcHandle(OUR_MAJOR, endpoint.ofport)
}
