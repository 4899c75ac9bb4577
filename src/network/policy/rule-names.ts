/**
 * What policies and their rules are called in flows and for people.
 * @module
 */
import type { Direction, Policy, PolicyRef } from '../model/policy.ts'

/** The key of the fragment that names a rule; cookies of flows that decide by it lead there. */
export function ruleKey(policy: string, direction: Direction, index: number): string {
  return `rule/${policy}/${direction}/${index}`
}

/** `NetworkPolicy shop/web`. */
export function policyTitle({ kind, namespace, name }: PolicyRef): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`
}

/** `NetworkPolicy shop/web, spec.ingress[0]`, with the rule's own name where it has one. */
export function ruleTitle(policy: Policy, direction: Direction, index: number): string {
  const name = policy[direction]?.[index]?.name
  return `${policyTitle(policy)}, spec.${direction}[${index}]${name === undefined ? '' : ` (${name})`}`
}

/** `isolation of pods by NetworkPolicy shop/deny-all and NetworkPolicy shop/web (ingress)`. */
export function isolationTitle(policies: readonly Policy[], direction: Direction): string {
  const names = policies.map(policyTitle)
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names
  const last = shown.at(-1) ?? 'policies'
  const list = shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`
  return `isolation of pods by ${list} (${direction})`
}
