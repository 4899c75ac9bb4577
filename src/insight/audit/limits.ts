/**
 * What pods are held to against what they should be held to.
 * @module
 */
import type { NodeFacts } from '../../agent/control/facts.ts'
import { isInForce, type LimitRow, limitRows } from '../bandwidth/bandwidth.ts'
import { DIRECTION_WORDS, limitText } from '../bandwidth/print.ts'
import type { Finding } from './findings.ts'

/** Limits that the kernel does not have as they were decided, or that nobody can ask it for. */
export function auditLimits({ status: { node }, limits }: NodeFacts): Finding[] {
  return limitRows([{ node, now: limits }])
    .filter((row) => !isInForce(row))
    .map((row) => ({
      code: 'limit-differs',
      node,
      object: row.object,
      detail: detailOf(row),
      step: { op: 'sync-limits' },
    }))
}

function detailOf({ direction, decided, inForce, wanted, problem }: LimitRow): string {
  const difference = `${DIRECTION_WORDS[direction]}: ${limitText(decided)} was decided, ${limitText(inForce)} is in force`
  return problem === undefined || wanted === undefined ? difference : `${difference}: ${problem}`
}
