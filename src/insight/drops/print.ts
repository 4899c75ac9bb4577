/**
 * Drops for people.
 * @module
 */
import { BRIDGE } from '../../network/host.ts'
import { DROPS, type DropName } from '../../network/pipeline/drops.ts'
import type { Look } from '../../text/look.ts'
import { type Column, table } from '../../text/table.ts'
import { count as counted, grouped, printable, wrap } from '../../text/words.ts'
import { explainDrop } from '../explain/drop-sentences/explain-drop.ts'
import { SHARED } from '../explain/drop-sentences/place.ts'
import { type DropCount, isBenign } from './drops.ts'

const COLUMNS: readonly Column[] = [
  { head: 'PACKETS', align: 'right' },
  { head: 'BYTES', align: 'right' },
  { head: 'NODE' },
  { head: 'REASON' },
  { head: 'OBJECT' },
]
/** Where there are several. */
const BRIDGE_COLUMN: Column = { head: 'BRIDGE' }

/** The lines of `weft drops`: what was dropped, then what the reasons mean. Benign ones only with `all`. */
export function printDrops(counts: readonly DropCount[], all: boolean, look: Look): string[] {
  const seen = counts.filter(({ packets }) => packets > 0n)
  const shown = seen.filter(({ reason }) => all || !isBenign(reason))
  const hidden = seen.filter((one) => !shown.includes(one))
  const isOfSeveral = shown.some(({ bridge }) => bridge !== undefined)
  return [
    ...(shown.length === 0
      ? ['Nothing was dropped.']
      : table(
          isOfSeveral ? COLUMNS.toSpliced(3, 0, BRIDGE_COLUMN) : COLUMNS,
          shown.map((one) => row(one, isOfSeveral, look)),
          look,
        )),
    ...sharedLines(shown, look),
    ...(shown.length === 0 ? [] : ['', ...reasons(shown, look)]),
    ...hiddenLines(hidden, look),
  ]
}

/** One line of `weft drops --follow`. */
export function printIncrement({ node, bridge, reason, object, packets }: DropCount, look: Look): string {
  const { because } = explainDrop(reason, { object, node })
  const place = bridge === undefined ? node : `${node} ${bridge}`
  return printable(`${place}  ${ownerOf(object)}  ${reason} +${grouped(packets, look)}  ${because}`)
}

function row({ node, bridge, reason, object, packets, bytes }: DropCount, isOfSeveral: boolean, look: Look): string[] {
  const where = isOfSeveral ? [node, bridge ?? BRIDGE] : [node]
  return [grouped(packets, look), grouped(bytes, look), ...where, reason, ownerOf(object)]
}

/** Flows that are the same on every node drop for all: their counters know no pod. */
function ownerOf(object: string): string {
  return object === SHARED ? '—' : object
}

function sharedLines(counts: readonly DropCount[], look: Look): string[] {
  if (!counts.some(({ object }) => object === SHARED)) return []
  const text = '—: one counter for all pods of the node; weft trace <pod> <pod> says who is refused, and why'
  return wrap(text, look.width).map(look.quiet)
}

/** Of how many objects a reason tells. The table has them all. */
const MOST_TOLD = 4

function reasons(counts: readonly DropCount[], look: Look): string[] {
  const names = [...new Set(counts.map(({ reason }) => reason))]
  return names.flatMap((name) => {
    const own = counts.filter(({ reason, object }) => reason === name && object !== SHARED)
    return reasonLines(name, own, look)
  })
}

/** What a reason means, and where objects of their own drop for it, what each of them did. */
function reasonLines(name: DropName, own: readonly DropCount[], look: Look): string[] {
  const { because, remedy } = DROPS[name]
  const told = own.slice(0, MOST_TOLD).map(({ object, node }) => explainDrop(name, { object, node }).because)
  const more = own.length > MOST_TOLD ? [`and ${own.length - MOST_TOLD} more objects`] : []
  return [
    ...wrap(`${name}: ${because}.`, look.width).map((line, i) => (i === 0 ? look.title(line) : line)),
    ...[...told, ...more].flatMap((text) =>
      wrap(`· ${printable(text)}`, look.width - 4).map((line, i) => `${i === 0 ? '  ' : '    '}${line}`),
    ),
    ...wrap(`→ ${remedy}`, look.width - 2).map((line) => `  ${line}`),
  ]
}

function hiddenLines(hidden: readonly DropCount[], look: Look): string[] {
  if (hidden.length === 0) return []
  const packets = hidden.reduce((sum, one) => sum + one.packets, 0n)
  return ['', look.quiet(`${counted(packets, 'packet', look)} of ordinary noise not shown: --all`)]
}
