import type { Column, ColumnInput, ColumnValue, TableColumns } from './column.ts'

/** Tables by name, as this client uses them. */
export type Tables = Readonly<Record<string, TableColumns>>

/** A database of an ovsdb-server: what this client uses of it, and what to do when it fails. */
export type Database<D extends Tables = Tables> = {
  readonly name: string
  /** Checked against the server's schema at every connect. */
  readonly tables: D
  /** What to do, one sentence each. */
  readonly remedies: {
    /** Nobody answers. */
    readonly unreachable: string
    /** The server's schema lacks something. */
    readonly schema: string
    /** Who follows the database did not do so in time. */
    readonly follower: string
  }
}

export type TableName<D extends Tables> = keyof D & string
export type ColumnName<D extends Tables, T extends TableName<D>> = keyof D[T] & string
type ColumnOf<D extends Tables, T extends TableName<D>, C extends ColumnName<D, T>> = D[T][C] extends infer X
  ? X extends Column
    ? X
    : never
  : never

export type ValueOf<D extends Tables, T extends TableName<D>, C extends ColumnName<D, T>> = ColumnValue<
  ColumnOf<D, T, C>
>
export type InputOf<D extends Tables, T extends TableName<D>, C extends ColumnName<D, T>> = ColumnInput<
  ColumnOf<D, T, C>
>

/** Columns monitored when none are named: all but the volatile ones. */
export type StableColumn<D extends Tables, T extends TableName<D>> = {
  [C in ColumnName<D, T>]: D[T][C] extends { readonly volatile: true } ? never : C
}[ColumnName<D, T>]

/** A cached row. */
export type Row<D extends Tables, T extends TableName<D>, C extends ColumnName<D, T> = StableColumn<D, T>> = {
  readonly [K in C]: ValueOf<D, T, K>
} & { readonly uuid: string }

/** Columns of an insert or update; the server gives the others their defaults or leaves them. */
export type RowInput<D extends Tables, T extends TableName<D>> = {
  readonly [C in ColumnName<D, T>]?: InputOf<D, T, C>
}

/** A declared table's columns, without their literal types; none of a table that is not declared. */
export function columnsOf(tables: Tables, table: string): TableColumns {
  return (Object.hasOwn(tables, table) ? tables[table] : undefined) ?? {}
}

/** Names of the columns monitored by default. */
export function stableColumns(columns: TableColumns): readonly string[] {
  return Object.entries(columns).flatMap(([name, column]) => (column.volatile ? [] : [name]))
}
