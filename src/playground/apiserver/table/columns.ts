/**
 * Columns that many tables have.
 * @module
 */
import type { Column } from '../contract.ts'

export const NAME: Column = { name: 'Name', type: 'string', format: 'name', description: 'Its name.' }
export const AGE: Column = { name: 'Age', type: 'string', description: 'How long ago it was created.' }

/** What stands where there is nothing. */
export const NONE = '<none>'
export const UNKNOWN = '<unknown>'

/** A column of text that is always shown. */
export function text(name: string, description: string): Column {
  return { name, type: 'string', description }
}

/** A column of text that is shown with `-o wide`. */
export function wide(name: string, description: string): Column {
  return { name, type: 'string', description, priority: 1 }
}

export function integer(name: string, description: string): Column {
  return { name, type: 'integer', description }
}
