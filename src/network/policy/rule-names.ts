/**
 * What policies and their rules are called in flows and for people.
 * @module
 */
import type { Direction, Policy, PolicyRef } from '../model/policy.ts'

/** The key of the fragment that names a rule; cookies of flows that decide by it lead there. */
export function ruleKey(policy: string, direction: Direction, index: number): string {
  return `rule/${policy}/${direction}/${index}`
}

/** The key of the fragment that tells that pods are isolated by a policy, whether it has rules or not. */
export function isolationKey(policy: string, direction: Direction): string {
  return `isolation/${policy}/${direction}`
}

/** `NetworkPolicy shop/web`, `AdminNetworkPolicy tenants`. */
export function policyTitle(policy: PolicyRef): string {
  return `${policy.kind} ${policyName(policy)}`
}

/** `shop/web`, `tenants`. */
export function policyName({ namespace, name }: PolicyRef): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** `NetworkPolicy shop/web, spec.ingress[0]`, with the rule's own name where it has one. */
export function ruleTitle(policy: Policy, direction: Direction, index: number): string {
  const name = policy[direction]?.[index]?.name
  return `${policyTitle(policy)}, spec.${direction}[${index}]${name === undefined ? '' : ` (${name})`}`
}

/** `isolation of pods by NetworkPolicy shop/deny-all and NetworkPolicy shop/web (ingress)`. */
export function isolationTitle(policies: readonly Policy[], direction: Direction): string {
  return `isolation of pods by ${listWords(policies.map(policyTitle))} (${direction})`
}

/** The first few of a list: `a, b and c`, `a, b, c and 4 more`. */
export function listWords(items: readonly string[], most = 3): string {
  const shown = items.slice(0, items.length === most + 1 ? most + 1 : most)
  const rest = items.length - shown.length
  const all = rest > 0 ? [...shown, `${rest} more`] : shown
  return all.length <= 1 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
}
