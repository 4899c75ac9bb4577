/**
 * Groups of the plan against groups in the switch.
 * @module
 */
import type { NodeFacts } from '../../agent/control/facts.ts'
import { formatGroup } from '../../flow/groups.ts'
import type { Finding, FindingCode } from './findings.ts'

/** Differences between the groups of a node's plan and those of its switch: one finding per group. */
export function auditGroups({ fragments, groups, status }: NodeFacts): Finding[] {
  const installed = new Map(groups.map((group) => [group.id, group]))
  const finding = (code: FindingCode, object: string, id: number): Finding => ({
    code,
    node: status.node,
    object,
    detail: `group ${id}`,
    step: { op: 'sync-flows' },
  })
  const findings = fragments.flatMap(({ title, groups: planned }) =>
    planned.flatMap((group) => {
      const there = installed.get(group.id)
      installed.delete(group.id)
      if (there === undefined) return [finding('group-missing', title, group.id)]
      return formatGroup(there) === formatGroup(group) ? [] : [finding('group-different', title, group.id)]
    }),
  )
  const unplanned = [...installed.keys()].map((id) => finding('group-unplanned', 'no service', id))
  return [...findings, ...unplanned]
}
