/**
 * Everything of ours in the database: for audits, and for leaving it.
 * @module
 */
import type { Northbound } from '../connect.ts'
import { FOR_KEY, isOurs, ofCluster } from '../owner.ts'
import { read, rowsOf } from '../settle.ts'

/** A row of ours. */
export interface OwnedRow {
  readonly table: string
  readonly uuid: string
  readonly name: string
  /** What it is for; see `Purpose`. */
  readonly purpose: string
  readonly ids: ReadonlyMap<string, string>
}

/** All rows that carry this cluster's mark. */
export async function ownedRows(nbd: Northbound): Promise<readonly OwnedRow[]> {
  const mine = [ofCluster(nbd.cluster)] as const
  const columns = ['name', 'external_ids'] as const
  const tables = await read(nbd, {
    Logical_Router: rowsOf('Logical_Router', mine, columns),
    Logical_Switch: rowsOf('Logical_Switch', mine, columns),
    Logical_Router_Port: rowsOf('Logical_Router_Port', mine, columns),
    Logical_Switch_Port: rowsOf('Logical_Switch_Port', mine, columns),
    Port_Group: rowsOf('Port_Group', mine, columns),
    Address_Set: rowsOf('Address_Set', mine, columns),
  })
  return Object.entries(tables).flatMap(([table, rows]) =>
    rows
      .filter((row) => isOurs(row, nbd.cluster))
      .map(({ uuid, name, external_ids: ids }) => ({ table, uuid, name, purpose: ids.get(FOR_KEY) ?? '', ids })),
  )
}
