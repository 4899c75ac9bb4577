/**
 * Tables of text.
 * @module
 */
import type { Paint } from './paint.ts'
import { printable, wrap } from './printable.ts'

/** One column: its head and how its cells stand. */
export interface Column {
  readonly head: string
  readonly align?: 'left' | 'right'
  /** Paints a cell's text after its width was taken. */
  readonly paint?: (text: string, paint: Paint) => string
}

/** A cell: one line, or several below each other. */
export type Cell = string | readonly string[]

/** Nothing printed is wider. */
export const WIDTH = 100
const GAP = 2

/** The lines of a table. The last column is wrapped to what is left of {@link WIDTH}. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], look: Paint): string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? [cell] : cell).map(printable)))
  const last = columns.length - 1
  const widths = columns.map(({ head }, i) =>
    Math.max(head.length, ...cells.flatMap((row) => (row[i] ?? []).map(({ length }) => length))),
  )
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + GAP, 0)
  const room = Math.max(20, WIDTH - before)
  const padded = widths.map((width, i) => (i === last && columns[i]?.align !== 'right' ? 0 : width))
  const head = columns.map((column, i) => pad(column.head, padded[i] ?? 0, column.align))
  const lines = [look.title(head.join(' '.repeat(GAP)).trimEnd())]
  for (const row of cells) {
    const fitted = row.map((cell, i) => (i === last ? cell.flatMap((line) => wrap(line, room)) : cell))
    const height = Math.max(1, ...fitted.map(({ length }) => length))
    for (let y = 0; y < height; y += 1) {
      const texts = columns.map((column, i) => {
        const text = pad(fitted[i]?.[y] ?? '', padded[i] ?? 0, column.align)
        return column.paint === undefined ? text : column.paint(text, look)
      })
      lines.push(texts.join(' '.repeat(GAP)).trimEnd())
    }
  }
  return lines
}

function pad(text: string, width: number, align: Column['align']): string {
  return align === 'right' ? text.padStart(width) : text.padEnd(width)
}
