/**
 * Tables of text, folded to the width that there is.
 * @module
 */
import type { Look } from './look.ts'
import { widthOf } from './width.ts'
import { printable, wrap } from './words.ts'

/** One column: its head and how its cells stand. */
export interface Column {
  readonly head: string
  readonly align?: 'left' | 'right'
  /** Paints a cell's text after its width was taken. */
  readonly paint?: (text: string, look: Look) => string
}

/** A cell: one line, or several below each other. */
export type Cell = string | readonly string[]

const GAP = 2
/** Columns are not folded below this. */
const NARROWEST = 10

/** The lines of a table. Columns are folded, the widest first, until all fit into the look's width. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], look: Look): string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? [cell] : cell).map(printable)))
  const widths = folded(columns, naturalWidths(columns, cells), look.width)
  const head = columns.map((column, i) => pad(column.head, widths[i] ?? 0, column.align))
  const lines = [look.title(head.join(' '.repeat(GAP)).trimEnd())]
  for (const row of cells) {
    const fitted = row.map((cell, i) => cell.flatMap((line) => fold(line, widths[i] ?? 0)))
    const height = Math.max(1, ...fitted.map(({ length }) => length))
    for (let y = 0; y < height; y += 1) {
      const texts = columns.map((column, i) => {
        const text = pad(fitted[i]?.[y] ?? '', widths[i] ?? 0, column.align)
        return column.paint === undefined ? text : column.paint(text, look)
      })
      lines.push(texts.join(' '.repeat(GAP)).trimEnd())
    }
  }
  return lines
}

function naturalWidths(columns: readonly Column[], cells: readonly (readonly (readonly string[])[])[]): number[] {
  return columns.map(({ head }, i) =>
    Math.max(widthOf(head), ...cells.flatMap((row) => (row[i] ?? []).map((line) => widthOf(line)))),
  )
}

/** Takes columns away from the widest until the table fits. */
function folded(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural]
  const least = columns.map(({ head }) => Math.max(NARROWEST, widthOf(head)))
  let excess = widths.reduce((sum, one) => sum + one + GAP, -GAP) - width
  while (excess > 0) {
    const spare = widths.map((one, i) => (one > (least[i] ?? 0) ? one : 0))
    const widest = spare.lastIndexOf(Math.max(...spare))
    if (spare[widest] === 0) return widths
    widths[widest] = (widths[widest] ?? 0) - 1
    excess -= 1
  }
  return widths
}

/** Between words where that is possible, else within them. */
function fold(text: string, width: number): string[] {
  return wrap(text, width).flatMap((line) => pieces([...line], width))
}

/** Broken where a name has a joint, if there is one in the latter half: `AdminNetwork|Policy`, `weft-dns-|9x`. */
function pieces(characters: readonly string[], width: number): string[] {
  const lines: string[] = []
  let rest = characters
  while (rest.length > width) {
    const joint = lastJoint(rest, width)
    const end = joint > width / 2 ? joint : width
    lines.push(rest.slice(0, end).join(''))
    rest = rest.slice(end)
  }
  return [...lines, rest.join('')]
}

/** The last place up to `width` that is after a mark, or before a capital. */
function lastJoint(characters: readonly string[], width: number): number {
  for (let end = width; end > 0; end -= 1) {
    const around = `${characters[end - 1]}${characters[end]}`
    if (/^[-./]|^[a-z][A-Z]/.test(around)) return end
  }
  return 0
}

function pad(text: string, width: number, align: Column['align']): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'right' ? blanks + text : text + blanks
}
