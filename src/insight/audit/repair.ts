/**
 * From findings to what the agents are asked to do about them.
 * @module
 */

import type { RepairStep } from '../../agent/control/repair-request.ts'

export type {
  RepairAnswer,
  RepairRequest,
  RepairResult,
  RepairStep,
} from '../../agent/control/repair-request.ts'

/** A node's part of a repair. */
export interface NodeRepair {
  readonly node: string
  readonly steps: readonly RepairStep[]
}

/** First what frees things, then what adds them, flows last: they follow ports and leases. */
const ORDER: readonly RepairStep['op'][] = [
  'release-lease',
  'remove-port',
  'remove-link',
  'put-port',
  'sync-host',
  'sync-flows',
  'sync-limits',
]

/** The plan for findings: each step once, per node, in the order in which they are to be done. */
export function repairPlan(
  findings: readonly { readonly node: string; readonly step: RepairStep | undefined }[],
): readonly NodeRepair[] {
  const nodes = new Map<string, Map<string, RepairStep>>()
  for (const { node, step } of findings) {
    if (step === undefined) continue
    const steps = nodes.get(node) ?? new Map<string, RepairStep>()
    nodes.set(node, steps.set(JSON.stringify(step), step))
  }
  return [...nodes].map(([node, steps]) => ({
    node,
    steps: [...steps.values()].sort((a, b) => ORDER.indexOf(a.op) - ORDER.indexOf(b.op)),
  }))
}

/** A step in words. */
export function describeStep(step: RepairStep): string {
  switch (step.op) {
    case 'release-lease':
      return `free the attachment ${step.endpoint}, unless its network namespace still exists`
    case 'remove-port':
      return `remove the port ${step.port} from the bridge`
    case 'remove-link':
      return `remove the link ${step.link}`
    case 'put-port':
      return `put the port of ${step.endpoint} back as its lease says`
    case 'sync-host':
      return 'bring the bridge and its own ports to the plan'
    case 'sync-limits':
      return 'hold every limited pod to what was decided'
    case 'sync-flows':
      return 'bring the switch’s flows to the plan; what is not of the plan goes'
  }
}
