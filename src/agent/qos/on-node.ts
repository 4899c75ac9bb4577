/**
 * Shaping what a pod sends on the node, out of the pod's reach: what arrives on the node's end of its link is led through one
 * link of ours (an ifb), where each pod has a class, and goes on from there as if it had just arrived. The kernel's
 * datapath sees it only then.
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
  TC_INGRESS,
  TC_INGRESS_FILTERS,
  tcHandle,
} from '../../linux/index.ts'
import type { Lease } from '../attach/lease.ts'
import type { SenderSide } from './shaper.ts'
import { classOf, DRAIN, ensureHtb, OUR_MAJOR, type Outcome, setClass } from './tc.ts'

/** The link that limited pods' packets pass. */
export const DETOUR = 'weft-shape'
/** The order of our filter among others'; it tells ours. */
const PRIORITY = OUR_MAJOR
/** What no class is named for is not held up. */
const NO_CLASS = 0

/** Shapes what pods send on the node. */
export function onNode(rtnl: RtnlSocket): SenderSide {
  return {
    set: (lease, outside, bucket, { force = false }) => {
      if (bucket === undefined) {
        removeDetour(rtnl, outside)
        const detour = linkFind(rtnl, DETOUR)
        return detour === undefined ? 'settled' : removeClass(rtnl, detour.index, handleOf(lease), force)
      }
      const detour = ensureDetour(rtnl)
      setClass(rtnl, detour, { minor: lease.endpoint.ofport, bucket })
      leadThrough(rtnl, outside, detour, lease.endpoint.ofport)
      return 'settled'
    },
    standing: (lease, outside) => {
      const detour = linkFind(rtnl, DETOUR)
      if (detour === undefined || !isLed(rtnl, outside, detour.index, lease.endpoint.ofport)) return undefined
      const found = classOf(rtnl, detour.index, lease.endpoint.ofport)
      return found?.data === undefined ? undefined : { rate: found.data.ceil, bytes: found.counters?.bytes ?? 0n }
    },
    sweep: (standing) => {
      const detour = linkFind(rtnl, DETOUR)
      if (detour === undefined) return
      const held = new Set(standing.map(({ endpoint: { ofport } }) => tcHandle(OUR_MAJOR, ofport)))
      for (const { handle } of classList(rtnl, detour.index))
        if (!held.has(handle)) removeClass(rtnl, detour.index, handle)
    },
  }
}

function ensureDetour(rtnl: RtnlSocket): number {
  const found = linkFind(rtnl, DETOUR)
  const link = found ?? linkAdd(rtnl, { kind: 'ifb', name: DETOUR, alias: 'weft' })
  if (!link.up) linkSet(rtnl, link.index, { up: true })
  ensureHtb(rtnl, link.index, NO_CLASS)
  return link.index
}

function leadThrough(rtnl: RtnlSocket, outside: number, detour: number, ofport: number): void {
  if (isLed(rtnl, outside, detour, ofport)) return
  const place = { link: outside, parent: TC_INGRESS_FILTERS, priority: PRIORITY }
  if (!qdiscList(rtnl, { link: outside }).some(({ kind }) => kind === 'clsact')) {
    qdiscDel(rtnl, { link: outside, parent: TC_INGRESS })
    qdiscAdd(rtnl, { link: outside, kind: 'clsact' })
  }
  filterDel(rtnl, place)
  const actions = { redirect: detour, setPriority: tcHandle(OUR_MAJOR, ofport) }
  filterAdd(rtnl, { ...place, kind: 'u32', actions })
}

function isLed(rtnl: RtnlSocket, outside: number, detour: number, ofport: number): boolean {
  const [ours, ...more] = filterList(rtnl, { link: outside, parent: TC_INGRESS_FILTERS }).filter(
    ({ priority }) => priority === PRIORITY,
  )
  const { redirect, setPriority } = ours?.actions ?? {}
  return more.length === 0 && redirect === detour && setPriority === tcHandle(OUR_MAJOR, ofport)
}

function removeDetour(rtnl: RtnlSocket, outside: number): void {
  if (filterDel(rtnl, { link: outside, parent: TC_INGRESS_FILTERS, priority: PRIORITY })) {
    // Others' filters would go with it.
    if (filterList(rtnl, { link: outside, parent: TC_INGRESS_FILTERS }).length === 0) {
      qdiscDel(rtnl, { link: outside, parent: TC_INGRESS })
    }
  }
}

/** What waits in a class leaves first, as fast as it can. */
function removeClass(rtnl: RtnlSocket, detour: number, handle: number, force = false): Outcome {
  const found = classList(rtnl, detour).find((one) => one.handle === handle)
  if (found === undefined) return 'settled'
  if (!force && (found.counters?.backlog ?? 0) > 0) {
    setClass(rtnl, detour, { minor: handle % 0x10000, bucket: DRAIN })
    return 'draining'
  }
  classDel(rtnl, { link: detour, handle })
  return 'settled'
}

function handleOf({ endpoint }: Lease): number {
  return tcHandle(OUR_MAJOR, endpoint.ofport)
}
