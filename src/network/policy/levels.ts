/**
 * At which priority a rule is matched. Rules of the cluster's own tiers have a place of their own each; those of the
 * namespaces' tier that follow each other and do the same count alike, and share one: all rules of NetworkPolicies do.
 * @module
 */
import { comparePolicies, DIRECTIONS, type Direction, type Policy, policyKey } from '../model/policy.ts'
import type { StageName } from '../pipeline/stages.ts'
import { actsOf, type Layer, layersOf } from './layers.ts'

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

/**
 * Priorities around those of ordered rules, in the tables of namespaces' policies: `allowed` is that of NetworkPolicies'
 * rules. What Calico's policies say before them is above it, and what they say after them below.
 */
export const PRIORITY = { pending: 65_500, first: 65_000, allowed: 33_000, last: 1_000, isolated: 900 } as const

/** The priority of a place among ordered rules, of which the one at 0 counts first. */
export function priorityOf(place: number): number {
  return Math.max(LAST, FIRST - place)
}

/** Whether rules of a level have no place of their own any more. */
export function isBeyondAll({ stage, priority }: Level): boolean {
  return isOfNamespaces(stage) ? priority >= PRIORITY.first || priority <= PRIORITY.last : priority <= LAST
}

/** The table of a tier's rules. */
function stageOf(tier: 'admin' | 'namespace' | 'baseline', direction: Direction): StageName {
  if (tier === 'admin') return direction === 'egress' ? 'egressAdmin' : 'ingressAdmin'
  if (tier === 'baseline') return direction === 'egress' ? 'egressBaseline' : 'ingressBaseline'
  return direction
}

function isOfNamespaces(stage: StageName): boolean {
  return stage === 'egress' || stage === 'ingress'
}

/** The stages that decide about a direction before the baseline does, in order. */
export function stagesOf(direction: Direction): readonly StageName[] {
  return [stageOf('admin', direction), stageOf('namespace', direction)]
}

/** Where what this stage does not decide, or passes on, goes on. */
export function stageAfter(stage: StageName, direction: Direction): StageName {
  if (stage === stageOf('admin', direction)) return stageOf('namespace', direction)
  return stage === stageOf('namespace', direction) ? stageOf('baseline', direction) : finalStage(direction)
}

/** Where an allowed connection goes on. */
export function finalStage(direction: Direction): StageName {
  return direction === 'egress' ? 'route' : 'commit'
}

/** Whether a policy's rules have places that depend on other policies. */
export function hasPlaces({ tier, kind }: Policy): boolean {
  return tier !== 'firewall' && kind !== 'NetworkPolicy'
}

/** Whether no rule is matched elsewhere, of whatever policy, where a policy takes the place of what it was before. */
export function isPlacedAlike(before: Policy, after: Policy): boolean {
  return placingOf(before) === placingOf(after)
}

function placingOf(policy: Policy): string {
  const { kind, tier, priority, order, subject } = policy
  const namespace = 'name' in subject.namespaces ? subject.namespaces.name : undefined
  const acts = DIRECTIONS.map((direction) => policy[direction]?.map((rule) => actsOf(rule, policy) ?? 'nothing'))
  return JSON.stringify([policyKey(policy), kind, tier, priority, order, namespace, acts])
}

/** Where the rules of the ordered tiers are matched. */
export class Places {
  #first: ReadonlyMap<string, number> = new Map()
  #layers: ReadonlyMap<string, Layer> = new Map()

  /** Takes the policies there are; returns the keys of those whose rules moved. */
  arrange(policies: Iterable<Policy>): readonly string[] {
    const all = [...policies]
    const before = { first: this.#first, layers: this.#layers }
    this.#first = placesOf(all)
    this.#layers = layersOf(all)
    const moved = [
      ...[...this.#first].flatMap(([key, place]) => (before.first.get(key) === place ? [] : [key])),
      ...[...this.#layers].flatMap(([key, layer]) => (String(before.layers.get(key)) === String(layer) ? [] : [key])),
    ]
    return [...new Set(moved.map((key) => key.slice(key.indexOf(' ') + 1)))]
  }

  /** The level of a policy's rule. */
  levelOf(policy: Policy, tier: 'admin' | 'namespace' | 'baseline', direction: Direction, index: number): Level {
    const key = `${direction} ${policyKey(policy)}`
    const stage = stageOf(tier, direction)
    if (tier !== 'namespace') return { stage, priority: priorityOf((this.#first.get(key) ?? 0) + index), direction }
    const priority = PRIORITY.allowed + (this.#layers.get(key)?.[index] ?? 0)
    return { stage, priority: Math.min(PRIORITY.first, Math.max(PRIORITY.last, priority)), direction }
  }
}

function placesOf(policies: readonly Policy[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>()
  for (const tier of ['admin', 'baseline'] as const) {
    for (const direction of DIRECTIONS) {
      let next = 0
      for (const policy of policies.filter((one) => one.tier === tier).sort(comparePolicies)) {
        const place = Math.max(next, policy.priority * PLACES_EACH)
        first.set(`${direction} ${policyKey(policy)}`, place)
        next = place + (policy[direction]?.length ?? 0)
      }
    }
  }
  return first
}
