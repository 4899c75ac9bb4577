/**
 * Leases, events and nodes.
 * @module
 */
import { invalidValue } from '../../objects/causes.ts'
import { fieldsAt, numberAt, textAt } from '../../objects/shape.ts'
import { filled } from './fill.ts'
import type { Preparation } from './preparation.ts'
import { notNegative } from './syntax.ts'

/** Leases. */
export const LEASE: Preparation = {
  complete: (lease) => ({ ...lease, spec: fieldsAt(lease, 'spec') }),
  problems: ({ spec }) => {
    const seconds = numberAt(spec, 'leaseDurationSeconds')
    return [
      ...(seconds !== undefined && seconds <= 0
        ? [invalidValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0')]
        : []),
      ...notNegative('spec.leaseTransitions', numberAt(spec, 'leaseTransitions')),
    ]
  },
}

/** Events: what they are about is in their own namespace, and what is in none belongs to the default one. */
export const EVENT: Preparation = {
  problems: (event) => {
    const given = textAt(event, 'involvedObject', 'namespace') ?? ''
    const { namespace } = event.metadata
    const isRight = given === '' ? namespace === undefined || namespace === 'default' : given === namespace
    return isRight ? [] : [invalidValue('involvedObject.namespace', given, 'does not match event.namespace')]
  },
}

/** Nodes. */
export const NODE: Preparation = {
  complete: (node) => {
    const spec = fieldsAt(node, 'spec')
    const range = textAt(spec, 'podCIDR')
    return range === undefined ? node : { ...node, spec: filled(spec, { podCIDRs: [range] }) }
  },
}
