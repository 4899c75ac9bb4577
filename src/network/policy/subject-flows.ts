/**
 * The flows that send a pod's connections to its policies.
 * @module
 */
import type { Action, Flow } from '../../flow/flow.ts'
import { familyOf } from '../model/address.ts'
import type { Endpoint } from '../model/endpoint.ts'
import type { Direction } from '../model/policy.ts'
import { flowsOf, goto, ipPacket, load } from '../pipeline/build.ts'
import type { ClassUse } from './classes.ts'

/** What speaks of a pod. */
export interface Subjection {
  readonly classes: ReadonlyMap<Direction, ClassUse>
  /** The number of its namespace's egress firewall, if it has one. */
  readonly firewall: number | undefined
}

/** The flows of a pod, one per address and direction in which policies speak of it. */
export function subjectFlows(key: string, { addresses }: Endpoint, { classes, firewall }: Subjection): readonly Flow[] {
  const { flow } = flowsOf(key)
  const [out, into] = [classes.get('egress'), classes.get('ingress')]
  return addresses.flatMap((address): readonly Flow[] => {
    const from = ipPacket(familyOf(address), { from: address })
    const to = ipPacket(familyOf(address), { to: address })
    return [
      ...(out === undefined ? [] : [flow('sender', 100, from, judgedBy(out, 'egress'))]),
      ...(into === undefined ? [] : [flow('receiver', 100, to, judgedBy(into, 'ingress'))]),
      ...(firewall === undefined
        ? []
        : [flow('firewall', 100, from, [load('policyClass', firewall), goto('firewallRules')])]),
    ]
  })
}

function judgedBy({ id, isAdministered }: ClassUse, direction: Direction): readonly Action[] {
  const admin = direction === 'egress' ? ('egressAdmin' as const) : ('ingressAdmin' as const)
  return [load('policyClass', id), goto(isAdministered ? admin : direction)]
}
