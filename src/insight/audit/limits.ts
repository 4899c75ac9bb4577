/**
 * What pods are held to against what they should be held to.
 * @module
 */
import type { NodeFacts } from '../../agent/control/facts.ts'
import { formatRate } from '../../compat/kubernetes/bandwidth.ts'
import { isInForce, type LimitRow, limitRows } from '../bandwidth/bandwidth.ts'
import type { Finding } from './findings.ts'

const WORDS = { toPod: 'received', fromPod: 'sent' } as const

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
  const difference = `${WORDS[direction]}: ${shown(decided)} was decided, ${shown(inForce)} is in force`
  return problem === undefined || wanted === undefined ? difference : `${difference}: ${problem}`
}

function shown(rate: number | undefined): string {
  return rate === undefined ? 'no limit' : `${formatRate(rate)}bit/s`
}
