/**
 * When two flows are the same row, and when they are the same flow.
 * @module
 */
import type { FieldName } from './fields.ts'
import type { Flow, Match } from './flow.ts'
import { formatActions } from './format-actions.ts'
import { normalize, normalizeMatch } from './normalize.ts'

/** What makes a flow the same row of a switch's tables: table, priority and match. Throws FlowError. */
export function flowKey(flow: Pick<Flow, 'table' | 'priority' | 'match'>): string {
  return `${flow.table} ${flow.priority} ${matchKey(normalizeMatch(flow.match))}`
}

/** Cookie and actions: what may change about a row without making it another. Throws FlowError. */
export function flowContent(flow: Flow): string {
  const { cookie, actions } = normalize(flow)
  return `${cookie} ${formatActions(actions)}`
}

function matchKey(match: Match): string {
  let key = ''
  for (const name in match) {
    const value = match[name as FieldName]
    key += typeof value === 'object' ? `${name}=${value.value}&${value.mask},` : `${name}=${value},`
  }
  return key
}
