/**
 * Flows of the plan against flows in the switch.
 * @module
 */
import type { NodeFacts } from '../../agent/control/facts.ts'
import { flowContent, flowKey } from '../../flow/compare.ts'
import type { Flow } from '../../flow/flow.ts'
import { parseCookie } from '../../network/pipeline/cookie.ts'
import { flowLine, stageAt } from '../flow-words.ts'
import { titlesByHash } from '../view.ts'
import type { Finding, FindingCode } from './findings.ts'

/** Differences between a node's plan and its switch: one finding per kind and object. */
export function auditFlows(facts: NodeFacts): Finding[] {
  return [
    ...compare(facts.status.node, facts),
    ...facts.wires.flatMap((wire) =>
      compare(facts.status.node, wire).map((one) => ({ ...one, object: `${one.object} on ${wire.bridge}` })),
    ),
  ]
}

function compare(node: string, facts: Pick<NodeFacts, 'fragments' | 'installed'>): Finding[] {
  const installed = new Map(facts.installed.map(({ flow }) => [rowOf(flow), flow]))
  const groups = new Map<string, Group>()
  const add = (code: FindingCode, object: string, flow: Flow): void => {
    const key = `${code} ${object}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { code, object, flows: [flow] })
    else group.flows.push(flow)
  }
  for (const { title, flows } of facts.fragments) {
    for (const flow of flows) {
      const row = rowOf(flow)
      const there = installed.get(row)
      installed.delete(row)
      if (there === undefined) add('flow-missing', title, flow)
      else if (contentOf(there) !== contentOf(flow)) add('flow-different', title, there)
    }
  }
  const titles = titlesByHash(facts.fragments)
  for (const flow of installed.values()) {
    const ours = parseCookie(flow.cookie)
    if (ours === undefined) add('flow-foreign', `stage ${stageAt(flow.table) ?? `table ${flow.table}`}`, flow)
    else add('flow-unplanned', titles.get(ours.hash) ?? 'an object that is gone', flow)
  }
  return [...groups.values()].map((group) => findingOf(node, group))
}

interface Group {
  readonly code: FindingCode
  readonly object: string
  readonly flows: Flow[]
}

function findingOf(node: string, { code, object, flows }: Group): Finding {
  const [first] = flows
  const more = flows.length > 1 ? ` and ${flows.length - 1} more` : ''
  const detail = first === undefined ? '' : `${flowLine(first)}${more}`
  return { code, node, object, detail, step: { op: 'sync-flows' } }
}

function contentOf(flow: Flow): string {
  try {
    return flowContent(flow)
  } catch {
    return flowLine(flow)
  }
}

/** What makes it the same row; a foreign flow that our language cannot say is a row of its own. */
function rowOf(flow: Flow): string {
  try {
    return flowKey(flow)
  } catch {
    return `${flow.table} ${flow.priority} ${flow.cookie} ${flowLine(flow)}`
  }
}
