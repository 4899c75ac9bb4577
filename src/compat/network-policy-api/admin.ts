/**
 * AdminNetworkPolicy (`policy.networking.k8s.io/v1alpha1`).
 * @module
 */
import { shown } from '../../network/model/decode.ts'
import type { Policy } from '../../network/model/policy.ts'
import { type PolicyBody, policyBinding } from '../policy/binding.ts'
import type { Notes } from '../policy/notes.ts'
import { fieldsIn } from '../policy/reading.ts'
import { portIn, portOf } from './ports.ts'
import { ADMIN_NETWORK_POLICIES } from './resources.ts'
import { CLOSED, type RuleForm, rulesOfSubject } from './rules.ts'
import { specOf, type Words } from './words.ts'

/** Policy ↔ AdminNetworkPolicy. */
export const adminNetworkPolicyBinding = policyBinding({
  kind: 'AdminNetworkPolicy',
  resource: ADMIN_NETWORK_POLICIES,
  optional: true,
  read,
  closed,
  write: (policy: Policy) => ({ priority: policy.priority, ...specOf(WORDS, policy) }),
})

const FORM: RuleForm = { actions: { Allow: 'allow', Deny: 'deny', Pass: 'pass' }, ports: 'ports', readPort: portIn }
const WORDS: Words = { actions: { allow: 'Allow', deny: 'Deny', pass: 'Pass' }, ports: 'ports', portOf }

function read(spec: unknown, _namespace: string, notes: Notes): PolicyBody {
  const fields = fieldsIn(spec, ['priority', 'subject', 'ingress', 'egress'], notes)
  const priority = fields && priorityIn(fields['priority'], notes.at('priority'))
  if (fields === undefined || priority === undefined) return closed()
  return { tier: 'admin', priority, ...rulesOfSubject(FORM, fields, notes) }
}

/** The place of a policy among those of its tier. */
export function priorityIn(input: unknown, notes: Notes): number | undefined {
  const isOne = typeof input === 'number' && Number.isInteger(input) && input >= 0 && input <= 1000
  return isOne ? input : notes.problem(`${shown(input)} is no priority from 0 to 1000`)
}

function closed(): PolicyBody {
  return { tier: 'admin', priority: 0, ...CLOSED }
}
