/**
 * What policies say about a connection, naming object, rule and field.
 * @module
 */
import { contains } from '../../network/model/address.ts'
import type { Direction, Policy, PolicyRef } from '../../network/model/policy.ts'
import { judge } from '../../network/policy/oracle.ts'
import { listWords, policyName, policyTitle } from '../../network/policy/rule-names.ts'
import type { Decision, PolicyWorld, RuleRef } from '../../network/policy/verdict.ts'
import { policyOf } from '../policy-words.ts'
import { nodeOf } from '../view.ts'
import { type Conversation, connectionOf, type Step, type StepName, whatOf } from './conversation.ts'
import type { End } from './ends.ts'
import { fieldOf, ruleFields, subjectField } from './field-of.ts'
import { type Nearest, nearestOf } from './nearest.ts'
import { homeOf } from './way-steps.ts'
import { worldOf } from './world.ts'

/** Policies of the sender, of the receiver, and the egress firewall, each for itself. */
export function policySteps(conversation: Conversation): readonly Step[] {
  const { world, from, to } = conversation
  const connection = connectionOf(conversation)
  const far = farSide(conversation)
  const { egress } = judge(ofTier(world, false), connection)
  const { ingress } = judge(ofTier(far.world, false), connection)
  const firewall = judge(ofTier(world, true), connection).egress
  const leaves = from.kind === 'pod' && !world.podNetworks.some((network) => contains(network, to.address))
  return [
    stepOf('egress policies', egress, conversation, 'egress'),
    stepOf('ingress policies', ingress, far, 'ingress'),
    leaves
      ? stepOf('egress firewall', firewall, conversation, 'egress')
      : { name: 'egress firewall', outcome: 'passes', says: 'it does not leave the cluster' },
  ]
}

function ofTier(world: PolicyWorld, isFirewall: boolean): PolicyWorld {
  return { ...world, policies: [...world.policies].filter(({ tier }) => (tier === 'firewall') === isFirewall) }
}

/** The receiver's node judges by what it has, which may be what a policy said before. */
function farSide(conversation: Conversation): Conversation {
  const { view, from, to } = conversation
  if (to.kind !== 'pod' || homeOf(from) === homeOf(to)) return conversation
  return { ...conversation, world: worldOf(view, homeOf(to)) }
}

function stepOf(name: StepName, decision: Decision, conversation: Conversation, direction: Direction): Step {
  const { from, to } = conversation
  const subject = direction === 'egress' ? from : to
  switch (decision.because) {
    case 'not-a-pod':
      return { name, outcome: 'passes', says: `${subject.name} is no pod, so no policy selects it` }
    case 'itself':
      return { name, outcome: 'passes', says: 'a pod always reaches itself', decisive: true }
    case 'own-node':
      return {
        name,
        outcome: 'passes',
        says: `${from.name} is the node of ${to.name}, and always reaches its own pods`,
        decisive: true,
      }
    case 'no-policy':
      return { name, outcome: 'passes', says: nobodySays(name, subject, direction) }
    case 'rule':
      return ruleStep(name, decision.allowed, decision.rule, conversation, homeOf(subject))
    case 'isolated':
      return isolationStep(name, decision.by, conversation, direction)
    case 'firewall': {
      const [policy] = decision.by
      const { field, reason } = decision.problem
      const who = `${listWords(decision.by.map(policyTitle))} ${decision.by.length === 1 ? 'denies' : 'deny'} it`
      return {
        name,
        outcome: 'stops',
        says: `${who}: ${field}: ${reason}`,
        field,
        ...(policy === undefined ? {} : { policy }),
      }
    }
  }
}

function nobodySays(name: StepName, { name: subject }: End, direction: Direction): string {
  if (name === 'egress firewall') return `no rule of an egress firewall speaks of it`
  return `no policy isolates ${subject} for ${direction}, and no rule of the cluster’s own decides`
}

function ruleStep(name: StepName, allowed: boolean, rule: RuleRef, { view, world }: Conversation, node: string): Step {
  const policy = policyOf(world.policies, rule.policy)
  if (policy === undefined) throw new Error('a verdict names a policy that it was not given')
  const called = rule.name === undefined ? '' : ` (“${rule.name}”)`
  const problems = problemWords([policy], `spec.${rule.direction}[${rule.index}]`)
  const says = `${fieldWords(policy, rule)}${called} of ${policyTitle(policy)} ${allowed ? 'allows' : 'denies'} it${problems}${keptWords(view, [policy], node)}`
  return {
    name,
    outcome: allowed ? 'passes' : 'stops',
    says,
    ...(allowed ? { decisive: true } : {}),
    policy: rule.policy,
    field: fieldOf(policy, rule),
  }
}

/** `spec.ingress[0].from[1].podSelector with ports[0]`. */
function fieldWords(policy: Policy, place: RuleRef): string {
  const { rule, peer, port } = ruleFields(policy, place)
  if (peer === undefined || port === undefined) return peer ?? port ?? rule
  return `${peer} with ${port.slice(rule.length + 1)}`
}

function isolationStep(
  name: StepName,
  by: readonly PolicyRef[],
  conversation: Conversation,
  direction: Direction,
): Step {
  const { world, from, to } = conversation
  // Those that allow nobody in front: they are what isolates, the others are what could allow.
  const policies = by
    .flatMap((ref) => policyOf(world.policies, ref) ?? [])
    .sort((a, b) => Math.min(1, a[direction]?.length ?? 0) - Math.min(1, b[direction]?.length ?? 0))
  const [first, ...others] = policies
  if (first === undefined) throw new Error('a verdict names policies that it was not given')
  const subject = direction === 'egress' ? from : to
  const nearest = nearestOf(policies, { world, connection: connectionOf(conversation), direction })
  const also = others.length === 0 ? '' : ` or of ${titlesWords(others)}`
  const says =
    `${policyTitle(first)} isolates ${subject.name} for ${direction} (${subjectField(first)} selects it), ` +
    `and no rule of it${also} allows it${nearestWords(nearest)}${problemWords(policies, `spec.${direction}`)}` +
    keptWords(conversation.view, policies, homeOf(subject))
  const field = nearest?.field ?? subjectField(first)
  return {
    name,
    outcome: 'stops',
    says,
    remedy: remedyOf(nearest, conversation, direction),
    policy: first,
    field,
  }
}

/** `NetworkPolicy shop/a and shop/b`; each with its kind where these differ. */
function titlesWords(policies: readonly Policy[]): string {
  const isPlain = policies.every(({ kind }) => kind === 'NetworkPolicy')
  return isPlain ? `NetworkPolicy ${listWords(policies.map(policyName))}` : listWords(policies.map(policyTitle))
}

function nearestWords(nearest: Nearest | undefined): string {
  if (nearest === undefined) return ''
  return `; the nearest is ${nearest.field} of ${policyName(nearest.policy)}, which allows ${nearest.allows}`
}

function remedyOf(nearest: Nearest | undefined, conversation: Conversation, direction: Direction): string {
  const other = direction === 'ingress' ? conversation.from : conversation.to
  const what = whatOf(conversation)
  if (nearest === undefined)
    return `to allow it, give a NetworkPolicy that selects the pod a rule in spec.${direction} for it`
  const whom = other.kind === 'pod' ? `${other.name}, by its labels,` : `an ipBlock with ${other.address}`
  const entry = nearest.off === 'ports' ? what : whom
  return `to allow it, add ${entry} to ${nearest.list} of ${policyTitle(nearest.policy)}`
}

/** Which of these policies a node has as they were. */
function keptWords(view: Conversation['view'], policies: readonly Policy[], node: string): string {
  const kept = nodeOf(view, node)?.keptPolicies ?? []
  const told = policies.filter((policy) => kept.includes(policy)).map(policyTitle)
  if (told.length === 0) return ''
  return `; ${listWords(told)} cannot be read now, and ${node} goes on with what was said before`
}

/** What nobody understands in these policies below a field, and so allows nobody or denies everybody. */
function problemWords(policies: readonly Policy[], below: string): string {
  const told = policies.flatMap((policy) =>
    (policy.problems ?? [])
      .filter(({ field }) => field.startsWith(below) || field === subjectField(policy) || field === 'spec')
      .map(({ field, reason }) => `${field} of ${policyName(policy)} is not understood (${reason}) and fails closed`),
  )
  return told.length === 0 ? '' : `; ${listWords(told, 2)}`
}
