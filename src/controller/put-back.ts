/**
 * What a node keeps of its ranges when others meddle with its network: pods live in the ranges that it had, so those
 * come first.
 * @module
 */
import { type Cidr, familyOf } from '../network/model/address.ts'
import type { NodeNetwork } from '../network/model/node.ts'
import type { Notice } from './write.ts'

/**
 * Of all ranges that a node may keep, those of each family that it does: the remembered ones with those recorded that a write of
 * ours may have brought, of which nobody told; otherwise the recorded ones; otherwise one that a write on its way may bring.
 */
export function rangesToKeep(
  held: readonly Cidr[],
  remembered: readonly Cidr[],
  recorded: readonly Cidr[],
  pending: readonly Cidr[] = [],
): readonly Cidr[] {
  return Object.values(Object.groupBy(held, familyOf)).flatMap((family: readonly Cidr[]) => {
    const had = remembered.filter((range) => family.includes(range))
    const has = recorded.filter((range) => family.includes(range))
    if (had.length > 0) return [...new Set([...had, ...has.filter((range) => pending.includes(range))])]
    return has.length > 0 ? has : family.slice(0, 1)
  })
}

/** Says what is put back, when that is not what the record says; undefined when nothing is. */
export function putBackNotice(
  { ranges, problem }: NodeNetwork,
  remembered: readonly Cidr[],
  record: NodeNetwork,
): Notice | undefined {
  const before = record.ranges
  const own = ranges.filter((range) => remembered.includes(range))
  if (own.every((range) => before.includes(range))) return undefined
  // One that was deleted is there again without ranges by now.
  const deed = before.length === 0 ? 'was deleted or emptied' : `was changed to ${before.join(', ')}`
  return {
    code: 'NODE_NETWORK_PUT_BACK',
    message: `the node's network ${deed} while its pods live in ${own.join(', ')}, which is put back${
      problem === undefined ? '' : `; ${problem}`
    }`,
    remedy: 'leave its ranges to the controller',
  }
}
