/**
 * The doctor's report, for people.
 * @module
 */
import type { Look } from '../../text/look.ts'
import { type Column, table } from '../../text/table.ts'
import { count, wrapWords } from '../../text/words.ts'
import type { Row, State } from './check.ts'

const COLUMNS: readonly Column[] = [
  { head: 'CHECK' },
  { head: 'STATE', paint: (text, look) => brush(text.trim() as State, look)(text) },
  { head: 'FOUND' },
]

/** A line per check, then what to do about those that are not fine, and a sentence. */
export function printReport(rows: readonly Row[], look: Look): string[] {
  const cells = rows.map(({ check, state, found }) => [check, state, found])
  const advice = rows.flatMap(({ check, ...row }) =>
    row.state === 'ok' ? [] : wrapWords([`${check}:`, ...row.remedy.split(' ')], look.width, '  '),
  )
  return [...table(COLUMNS, cells, look), ...(advice.length === 0 ? [] : ['', ...advice]), '', summary(rows, look)]
}

function summary(rows: readonly Row[], look: Look): string {
  const of = (state: State) => rows.filter((row) => row.state === state).length
  const [failed, warned, open] = [of('fail'), of('warn'), of('unknown')]
  if (failed === 0 && warned === 0 && open === 0) return look.good(`${count(rows.length, 'check', look)}: all is well`)
  const parts = [
    ...(failed === 0 ? [] : [look.bad(`${failed} failed`)]),
    ...(warned === 0 ? [] : [look.warn(count(warned, 'warning', look))]),
    ...(open === 0 ? [] : [look.quiet(`${open} not judged`)]),
  ]
  return `${count(rows.length, 'check', look)}: ${parts.join(', ')}`
}

function brush(state: State, look: Look): (text: string) => string {
  return { ok: look.good, unknown: look.quiet, warn: look.warn, fail: look.bad }[state] ?? ((text) => text)
}
