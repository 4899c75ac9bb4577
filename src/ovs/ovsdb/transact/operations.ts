import { OvsdbError } from '../errors.ts'
import type { Column, NamedUuid, UuidRef } from '../schema/column.ts'
import { type ColumnName, columnsOf, type InputOf, type RowInput, type TableName } from '../schema/open-vswitch.ts'
import { encodeAtom, encodeValue, type ValueInput } from '../values.ts'

/** One operation of a transaction, ready for the wire (RFC 7047 section 5.2). Make it with the builders below. */
export type Operation = { readonly op: string; readonly table?: string } & Readonly<Record<string, unknown>>

export type ConditionFunction = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'includes' | 'excludes'

/** One clause of a condition; all clauses must hold. */
export type Clause<T extends TableName> =
  | readonly [column: '_uuid', fn: '==' | '!=', value: UuidRef]
  | { [C in ColumnName<T>]: readonly [column: C, fn: ConditionFunction, value: InputOf<T, C>] }[ColumnName<T>]

export type Where<T extends TableName> = readonly Clause<T>[]

export type Mutation<T extends TableName> = {
  [C in ColumnName<T>]:
    | readonly [column: C, mutator: '+=' | '-=' | '*=' | '/=' | '%=', value: number]
    | readonly [column: C, mutator: 'insert', value: InputOf<T, C>]
    /** From a map, keys alone or whole pairs may be deleted. */
    | readonly [column: C, mutator: 'delete', value: InputOf<T, C> | readonly string[]]
}[ColumnName<T>]

/** Every row of the table. */
export const everyRow: readonly never[] = []

/** The row with this UUID, or the one made by a named insert. */
export function byUuid(uuid: UuidRef): readonly [readonly ['_uuid', '==', UuidRef]] {
  return [['_uuid', '==', uuid]]
}

/** The row with this name, in tables that have one. */
export function byName(name: string): readonly [readonly ['name', '==', string]] {
  return [['name', '==', name]]
}

/** A reference to the row made by `insert(…, uuidName)` in the same transaction. */
export function named(uuidName: string): NamedUuid {
  return { namedUuid: uuidName }
}

/** Inserts a row; `uuidName` lets other operations refer to it. The result has its `uuid`. */
export function insert<T extends TableName>(table: T, row: RowInput<T>, uuidName?: string): Operation {
  const operation = { op: 'insert', table, row: encodeRow(table, row) }
  return uuidName === undefined ? operation : { ...operation, 'uuid-name': uuidName }
}

/** Overwrites columns of the matching rows. The result has `count`. */
export function update<T extends TableName>(table: T, where: Where<T>, row: RowInput<T>): Operation {
  return { op: 'update', table, where: encodeWhere(table, where), row: encodeRow(table, row) }
}

/** Changes columns of the matching rows in place. The result has `count`. */
export function mutate<T extends TableName>(table: T, where: Where<T>, mutations: readonly Mutation<T>[]): Operation {
  const encoded = mutations.map(([column, mutator, value]) => [
    column,
    mutator,
    encodeMutation(columnOf(table, column), mutator, value as ValueInput),
  ])
  return { op: 'mutate', table, where: encodeWhere(table, where), mutations: encoded }
}

/** Deletes the matching rows; rows that nothing refers to vanish by themselves in non-root tables. */
export function deleteRows<T extends TableName>(table: T, where: Where<T>): Operation {
  return { op: 'delete', table, where: encodeWhere(table, where) }
}

/** Reads columns of the matching rows; decode the result's `rows` with `decodeRows`. */
export function select<T extends TableName>(
  table: T,
  where: Where<T>,
  columns: readonly (ColumnName<T> | '_uuid')[],
): Operation {
  return { op: 'select', table, where: encodeWhere(table, where), columns }
}

/** Fails the transaction (OVSDB_WAIT_FAILED) unless the matching rows equal (or differ from) `rows` within the time. */
export function wait<T extends TableName, const C extends ColumnName<T>>(
  table: T,
  where: Where<T>,
  columns: readonly C[],
  until: '==' | '!=',
  rows: readonly RowInput<T>[],
  timeoutMs = 0,
): Operation {
  const encoded = rows.map((row) => encodeRow(table, row))
  return { op: 'wait', timeout: timeoutMs, table, where: encodeWhere(table, where), columns, until, rows: encoded }
}

/** A remark in the server's log of transactions. */
export function comment(text: string): Operation {
  return { op: 'comment', comment: text }
}

/** Encodes a condition; also used by monitors. */
export function encodeWhere<T extends TableName>(table: T, where: Where<T>): readonly unknown[] {
  const clauses: readonly (readonly [string, string, unknown])[] = where
  return clauses.map(([column, fn, value]) => {
    if (column === '_uuid') return [column, fn, encodeAtom('uuid', value)]
    return [column, fn, encodeValue(columnOf(table, column), value as ValueInput)]
  })
}

function encodeRow<T extends TableName>(table: T, row: RowInput<T>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(row as Readonly<Record<string, ValueInput>>)
  return Object.fromEntries(entries.map(([name, value]) => [name, encodeValue(columnOf(table, name), value)]))
}

function encodeMutation(column: Column, mutator: string, value: ValueInput): unknown {
  if (mutator === 'insert') return encodeValue(column, value)
  if (mutator === 'delete') {
    const keysOnly = column.kind === 'map' && Array.isArray(value)
    return encodeValue(keysOnly ? { kind: 'set', key: column.key, volatile: false } : column, value)
  }
  return encodeAtom(column.key, value)
}

function columnOf(table: TableName, name: string): Column {
  const column = Object.hasOwn(columnsOf(table), name) ? columnsOf(table)[name] : undefined
  if (column !== undefined) return column
  throw new OvsdbError('OVSDB_BAD_VALUE', `table ${table} has no column ${name} in this client`, {
    remedy: 'declare the column in schema/open-vswitch.ts',
  })
}
