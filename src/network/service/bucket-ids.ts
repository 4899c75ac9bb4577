/**
 * Numbers for the buckets of a group.
 * @module
 */
import { hash32 } from '../pipeline/stable-ids.ts'

/** OpenFlow's largest bucket number is 0xffffff00; we stay in the lower half. */
const MASK = 0x7fffffff

/** A number for each of these names, which are all different. A name has the same whoever else is there, but for rare collisions. */
export function bucketIds(names: readonly string[]): readonly number[] {
  const taken = new Set<number>()
  return names.map((name) => {
    let id = hash32(name) & MASK
    while (taken.has(id)) id = (id + 1) & MASK
    taken.add(id)
    return id
  })
}
