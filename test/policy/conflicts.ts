/**
 * Policies that contradict each other, two and two: what counts first is seen by these more often than by chance.
 * @module
 */
import type { Policy, PolicyAction } from '../../src/network/model/policy.ts'
import {
  clusterPolicy,
  firewall,
  labelled,
  networkPolicy,
  OUTSIDE,
  podsIn,
  podsOf,
  range,
  rule,
} from '../tables/policy/objects.ts'
import { type PolicyCase, worldWith } from '../tables/policy/world.ts'

const ANYBODY = podsOf([])
const Y = podsIn('y')
const B = labelled({ pod: 'b' })

/** The cases. */
export const CONFLICTS: readonly PolicyCase[] = [
  fixed('two priorities: the lower denies', admin('strict', 5, 'deny'), admin('lax', 10, 'allow')),
  fixed('two priorities: the lower allows', admin('strict', 10, 'deny'), admin('lax', 5, 'allow')),
  fixed('two priorities: the lower passes', admin('strict', 10, 'deny'), admin('lax', 5, 'pass')),
  fixed('equal priorities: the names decide', admin('b', 5, 'deny'), admin('a', 5, 'allow')),
  fixed('what a namespace isolates is allowed above it', admin('open', 5, 'allow'), isolated()),
  fixed('what a namespace allows is denied above it', admin('closed', 5, 'deny'), allowing()),
  fixed('passed, then isolated', admin('pass', 5, 'pass'), isolated(), baseline('allow')),
  fixed('passed, then allowed below', admin('pass', 5, 'pass'), baseline('allow')),
  fixed('denied below, and by nobody above', baseline('deny')),
  fixed('denied below, and isolated: only that counts', baseline('deny'), allowing()),
  fixed('a firewall with names', named('deny'), isolated()),
  fixed('a firewall with a name that allows and a range that denies', named('allow')),
]

function admin(name: string, priority: number, action: PolicyAction): Policy {
  const rules = [rule(action, { peers: [Y] }), rule('deny', { peers: [podsOf(labelled({ ns: 'z' }), B)] })]
  return clusterPolicy('AdminNetworkPolicy', 'admin', name, priority, { ingress: rules, egress: rules })
}

function baseline(action: PolicyAction): Policy {
  const rules = [rule(action, { peers: [Y] }), rule('deny', { peers: [ANYBODY] })]
  return clusterPolicy('BaselineAdminNetworkPolicy', 'baseline', 'default', 0, { ingress: rules, egress: rules })
}

function isolated(): Policy {
  return networkPolicy('x', 'isolated', [], { ingress: [], egress: [] })
}

function allowing(): Policy {
  const rules = [rule('allow', { peers: [ANYBODY, range('0.0.0.0/0')] })]
  return networkPolicy('x', 'allowing', [], { ingress: rules, egress: rules })
}

/** To a name that stands for addresses outside, then to nobody outside. */
function named(action: PolicyAction): Policy {
  const last = rule('deny', { peers: [range('0.0.0.0/0')] })
  return firewall('y', 'by-name', [rule(action, { peers: [{ type: 'name', name: 'one.example' }] }), last])
}

function fixed(name: string, ...policies: readonly Policy[]): PolicyCase {
  const names = new Map([['one.example', OUTSIDE.slice(0, 2)]])
  return { name, start: worldWith(policies, { names }), changes: [] }
}
