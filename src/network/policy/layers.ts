/**
 * Which rules of the namespaces' tier count before which. Rules that may meet in one pod and do different things lie in
 * different layers; those that follow each other and do the same share one. NetworkPolicies' rules are layer 0, what
 * comes before them is above it and what comes after them below. Policies of different namespaces never meet, so each
 * namespace counts for itself.
 * @module
 */
import {
  comparePolicies,
  DIRECTIONS,
  type Direction,
  type Policy,
  type PolicyRule,
  policyKey,
} from '../model/policy.ts'

/** The layers of a policy's rules, in their order. Of two that differ the higher counts first. */
export type Layer = readonly number[]

/** The layers of all policies' rules but NetworkPolicies', by `<direction> <key of the policy>`. */
export function layersOf(policies: readonly Policy[]): ReadonlyMap<string, Layer> {
  const layers = new Map<string, Layer>()
  const ordered = policies
    .filter((one) => one.tier === 'namespace' && one.kind !== 'NetworkPolicy')
    .sort(comparePolicies)
  if (ordered.length === 0) return layers
  const before = ordered.filter((one) => comparePolicies(one, NETWORK_POLICY) < 0)
  const after = ordered.slice(before.length)
  for (const direction of DIRECTIONS) {
    // From the middle outwards on both sides: what is far away moves nobody else.
    stack(before.toReversed(), direction, 1, layers)
    stack(after, direction, -1, layers)
  }
  return layers
}

/** Stands for all of them. */
const NETWORK_POLICY: Policy = {
  kind: 'NetworkPolicy',
  namespace: 'default',
  name: 'x',
  tier: 'namespace',
  priority: 0,
  subject: { namespaces: { name: 'default' }, pods: [] },
}

/** The outermost rule so far. */
interface Top {
  readonly layer: number
  readonly acts: string
}

const BOTTOM: Top = { layer: 0, acts: 'allow' }

function stack(policies: readonly Policy[], direction: Direction, step: 1 | -1, layers: Map<string, Layer>): void {
  /** The top of all that may meet anybody. */
  let common = BOTTOM
  /** That of namespaces which have a policy since. */
  const tops = new Map<string, Top>()
  for (const policy of policies) {
    const rules = policy[direction]
    if (rules === undefined) continue
    const namespace = 'name' in policy.subject.namespaces ? policy.subject.namespaces.name : undefined
    let top = namespace === undefined ? highest([common, ...tops.values()], step) : (tops.get(namespace) ?? common)
    const placed = (step === 1 ? rules.toReversed() : rules).map((rule) => {
      const acts = actsOf(rule, policy)
      if (acts !== undefined) top = above(top, acts, step)
      return top.layer
    })
    layers.set(`${direction} ${policyKey(policy)}`, step === 1 ? placed.toReversed() : placed)
    if (namespace !== undefined) tops.set(namespace, top)
    else {
      common = top
      tops.clear()
    }
  }
}

/** What a rule does. Undefined for one that speaks of nobody: it is in nobody's way. */
export function actsOf({ action, peers, ports, log }: PolicyRule, policy: Pick<Policy, 'log'>): string | undefined {
  if (peers?.length === 0 || ports?.length === 0) return undefined
  return action === 'deny' && (log ?? policy.log) ? 'deny and log' : action
}

function above(top: Top, acts: string, step: 1 | -1): Top {
  return acts === top.acts ? top : { layer: top.layer + step, acts }
}

/** One that is above all of these, or in the same layer and does the same. */
function highest(tops: readonly Top[], step: 1 | -1): Top {
  let found = BOTTOM
  for (const top of tops) {
    if ((top.layer - found.layer) * step > 0) found = top
    else if (top.layer === found.layer && top.acts !== found.acts)
      found = { layer: found.layer, acts: 'different things' }
  }
  return found
}
