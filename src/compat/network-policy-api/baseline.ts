/**
 * BaselineAdminNetworkPolicy (`policy.networking.k8s.io/v1alpha1`): the one named `default`.
 * @module
 */
import type { Policy } from '../../network/model/policy.ts'
import { type PolicyBody, policyBinding } from '../policy/binding.ts'
import type { Notes } from '../policy/notes.ts'
import { fieldsIn } from '../policy/reading.ts'
import { portIn, portOf } from './ports.ts'
import { BASELINE_ADMIN_NETWORK_POLICIES } from './resources.ts'
import { CLOSED, type RuleForm, rulesOfSubject } from './rules.ts'
import { specOf, type Words } from './words.ts'

/** Policy ↔ BaselineAdminNetworkPolicy. */
export const baselineAdminNetworkPolicyBinding = policyBinding({
  kind: 'BaselineAdminNetworkPolicy',
  resource: BASELINE_ADMIN_NETWORK_POLICIES,
  only: 'default',
  optional: true,
  read,
  closed,
  write: (policy: Policy) => specOf(WORDS, policy),
})

/** Nothing comes after it that a rule could pass to. */
const FORM: RuleForm = { actions: { Allow: 'allow', Deny: 'deny' }, ports: 'ports', readPort: portIn }
const WORDS: Words = { actions: { allow: 'Allow', deny: 'Deny', pass: 'Allow' }, ports: 'ports', portOf }

function read(spec: unknown, _namespace: string, notes: Notes): PolicyBody {
  const fields = fieldsIn(spec, ['subject', 'ingress', 'egress'], notes)
  return fields === undefined ? closed() : { tier: 'baseline', priority: 0, ...rulesOfSubject(FORM, fields, notes) }
}

function closed(): PolicyBody {
  return { tier: 'baseline', priority: 0, ...CLOSED }
}
