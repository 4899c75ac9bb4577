import { optional, scalar } from './column.ts'
import type { Database, Tables } from './database.ts'

const TABLES = {
  Database: {
    name: scalar('string'),
    model: scalar('string'),
    connected: scalar('boolean'),
    leader: scalar('boolean'),
    cid: optional('uuid'),
    sid: optional('uuid'),
  },
} as const satisfies Tables

export type ServerTables = typeof TABLES

/** What every ovsdb-server says of the databases that it serves (ovsdb-server(5)). */
export const SERVER: Database<ServerTables> = {
  name: '_Server',
  tables: TABLES,
  remedies: {
    unreachable: 'start ovsdb-server',
    schema: 'use ovsdb-server 2.9 or later',
    follower: 'read the log of ovsdb-server',
  },
}
