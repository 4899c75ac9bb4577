import { OvsdbError } from '../errors.ts'
import type { TableColumns } from '../schema/column.ts'
import { isUuid } from '../values.ts'
import { isObject } from '../wire/message.ts'
import { changedColumns, makeRow, modifyRow, type UntypedRow } from './row.ts'

/** One row's change. `columns` names what differs in a modify. */
export type UntypedChange =
  | { readonly type: 'insert'; readonly table: string; readonly row: UntypedRow }
  | {
      readonly type: 'modify'
      readonly table: string
      readonly row: UntypedRow
      readonly old: UntypedRow
      readonly columns: readonly string[]
    }
  | { readonly type: 'delete'; readonly table: string; readonly old: UntypedRow }

/** Rows of the monitored tables by UUID and by name. */
export type Cache = {
  rows(table: string): ReadonlyMap<string, UntypedRow>
  byName(table: string, name: string): UntypedRow | undefined
  /** Applies `<table-updates2>` of ovsdb-server(7) and returns what changed. Throws and stays as it was on a bad update. */
  apply(updates: unknown): readonly UntypedChange[]
  /** Takes a full dump, returns the differences to what was held: nothing that changed meanwhile is lost or invented. */
  replace(updates: unknown): readonly UntypedChange[]
}

type Table = { readonly columns: TableColumns; rows: Map<string, UntypedRow>; names: Map<string, UntypedRow> }

/** Makes an empty cache of the given tables and columns. */
export function createCache(tables: Readonly<Record<string, TableColumns>>): Cache {
  const held = new Map<string, Table>()
  for (const [name, columns] of Object.entries(tables)) held.set(name, { columns, rows: new Map(), names: new Map() })
  const commit = (changes: readonly UntypedChange[]): readonly UntypedChange[] => {
    // Removals first, so that a name passing from one row to another ends at the new one.
    for (const change of changes) if (change.type !== 'insert') drop(held.get(change.table), change.old)
    for (const change of changes) if (change.type !== 'delete') put(held.get(change.table), change.row)
    return changes
  }
  return {
    rows: (table) => held.get(table)?.rows ?? new Map(),
    byName: (table, name) => held.get(table)?.names.get(name),
    apply: (updates) => commit(eachRow(held, updates, (...update) => changeOf(...update))),
    replace(updates) {
      const seen = new Set<string>()
      const present = eachRow(held, updates, (table, name, uuid, update) => {
        seen.add(`${name}/${uuid}`)
        const row = makeRow(table.columns, uuid, update['initial'] ?? update['insert'])
        return compare(table, name, row)
      })
      return commit([...missing(held, seen), ...present])
    },
  }
}

type RowVisitor = (
  table: Table,
  name: string,
  uuid: string,
  update: Readonly<Record<string, unknown>>,
) => UntypedChange | undefined

function eachRow(held: ReadonlyMap<string, Table>, updates: unknown, visit: RowVisitor): readonly UntypedChange[] {
  const changes: UntypedChange[] = []
  for (const [name, rows] of Object.entries(object(updates))) {
    const table = held.get(name)
    if (table === undefined) throw bad(`an update of table ${name}, which is not monitored`)
    for (const [uuid, update] of Object.entries(object(rows))) {
      if (!isUuid(uuid)) throw bad('a row key that is no UUID')
      const change = visit(table, name, uuid, object(update))
      if (change !== undefined) changes.push(change)
    }
  }
  return changes
}

function changeOf(
  table: Table,
  name: string,
  uuid: string,
  update: Readonly<Record<string, unknown>>,
): UntypedChange | undefined {
  const old = table.rows.get(uuid)
  if ('delete' in update) return old === undefined ? undefined : { type: 'delete', table: name, old }
  const fresh = update['initial'] ?? update['insert']
  if (fresh !== undefined) return compare(table, name, makeRow(table.columns, uuid, fresh))
  if (!('modify' in update)) throw bad('a row update of no known kind')
  if (old === undefined) throw bad(`a modification of the unknown row ${uuid}`)
  return compare(table, name, modifyRow(table.columns, old, update['modify']))
}

function compare(table: Table, name: string, row: UntypedRow): UntypedChange | undefined {
  const old = table.rows.get(row.uuid)
  if (old === undefined) return { type: 'insert', table: name, row }
  const columns = changedColumns(table.columns, old, row)
  return columns.length === 0 ? undefined : { type: 'modify', table: name, row, old, columns }
}

function missing(held: ReadonlyMap<string, Table>, seen: ReadonlySet<string>): readonly UntypedChange[] {
  return [...held].flatMap(([name, table]) =>
    [...table.rows.values()].flatMap((old): readonly UntypedChange[] =>
      seen.has(`${name}/${old.uuid}`) ? [] : [{ type: 'delete', table: name, old }],
    ),
  )
}

function put(table: Table | undefined, row: UntypedRow): void {
  table?.rows.set(row.uuid, row)
  const name = row['name']
  if (typeof name === 'string') table?.names.set(name, row)
}

function drop(table: Table | undefined, row: UntypedRow): void {
  table?.rows.delete(row.uuid)
  const name = row['name']
  if (typeof name === 'string' && table?.names.get(name)?.uuid === row.uuid) table.names.delete(name)
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  if (isObject(value)) return value
  throw bad('an update that is not an object')
}

function bad(what: string): OvsdbError {
  return new OvsdbError('OVSDB_BAD_MESSAGE', `ovsdb-server sent ${what}`, {
    remedy: 'none needed: the client reconnects',
  })
}
