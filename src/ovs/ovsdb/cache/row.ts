import { OvsdbError } from '../errors.ts'
import type { Column, TableColumns } from '../schema/column.ts'
import { type Atom, decodeValue, defaultValue, sameValue, type Value } from '../values.ts'
import { isObject } from '../wire/message.ts'

/** A cached row without its table's type. */
export type UntypedRow = Readonly<Record<string, Value>> & { readonly uuid: string }

/** Makes a row from an `initial` or `insert` update: columns left out have their defaults. */
export function makeRow(columns: TableColumns, uuid: string, json: unknown): UntypedRow {
  const given = members(json)
  const entries = Object.entries(columns).map(([name, column]): readonly [string, Value] => {
    return [name, Object.hasOwn(given, name) ? decodeValue(column, given[name]) : defaultValue(column)]
  })
  return { ...Object.fromEntries(entries), uuid }
}

/** Applies a `modify` update of ovsdb-server(7): scalars and optionals are new values, sets and maps are differences. */
export function modifyRow(columns: TableColumns, old: UntypedRow, json: unknown): UntypedRow {
  const given = members(json)
  const entries = Object.entries(columns).flatMap(([name, column]): readonly (readonly [string, Value])[] => {
    if (!Object.hasOwn(given, name)) return []
    return [[name, applyDifference(column, old[name], decodeValue(column, given[name]))]]
  })
  return { ...old, ...Object.fromEntries(entries), uuid: old.uuid }
}

/** Names of the columns in which two rows of one table differ. */
export function changedColumns(columns: TableColumns, a: UntypedRow, b: UntypedRow): readonly string[] {
  return Object.keys(columns).filter((name) => !sameValue(a[name], b[name]))
}

function applyDifference(column: Column, old: Value, difference: Value): Value {
  if (column.kind === 'map' && old instanceof Map && difference instanceof Map) return toggleMap(old, difference)
  if (column.kind === 'set' && Array.isArray(old) && Array.isArray(difference)) return toggleSet(old, difference)
  return difference
}

/** Elements in one of both sets, not in both. */
function toggleSet(old: readonly Atom[], difference: readonly Atom[]): readonly Atom[] {
  const result = new Set(old)
  for (const atom of difference) if (!result.delete(atom)) result.add(atom)
  return [...result]
}

/** A pair already there is removed, another value of the key replaces, a new key is added. */
function toggleMap(old: ReadonlyMap<Atom, Atom>, difference: ReadonlyMap<Atom, Atom>): ReadonlyMap<Atom, Atom> {
  const result = new Map(old)
  for (const [key, value] of difference) {
    if (result.has(key) && result.get(key) === value) result.delete(key)
    else result.set(key, value)
  }
  return result
}

function members(json: unknown): Readonly<Record<string, unknown>> {
  if (isObject(json)) return json
  throw new OvsdbError('OVSDB_BAD_MESSAGE', 'a row update is not an object', { remedy: 'reconnect' })
}
