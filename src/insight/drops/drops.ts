/**
 * What was dropped, why, and on whose account.
 * @module
 */
import type { DropFlow, InstalledFlow, NodeFacts } from '../../agent/control/facts.ts'
import type { Fragment } from '../../network/fragments/fragment.ts'
import { parseCookie } from '../../network/pipeline/cookie.ts'
import { DROPS, type Drop, type DropName, dropByCode } from '../../network/pipeline/drops.ts'
import { titlesByHash } from '../view.ts'

/** Packets dropped on one node, for one reason, by the flows of one object. */
export interface DropCount {
  readonly node: string
  /** Absent: the overlay's. */
  readonly bridge?: string
  readonly reason: DropName
  /** Title of the object, as `pod shop/web`. */
  readonly object: string
  readonly packets: bigint
  readonly bytes: bigint
}

/** Counts of a node, on every bridge: of what its facts have, or of newer flows that drop. */
export function countNode(facts: NodeFacts, flows: readonly DropFlow[] = flowsOf(facts)): readonly DropCount[] {
  const { status, fragments, wires } = facts
  const own = flows.filter(({ bridge }) => bridge === undefined)
  return [
    ...countDrops(status.node, own, fragments),
    ...wires.flatMap((wire) =>
      countDrops(
        status.node,
        flows.filter(({ bridge }) => bridge === wire.bridge),
        wire.fragments,
      ).map((count) => ({ ...count, bridge: wire.bridge })),
    ),
  ].sort(byPackets)
}

function flowsOf({ installed, wires }: NodeFacts): readonly DropFlow[] {
  return [...installed, ...wires.flatMap(({ bridge, installed: flows }) => flows.map((one) => ({ ...one, bridge })))]
}

/** Counts of a bridge's drop flows, one per reason and object, the most packets first. */
export function countDrops(
  node: string,
  flows: readonly InstalledFlow[],
  fragments: readonly Fragment[],
): readonly DropCount[] {
  const titles = titlesByHash(fragments)
  const counts = new Map<string, DropCount>()
  for (const { flow, packets, bytes } of flows) {
    const parts = parseCookie(flow.cookie)
    const reason = dropByCode(parts?.dropCode ?? 0)
    if (parts === undefined || reason === undefined) continue
    const object = titles.get(parts.hash) ?? 'an object that is gone'
    const key = `${reason} ${object}`
    const before = counts.get(key)
    counts.set(key, {
      node,
      reason,
      object,
      packets: (before?.packets ?? 0n) + packets,
      bytes: (before?.bytes ?? 0n) + bytes,
    })
  }
  return [...counts.values()].sort(byPackets)
}

/** Whether a reason is ordinary noise. */
export function isBenign(reason: DropName): boolean {
  const drop: Drop = DROPS[reason]
  return drop.benign === true
}

/**
 * What came in addition since an earlier count. A flow that was installed anew counts from zero: then all it has is
 * new.
 */
export function increments(before: readonly DropCount[], after: readonly DropCount[]): readonly DropCount[] {
  const earlier = new Map(before.map((count) => [identity(count), count]))
  return after.flatMap((count) => {
    const old = earlier.get(identity(count))
    const since = old === undefined || count.packets < old.packets ? undefined : old
    const packets = count.packets - (since?.packets ?? 0n)
    if (packets === 0n) return []
    return [{ ...count, packets, bytes: count.bytes - (since?.bytes ?? 0n) }]
  })
}

/** Whether the flows name an object that these fragments do not have: the fragments are out of date. */
export function namesStrangers(flows: readonly InstalledFlow[], fragments: readonly Fragment[]): boolean {
  const titles = titlesByHash(fragments)
  return flows.some(({ flow }) => {
    const parts = parseCookie(flow.cookie)
    return parts !== undefined && !titles.has(parts.hash)
  })
}

function identity({ node, bridge, reason, object }: DropCount): string {
  return JSON.stringify([node, bridge, reason, object])
}

/** The most packets first. */
export function byPackets(a: DropCount, b: DropCount): number {
  if (a.packets !== b.packets) return a.packets > b.packets ? -1 : 1
  return a.reason === b.reason ? 0 : a.reason < b.reason ? -1 : 1
}
