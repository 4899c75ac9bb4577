/**
 * Which VLANs of a trunk are free, and who gets which. Pure.
 * @module
 */
import type { Subport } from '../../openstack/neutron/model.ts'

const LAST = 4094

/** So many free ones, the lowest first; fewer where there are no more. 1 is what untagged packets have in many switches: it comes last. */
export function freeVlans(taken: Iterable<number>, n: number): readonly number[] {
  const busy = new Set(taken)
  const free: number[] = []
  for (let vlan = 2; vlan <= LAST && free.length < n; vlan += 1) if (!busy.has(vlan)) free.push(vlan)
  if (free.length < n && !busy.has(1)) free.push(1)
  return free
}

/** A port, and the VLAN that is written down for it; absent: any will do. */
export interface WantedVlan {
  readonly portId: string
  readonly vlan?: number
}

/** How a trunk comes to have all ports that it can have. */
export interface VlanPlan {
  /** Ports that are there with another VLAN than is written down: they are taken off first. */
  readonly misplaced: readonly string[]
  readonly added: readonly { readonly portId: string; readonly vlan: number }[]
  /** VLANs of the ports that are on the trunk then. */
  readonly fitting: ReadonlyMap<string, number>
  /** Ports whose VLAN somebody else has. They get no other one: a pod may go on with the one that it knows. */
  readonly lost: readonly Required<WantedVlan>[]
  /** There is no VLAN for some of them. */
  readonly isFull: boolean
}

/** What is to be done that ports are on a trunk. */
export function planVlans(wanted: readonly WantedVlan[], there: readonly Subport[]): VlanPlan {
  const present = new Map(there.map(({ portId, vlan }) => [portId, vlan]))
  const isMisplaced = ({ portId, vlan }: WantedVlan): boolean =>
    vlan !== undefined && present.has(portId) && present.get(portId) !== vlan
  const misplaced = wanted.filter(isMisplaced).map(({ portId }) => portId)
  for (const portId of misplaced) present.delete(portId)
  const taken = new Set(present.values())
  const missing = wanted.filter(({ portId }) => !present.has(portId))
  const added: { readonly portId: string; readonly vlan: number }[] = []
  const lost: Required<WantedVlan>[] = []
  for (const { portId, vlan } of missing) {
    if (vlan === undefined) continue
    if (taken.has(vlan)) lost.push({ portId, vlan })
    else added.push({ portId, vlan })
    taken.add(vlan)
  }
  const news = missing.filter(({ vlan }) => vlan === undefined)
  const free = freeVlans(taken, news.length)
  for (const [index, vlan] of free.entries()) {
    const one = news[index]
    if (one !== undefined) added.push({ portId: one.portId, vlan })
  }
  const fitting = new Map([...present, ...added.map(({ portId, vlan }) => [portId, vlan] as const)])
  return { misplaced, added, fitting, lost, isFull: free.length < news.length }
}
