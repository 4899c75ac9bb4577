/**
 * What pods are held to, for people.
 * @module
 */
import { formatRate } from '../../compat/kubernetes/bandwidth.ts'
import type { Look } from '../../text/look.ts'
import { type Column, table } from '../../text/table.ts'
import { marked } from '../../text/words.ts'
import { isInForce, type LimitRow } from './bandwidth.ts'

const COLUMNS: readonly Column[] = [
  { head: 'LIMITED' },
  { head: 'NODE' },
  { head: 'DIRECTION' },
  { head: 'WANTED', align: 'right' },
  { head: 'IN FORCE', align: 'right' },
  { head: 'PASSING', align: 'right' },
]

/** What a pod does with its bytes, by direction. */
export const DIRECTION_WORDS = { toPod: 'received', fromPod: 'sent' } as const

/** The lines of `weft bandwidth`. */
export function printBandwidth(rows: readonly LimitRow[], look: Look): string[] {
  if (rows.length === 0) return ['Nothing is limited.']
  return [...table(COLUMNS, rows.map(cells), look), ...problemLines(rows, look)]
}

/** What is not as it should be, one sentence each. */
export function limitProblems(rows: readonly LimitRow[]): readonly string[] {
  const texts = rows.flatMap((row) => {
    const { object, direction, problem, remedy, decided, inForce } = row
    const stays = limitText(decided)
    if (problem !== undefined)
      return [`${object}: ${problem} (in force stays: ${stays})${remedy === undefined ? '' : ` → ${remedy}`}`]
    if (isInForce(row)) return []
    return [`${object}: ${DIRECTION_WORDS[direction]} ${stays} should be in force, but ${limitText(inForce)} is`]
  })
  return [...new Set(texts)]
}

function cells({ object, node, direction, wanted, inForce, passing, problem }: LimitRow): string[] {
  const asked = problem !== undefined ? 'refused' : wanted === undefined ? '-' : limitText(wanted)
  return [
    object,
    node,
    DIRECTION_WORDS[direction],
    asked,
    limitText(inForce),
    passing === undefined ? '-' : about(passing),
  ]
}

/** A rate that is a limit, for people; undefined: there is none. */
export function limitText(rate: number | undefined): string {
  return rate === undefined ? 'no limit' : `${formatRate(rate)}bit/s`
}

/** A measured rate: three digits are all it is good for. */
function about(rate: number): string {
  const [size, unit] = UNITS.find(([least]) => rate >= least) ?? [1, '']
  const value = rate / size
  return `${value.toFixed(value >= 100 || size === 1 ? 0 : value >= 10 ? 1 : 2)} ${unit}bit/s`
}

const UNITS = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const

function problemLines(rows: readonly LimitRow[], look: Look): string[] {
  const problems = limitProblems(rows)
  if (problems.length === 0) return []
  return ['', ...problems.flatMap((problem) => marked(problem, look))]
}
