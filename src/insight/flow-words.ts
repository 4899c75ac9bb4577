/**
 * Flows in the pipeline's words and in ovs-ofctl's.
 * @module
 */
import type { Flow } from '../flow/flow.ts'
import { formatFlow, formatMatch } from '../flow/format.ts'
import { STAGES, type StageName } from '../network/pipeline/stages.ts'

const STAGE_BY_TABLE: ReadonlyMap<number, StageName> = new Map(
  (Object.keys(STAGES) as StageName[]).map((name) => [STAGES[name].table, name]),
)

/** The stage that a table is, or undefined when the pipeline has none there. */
export function stageAt(table: number): StageName | undefined {
  return STAGE_BY_TABLE.get(table)
}

/** A flow as `ovs-ofctl` prints it, without its cookie. Text of its own for one that our language cannot say. */
export function flowLine(flow: Flow): string {
  try {
    return formatFlow({ ...flow, cookie: 0n })
  } catch {
    return `table=${flow.table}, priority=${flow.priority}, cookie=0x${flow.cookie.toString(16)}`
  }
}

/** A flow's priority and match as `ovs-ofctl` prints them. */
export function matchLine({ priority, match }: Flow): string {
  const text = formatMatch(match)
  return text === '' ? `priority=${priority}` : `priority=${priority},${text}`
}
