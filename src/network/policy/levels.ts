/**
 * At which priority a rule is matched. Rules that are ordered each have a place of their own in their table; rules of
 * NetworkPolicies all count alike.
 * @module
 */
import { comparePolicies, DIRECTIONS, type Direction, type Policy, policyKey } from '../model/policy.ts'
import type { StageName } from '../pipeline/stages.ts'

/** Where rules are matched: rules of one level count alike. */
export interface Level {
  readonly stage: StageName
  readonly priority: number
  readonly direction: Direction
}

/** Places for each of the priorities 0–1000. A policy with more rules takes some of the next one's. */
const PLACES_EACH = 48
/** The place that counts first has this priority in the switch; the others follow. */
const FIRST = 60_000
/** All that come after this one share it, and deny: of more rules than there are places nobody knows which counts first. */
const LAST = 1_000

/** Priorities around those of ordered rules, in the tables of namespaces' policies. */
export const PRIORITY = { pending: 65_500, anybody: 65_000, allowed: 64_000, isolated: 63_000 } as const

/** The priority of a place among ordered rules, of which the one at 0 counts first. */
export function priorityOf(place: number): number {
  return Math.max(LAST, FIRST - place)
}

/** Whether rules of a level have no place of their own any more. */
export function isBeyondAll({ priority }: Level): boolean {
  return priority <= LAST
}

/** The table of a tier's rules. */
function stageOf(tier: 'admin' | 'namespace' | 'baseline', direction: Direction): StageName {
  if (tier !== 'admin') return direction
  return direction === 'egress' ? 'egressAdmin' : 'ingressAdmin'
}

/** The stages that decide about a direction, in order. */
export function stagesOf(direction: Direction): readonly StageName[] {
  return [stageOf('admin', direction), stageOf('namespace', direction)]
}

/** Where rules that all count alike are matched. */
export function levelOfNamespaces(direction: Direction): Level {
  return { stage: stageOf('namespace', direction), priority: PRIORITY.allowed, direction }
}

/** Where the rules of the ordered tiers are matched. */
export class Places {
  #first: ReadonlyMap<string, number> = new Map()

  /** Takes the policies there are; returns the keys of those whose rules moved. */
  arrange(policies: Iterable<Policy>): readonly string[] {
    const before = this.#first
    const now = new Map<string, number>()
    const all = [...policies]
    for (const tier of ['admin', 'baseline'] as const) {
      for (const direction of DIRECTIONS) {
        let next = 0
        for (const policy of all.filter((one) => one.tier === tier).sort(comparePolicies)) {
          const place = Math.max(next, policy.priority * PLACES_EACH)
          now.set(`${direction} ${policyKey(policy)}`, place)
          next = place + (policy[direction]?.length ?? 0)
        }
      }
    }
    this.#first = now
    const moved = [...now].flatMap(([key, place]) =>
      before.get(key) === place ? [] : [key.slice(key.indexOf(' ') + 1)],
    )
    return [...new Set(moved)]
  }

  /** The level of a policy's rule in an ordered tier. */
  levelOf(policy: Policy, tier: 'admin' | 'baseline', direction: Direction, index: number): Level {
    const place = (this.#first.get(`${direction} ${policyKey(policy)}`) ?? 0) + index
    return { stage: stageOf(tier, direction), priority: priorityOf(place), direction }
  }
}
