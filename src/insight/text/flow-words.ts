/**
 * Flows in the pipeline's words and in ovs-ofctl's.
 * @module
 */
import type { Flow } from '../../flow/flow.ts'
import { STAGES, type StageName } from '../../network/pipeline/stages.ts'

const STAGE_BY_TABLE: ReadonlyMap<number, StageName> = new Map(
  (Object.keys(STAGES) as StageName[]).map((name) => [STAGES[name].table, name]),
)

/** The stage that a table is, or undefined when the pipeline has none there. */
export function stageAt(table: number): StageName | undefined {
  return STAGE_BY_TABLE.get(table)
}

/** A flow as `ovs-ofctl` prints it, without its cookie. */
export function flowLine(flow: Flow): string {
  return `table=${flow.table}, ${matchLine(flow)} actions=${flow.actions.map((a) => a.op).join(',') || 'drop'}`
}

/** A flow's priority and match as `ovs-ofctl` prints them. */
export function matchLine(flow: Flow): string {
  const m = Object.entries(flow.match).map(([k, v]) =>
    typeof v === 'object' ? `${k}=${v.value}/${v.mask}` : `${k}=${v}`,
  )
  return [`priority=${flow.priority}`, ...m].join(',')
}
