/**
 * Columns of text.
 * @module
 */
import { fit, widthOf } from '../playground/text.ts'

/** Rows as columns, each as wide as its widest cell, two blanks between. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => widthOf(row[i] ?? ''))))
  return rows
    .map((row) =>
      row
        .map((cell, i) => fit(cell, widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
