/**
 * Drops for people.
 * @module
 */
import { DROPS, type DropName } from '../../network/pipeline/drops.ts'
import type { Paint } from '../text/paint.ts'
import { count as counted, grouped, printable, wrap } from '../text/printable.ts'
import { type Column, table, WIDTH } from '../text/table.ts'
import { type DropCount, isBenign } from './drops.ts'

const COLUMNS: readonly Column[] = [
  { head: 'PACKETS', align: 'right' },
  { head: 'BYTES', align: 'right' },
  { head: 'NODE' },
  { head: 'REASON' },
  { head: 'OBJECT' },
]

/** The lines of `weft drops`: what was dropped, then what the reasons mean. Benign ones only with `all`. */
export function printDrops(counts: readonly DropCount[], all: boolean, look: Paint): string[] {
  const seen = counts.filter(({ packets }) => packets > 0n)
  const shown = seen.filter(({ reason }) => all || !isBenign(reason))
  const hidden = seen.filter((one) => !shown.includes(one))
  return [
    ...(shown.length === 0 ? ['Nothing was dropped.'] : table(COLUMNS, shown.map(row), look)),
    ...(shown.length === 0 ? [] : ['', ...reasons(shown, look)]),
    ...hiddenLines(hidden, look),
  ]
}

/** One line of `weft drops --follow`. */
export function printIncrement({ node, reason, object, packets }: DropCount): string {
  const { because } = DROPS[reason]
  return printable(`${node}  ${object}  ${reason} +${grouped(packets)}  ${because}`)
}

function row({ node, reason, object, packets, bytes }: DropCount): string[] {
  return [grouped(packets), grouped(bytes), node, reason, object]
}

function reasons(counts: readonly DropCount[], look: Paint): string[] {
  const names = [...new Set(counts.map(({ reason }) => reason))]
  return names.flatMap((name) => reasonLines(name, look))
}

function reasonLines(name: DropName, look: Paint): string[] {
  const { because, remedy } = DROPS[name]
  return [
    ...wrap(`${name}: ${because}.`, WIDTH).map((line, i) => (i === 0 ? look.title(line) : line)),
    ...wrap(`→ ${remedy}`, WIDTH - 2).map((line) => `  ${line}`),
  ]
}

function hiddenLines(hidden: readonly DropCount[], look: Paint): string[] {
  if (hidden.length === 0) return []
  const packets = hidden.reduce((sum, one) => sum + one.packets, 0n)
  return ['', look.quiet(`${counted(packets, 'packet')} of ordinary noise not shown: --all`)]
}
