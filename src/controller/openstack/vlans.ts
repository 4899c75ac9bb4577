/**
 * Which VLANs of a trunk are free. Pure.
 * @module
 */

const LAST = 4094

/** So many free ones, the lowest first; fewer where there are no more. 1 is what untagged packets have in many switches: it comes last. */
export function freeVlans(taken: Iterable<number>, n: number): readonly number[] {
  const busy = new Set(taken)
  const free: number[] = []
  for (let vlan = 2; vlan <= LAST && free.length < n; vlan += 1) if (!busy.has(vlan)) free.push(vlan)
  if (free.length < n && !busy.has(1)) free.push(1)
  return free
}
