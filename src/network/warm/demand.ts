/**
 * How many ports are likely to be asked for in the time that it takes to make more: what was asked for in the last minutes, the latest
 * counting most. Pure; the caller brings the clock.
 * @module
 */

/** So long after a lease it counts half, in milliseconds. */
const HALF_LIFE_MS = 60_000
/** What has to be bridged: a call to Neutron, and its objects on their way to the node. */
const LEAD_MS = 15_000
/** Leases a minute at most that more are prepared for: what came at once will not come so again and again. */
const MOST = 60

/** What is remembered of a pool's past. */
export interface Demand {
  /** Leases, weighed by their age. */
  readonly weight: number
  /** Milliseconds since whenever. */
  readonly at: number
}

/** Nothing was asked for yet. */
export const NO_DEMAND: Demand = { weight: 0, at: 0 }

/** After so many more leases. */
export function demandAfter(before: Demand, leases: number, at: number): Demand {
  return { weight: weightAt(before, at) + leases, at }
}

/** So many are likely to be asked for while more are made. */
export function expectedDemand(demand: Demand, at: number): number {
  const perMinute = Math.min(MOST, (weightAt(demand, at) * Math.LN2 * 60_000) / HALF_LIFE_MS)
  const expected = (perMinute * LEAD_MS) / 60_000
  // A single pod that comes now and then is what `min` is for.
  return expected < 1 ? 0 : expected
}

function weightAt({ weight, at }: Demand, now: number): number {
  return weight * 0.5 ** (Math.max(0, now - at) / HALF_LIFE_MS)
}
