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
  const natural = naturalWidths(columns, cells, (line) => [line])
  const between = naturalWidths(columns, cells, (line) => line.split(' '))
  // Within words only where that between them is not enough.
  const widths = folded(columns, folded(columns, natural, look.width, between), look.width)
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

/** Of the widest head or piece of a line in each column. */
function naturalWidths(
  columns: readonly Column[],
  cells: readonly (readonly (readonly string[])[])[],
  piecesOf: (line: string) => readonly string[],
): number[] {
  const widest = columns.map(({ head }) => widthOf(head))
  for (const row of cells)
    for (const [i, lines] of row.entries())
      for (const piece of lines.flatMap(piecesOf)) widest[i] = Math.max(widest[i] ?? 0, widthOf(piece))
  return widest
}

/** Takes columns away from the widest until the table fits, or all are as narrow as may be. */
function folded(
  columns: readonly Column[],
  natural: readonly number[],
  width: number,
  narrowest: readonly number[] = [],
): number[] {
  const widths = [...natural]
  const least = columns.map(({ head }, i) => Math.max(NARROWEST, widthOf(head), narrowest[i] ?? 0))
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
