/**
 * The tables that CustomResourceDefinitions describe.
 * @module
 */
import type { Column, ServedResource } from '../contract.ts'
import { ageOf } from './age.ts'
import { NAME } from './columns.ts'
import { followJsonPath, parseJsonPath } from './json-path.ts'

/** A column and the path to what stands in it. */
export interface PrinterColumn extends Column {
  readonly jsonPath: string
}

/** The table with the name first and a cell for every column; undefined when a path cannot be read. */
export function columnsOf(columns: readonly PrinterColumn[]): NonNullable<ServedResource['table']> | undefined {
  const read = columns.flatMap(({ jsonPath, ...column }) => {
    const steps = parseJsonPath(jsonPath)
    return steps === undefined ? [] : [{ column, steps }]
  })
  if (read.length < columns.length) return undefined
  return {
    columns: [NAME, ...read.map(({ column }) => column)],
    cells: (object, now) => [
      object.metadata.name,
      ...read.map(({ column, steps }) => cell(column.type, followJsonPath(object, steps), now)),
    ],
  }
}

/** Where a path leads nowhere the cell is empty; a number's cell shows numbers only. */
function cell(type: Column['type'], found: readonly unknown[], now: Date): unknown {
  const [first] = found
  if (first === undefined) return null
  switch (type) {
    case 'integer':
      return typeof first === 'number' ? Math.trunc(first) : null
    case 'number':
      return typeof first === 'number' ? first : null
    case 'boolean':
      return typeof first === 'boolean' ? first : null
    case 'date':
      return ageOf(first, now)
    case 'string':
      return found.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join(' ')
  }
}
