/**
 * What is worth a second look in policies before they are applied.
 * @module
 */
import { type Policy, type PolicyRef, policyKey } from '../../../network/model/policy.ts'
import { matchesPodSet } from '../../../network/policy/selector.ts'
import type { Comparison } from '../compare.ts'
import type { Given } from '../documents.ts'
import type { PreviewWorld } from '../world.ts'
import { lintDns, lintPort53 } from './dns.ts'
import { lintNamedPorts } from './named-ports.ts'
import { lintUseless } from './useless.ts'

/** Something about a policy, for people. */
export interface Warning {
  readonly policy: PolicyRef
  /** Absent: the policy as a whole. */
  readonly field?: string
  readonly says: string
}

/** Where a policy is to be. */
export interface Surroundings {
  readonly world: PreviewWorld
  readonly comparison: Comparison
}

/** What to say of some policies that are to be applied. */
export function lint(given: readonly Given[], around: Surroundings): readonly Warning[] {
  return given.flatMap((one) => {
    const { policy, object } = one
    const { kind, namespace, name } = policy
    const ref = { kind, ...(namespace === undefined ? {} : { namespace }), name }
    const said = [
      ...lintProblems(policy),
      ...lintSubject(policy, around),
      ...lintFirewalls(policy, around),
      ...lintNamedPorts(policy, around),
      ...lintPort53(object),
      ...lintDns(policy, around),
      ...lintUseless(policy, around.world.after),
    ]
    return said.map((note) => ({ policy: ref, ...note }))
  })
}

/** A warning before it is known whose it is. */
export type Note = Omit<Warning, 'policy'>

function lintProblems({ problems = [] }: Policy): readonly Note[] {
  return problems.map(({ field, reason }) => ({
    field,
    says: `${reason}; it fails closed: what it speaks of is denied`,
  }))
}

function lintSubject({ subject, namespace }: Policy, { world }: Surroundings): readonly Note[] {
  const known = new Map(world.namespaces.map(({ name, labels }) => [name, labels]))
  if (namespace !== undefined && !known.has(namespace)) {
    return [{ field: 'metadata.namespace', says: `there is no namespace ${namespace}: it selects no pod` }]
  }
  const isSelected = world.pods.some((pod) => matchesPodSet(subject, pod, known.get(pod.namespace)))
  return isSelected ? [] : [{ says: 'selects no pod that there is' }]
}

function lintFirewalls(policy: Policy, { world }: Surroundings): readonly Note[] {
  if (policy.tier !== 'firewall') return []
  const others = world.after.filter(
    (one) => one.tier === 'firewall' && one.namespace === policy.namespace && policyKey(one) !== policyKey(policy),
  )
  if (others.length === 0) return []
  const names = others.map(({ name }) => name).join(', ')
  const says = `the namespace has another egress firewall (${names}): with more than one, nothing may leave the cluster`
  return [{ field: 'metadata.namespace', says }]
}
