import { OvsdbError } from '../errors.ts'
import type { Column, NamedUuid, UuidRef } from '../schema/column.ts'
import {
  type ColumnName,
  columnsOf,
  type Database,
  type InputOf,
  type RowInput,
  type TableName,
  type Tables,
  type ValueOf,
} from '../schema/database.ts'
import { encodeAtom, encodeValue, type ValueInput } from '../values.ts'
import { decodeRows, type OperationResult } from './results.ts'

/** One operation of a transaction, ready for the wire (RFC 7047 section 5.2). Make it with a database's builders. */
export type Operation = { readonly op: string; readonly table?: string } & Readonly<Record<string, unknown>>

export type ConditionFunction = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'includes' | 'excludes'

/** One clause of a condition; all clauses must hold. */
export type Clause<D extends Tables, T extends TableName<D>> =
  | readonly [column: '_uuid', fn: '==' | '!=', value: UuidRef]
  | {
      [C in ColumnName<D, T>]: readonly [column: C, fn: ConditionFunction, value: InputOf<D, T, C>]
    }[ColumnName<D, T>]

export type Where<D extends Tables, T extends TableName<D>> = readonly Clause<D, T>[]

export type Mutation<D extends Tables, T extends TableName<D>> = {
  [C in ColumnName<D, T>]:
    | readonly [column: C, mutator: '+=' | '-=' | '*=' | '/=' | '%=', value: number]
    | readonly [column: C, mutator: 'insert', value: InputOf<D, T, C>]
    /** From a map, keys alone or whole pairs may be deleted. */
    | readonly [column: C, mutator: 'delete', value: InputOf<D, T, C> | readonly string[]]
}[ColumnName<D, T>]

/** The builders of one database's operations. All throw OVSDB_BAD_VALUE for what does not fit its columns. */
export type Operations<D extends Tables> = {
  /** Inserts a row; `uuidName` lets other operations refer to it. The result has its `uuid`. */
  readonly insert: <T extends TableName<D>>(table: T, row: RowInput<D, T>, uuidName?: string) => Operation
  /** Overwrites columns of the matching rows. The result has `count`. */
  readonly update: <T extends TableName<D>>(table: T, where: Where<D, T>, row: RowInput<D, T>) => Operation
  /** Changes columns of the matching rows in place. The result has `count`. */
  readonly mutate: <T extends TableName<D>>(
    table: T,
    where: Where<D, T>,
    mutations: readonly Mutation<D, T>[],
  ) => Operation
  /** Deletes the matching rows; rows that nothing refers to vanish by themselves in non-root tables. */
  readonly deleteRows: <T extends TableName<D>>(table: T, where: Where<D, T>) => Operation
  /** Reads columns of the matching rows; decode the result's `rows` with `decodeRows`. */
  readonly select: <T extends TableName<D>>(
    table: T,
    where: Where<D, T>,
    columns: readonly (ColumnName<D, T> | '_uuid')[],
  ) => Operation
  /** Fails the transaction (OVSDB_WAIT_FAILED) unless the matching rows equal (or differ from) `rows` within the time. */
  readonly wait: <T extends TableName<D>, const C extends ColumnName<D, T>>(
    table: T,
    where: Where<D, T>,
    columns: readonly C[],
    until: '==' | '!=',
    rows: readonly RowInput<D, T>[],
    timeoutMs?: number,
  ) => Operation
  /** Decodes the rows of a `select` result. `_uuid`, where selected, becomes `uuid`. */
  readonly decodeRows: <T extends TableName<D>, const C extends ColumnName<D, T>>(
    table: T,
    result: OperationResult | undefined,
    columns: readonly (C | '_uuid')[],
  ) => readonly ({ readonly [K in C]: ValueOf<D, T, K> } & { readonly uuid: string })[]
}

/** The builders of a database's operations. */
export function operationsOf<D extends Tables>({ tables }: Pick<Database<D>, 'tables'>): Operations<D> {
  return {
    insert(table, row, uuidName) {
      const operation = { op: 'insert', table, row: encodeRow(tables, table, row) }
      return uuidName === undefined ? operation : { ...operation, 'uuid-name': uuidName }
    },
    update: (table, where, row) => ({
      op: 'update',
      table,
      where: encodeWhere(tables, table, where),
      row: encodeRow(tables, table, row),
    }),
    mutate(table, where, mutations) {
      const encoded = (mutations as readonly (readonly [string, string, ValueInput])[]).map(
        ([column, mutator, value]) => [
          column,
          mutator,
          encodeMutation(columnOf(tables, table, column), mutator, value),
        ],
      )
      return { op: 'mutate', table, where: encodeWhere(tables, table, where), mutations: encoded }
    },
    deleteRows: (table, where) => ({ op: 'delete', table, where: encodeWhere(tables, table, where) }),
    select: (table, where, columns) => ({ op: 'select', table, where: encodeWhere(tables, table, where), columns }),
    wait: (table, where, columns, until, rows, timeoutMs = 0) => ({
      op: 'wait',
      timeout: timeoutMs,
      table,
      where: encodeWhere(tables, table, where),
      columns,
      until,
      rows: rows.map((row) => encodeRow(tables, table, row)),
    }),
    decodeRows: (table, result, columns) => decodeRows(columnsOf(tables, table), result, columns) as never,
  }
}

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

/** A remark in the server's log of transactions. */
export function comment(text: string): Operation {
  return { op: 'comment', comment: text }
}

/** Encodes a condition; also used by monitors. */
export function encodeWhere<D extends Tables, T extends TableName<D>>(
  tables: D,
  table: T,
  where: Where<D, T>,
): readonly unknown[] {
  const clauses = where as unknown as readonly (readonly [string, string, unknown])[]
  return clauses.map(([column, fn, value]) => {
    if (column === '_uuid') return [column, fn, encodeAtom('uuid', value)]
    return [column, fn, encodeValue(columnOf(tables, table, column), value as ValueInput)]
  })
}

function encodeRow(tables: Tables, table: string, row: unknown): Readonly<Record<string, unknown>> {
  const entries = Object.entries(row as Readonly<Record<string, ValueInput>>)
  return Object.fromEntries(entries.map(([name, value]) => [name, encodeValue(columnOf(tables, table, name), value)]))
}

function encodeMutation(column: Column, mutator: string, value: ValueInput): unknown {
  if (mutator === 'insert') return encodeValue(column, value)
  if (mutator === 'delete') {
    const keysOnly = column.kind === 'map' && Array.isArray(value)
    return encodeValue(keysOnly ? { kind: 'set', key: column.key, volatile: false } : column, value)
  }
  return encodeAtom(column.key, value)
}

function columnOf(tables: Tables, table: string, name: string): Column {
  const columns = columnsOf(tables, table)
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined
  if (column !== undefined) return column
  throw new OvsdbError('OVSDB_BAD_VALUE', `table ${table} has no column ${name} in this client`, {
    remedy: 'declare the column where the tables of the database are declared',
  })
}
