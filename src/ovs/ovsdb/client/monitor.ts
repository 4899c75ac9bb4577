import { type Cache, createCache, type UntypedChange } from '../cache/cache.ts'
import { isOvsdbError, OvsdbError } from '../errors.ts'
import {
  type ColumnName,
  columnsOf,
  type Database,
  type Row,
  type StableColumn,
  stableColumns,
  type TableName,
  type Tables,
} from '../schema/database.ts'
import { encodeWhere, type Where } from '../transact/operations.ts'
import type { Connection } from '../wire/connection.ts'
import { startDeadline } from './deadline.ts'
import type { Log } from './log.ts'

/** What to monitor of one table. */
export type TableSpec<D extends Tables, T extends TableName<D>> = {
  /** Default: every declared column except the volatile ones (statistics). */
  readonly columns?: readonly ColumnName<D, T>[]
  /** Only rows for which ANY clause holds (ovsdb-server(7), unlike the conditions of operations). Default: all. */
  readonly where?: Where<D, T>
}

export type MonitorSpec<D extends Tables> = { readonly [T in TableName<D>]?: TableSpec<D, T> }

type Selected<D extends Tables, S extends MonitorSpec<D>, T extends TableName<D>> = S[T] extends {
  readonly columns: readonly (infer C)[]
}
  ? Extract<C, ColumnName<D, T>>
  : StableColumn<D, T>

/** The row type a monitor gives for one of its tables. */
export type MonitoredRow<D extends Tables, S extends MonitorSpec<D>, T extends keyof S & TableName<D>> = Row<
  D,
  T,
  Selected<D, S, T>
>

/** One row's change; `columns` names what differs in a modify. Discriminate by `table`, then `type`. */
export type Change<D extends Tables, S extends MonitorSpec<D> = MonitorSpec<D>> = {
  [T in keyof S & TableName<D>]:
    | { readonly table: T; readonly type: 'insert'; readonly row: MonitoredRow<D, S, T> }
    | {
        readonly table: T
        readonly type: 'modify'
        readonly row: MonitoredRow<D, S, T>
        readonly old: MonitoredRow<D, S, T>
        readonly columns: readonly string[]
      }
    | { readonly table: T; readonly type: 'delete'; readonly old: MonitoredRow<D, S, T> }
}[keyof S & TableName<D>]

export type WaitOptions = { readonly signal?: AbortSignal; readonly timeoutMs?: number; readonly what?: string }

/** A live copy of some tables. It survives reconnects; changes made meanwhile arrive as ordinary changes. */
export type Monitor<D extends Tables, S extends MonitorSpec<D>> = {
  rows<T extends keyof S & TableName<D>>(table: T): ReadonlyMap<string, MonitoredRow<D, S, T>>
  row<T extends keyof S & TableName<D>>(table: T, uuid: string): MonitoredRow<D, S, T> | undefined
  byName<T extends keyof S & TableName<D>>(table: T, name: string): MonitoredRow<D, S, T> | undefined
  /** Calls back with the changes of one server transaction (or one resync), the cache being up to date. Returns the undo. */
  subscribe(listener: (changes: readonly Change<D, S>[]) => void): () => void
  /**
   * Resolves with the first value of `probe` that is not undefined, looked at now and after each change. Throws what
   * `probe` throws, OVSDB_TIMEOUT after `timeoutMs` (default none), OVSDB_ABORTED by the signal, OVSDB_CLOSED at the end.
   */
  waitFor<R>(probe: (monitor: Monitor<D, S>) => R | undefined, options?: WaitOptions): Promise<R>
  close(): void
}

/** The side of a monitor that the client drives. */
export type MonitorCore = {
  readonly id: string
  /** Asks for the rows on a fresh connection; resolves when they are in the cache. */
  start(connection: Connection): Promise<void>
  /** Handles `update2` and `update3` of this monitor. */
  update(method: string, params: readonly unknown[]): void
  end(error: OvsdbError): void
}

const NO_TRANSACTION = '00000000-0000-0000-0000-000000000000'

/** Makes a monitor; `onClose` is called when its user closes it. */
export function createMonitor<D extends Tables, const S extends MonitorSpec<D>>(
  database: Database<D>,
  id: string,
  spec: S,
  onClose: () => void,
  log: Log,
): { readonly core: MonitorCore; readonly monitor: Monitor<D, S> } {
  const requests = encodeSpec(database.tables, spec)
  const cache = createCache(tablesOf(database.tables, requests))
  const listeners = new Set<(changes: readonly Change<D, S>[]) => void>()
  const waiters = new Set<{ check(): void; fail(error: OvsdbError): void }>()
  let lastTransaction = NO_TRANSACTION
  let ended: OvsdbError | undefined

  const publish = (changes: readonly UntypedChange[]): void => {
    if (changes.length === 0) return
    for (const listener of [...listeners]) {
      try {
        listener(changes as unknown as readonly Change<D, S>[])
      } catch (error) {
        log('error', 'a subscriber of OVSDB changes threw', { error: String(error) })
      }
    }
    for (const waiter of [...waiters]) waiter.check()
  }
  /** After an update that cannot be applied the copy is not to be trusted: the next start loads everything. */
  const guarded = (apply: () => readonly UntypedChange[]): void => {
    let changes: readonly UntypedChange[]
    try {
      changes = apply()
    } catch (error) {
      lastTransaction = NO_TRANSACTION
      throw error
    }
    publish(changes)
  }
  const startSince = (connection: Connection): Promise<void> =>
    callInOrder(connection, 'monitor_cond_since', [database.name, id, requests, lastTransaction], (result) => {
      if (!Array.isArray(result) || result.length !== 3) throw badReply()
      guarded(() => (result[0] === true ? cache.apply(result[2]) : cache.replace(result[2])))
      lastTransaction = typeof result[1] === 'string' ? result[1] : NO_TRANSACTION
    })
  const startPlain = (connection: Connection): Promise<void> =>
    callInOrder(connection, 'monitor_cond', [database.name, id, requests], (result) =>
      guarded(() => cache.replace(result)),
    )

  const monitor: Monitor<D, S> = {
    rows: (table) => typedRows<D, S, typeof table>(cache, table),
    row: (table, uuid) => typedRows<D, S, typeof table>(cache, table).get(uuid),
    byName: (table, name) => cache.byName(table, name) as MonitoredRow<D, S, typeof table> | undefined,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    waitFor: (probe, options = {}) =>
      new Promise((resolve, reject) => {
        const deadline = startDeadline(options.timeoutMs, options.signal)
        const done = (): void => {
          deadline.clear()
          deadline.signal.removeEventListener('abort', onAbort)
          waiters.delete(waiter)
        }
        const fail = (error: unknown): void => {
          done()
          reject(error)
        }
        const onAbort = (): void => fail(gaveUp(database, options, deadline.timedOut()))
        const check = (): void => {
          try {
            const value = probe(monitor)
            if (value === undefined) return
            done()
            resolve(value)
          } catch (error) {
            fail(error)
          }
        }
        const waiter = { check, fail }
        if (ended !== undefined) return fail(ended)
        if (deadline.signal.aborted) return onAbort()
        deadline.signal.addEventListener('abort', onAbort, { once: true })
        waiters.add(waiter)
        check()
      }),
    close: () => {
      core.end(closed())
      onClose()
    },
  }
  const core: MonitorCore = {
    id,
    start: (connection) =>
      startSince(connection).catch((error: unknown) => {
        const unknownMethod = isOvsdbError(error, 'OVSDB_RPC_ERROR') && error.details === 'unknown method'
        if (unknownMethod) return startPlain(connection)
        throw error
      }),
    update(method, params) {
      if (ended !== undefined) return
      guarded(() => cache.apply(params[method === 'update3' ? 2 : 1]))
      if (method === 'update3' && typeof params[1] === 'string') lastTransaction = params[1]
    },
    end(error) {
      ended ??= error
      for (const waiter of [...waiters]) waiter.fail(ended)
      listeners.clear()
    },
  }
  return { core, monitor }
}

/** A request whose answer is handled before the next message is looked at; a throwing handler ends the connection. */
function callInOrder(
  connection: Connection,
  method: string,
  params: readonly unknown[],
  handle: (result: unknown) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const onResult = (result: unknown): void => {
      try {
        handle(result)
        resolve()
      } catch (error) {
        reject(error)
        throw error
      }
    }
    connection.call(method, params, { resolve: onResult, reject })
  })
}

type MonitorRequests = Readonly<Record<string, readonly [{ readonly columns: readonly string[] }]>>

function encodeSpec<D extends Tables>(tables: D, spec: MonitorSpec<D>): MonitorRequests {
  const entries = Object.entries(spec as Readonly<Record<string, TableSpec<D, TableName<D>> | undefined>>)
  return Object.fromEntries(
    entries.flatMap(([table, wanted]) => {
      if (!Object.hasOwn(tables, table) || wanted === undefined) return []
      const columns: readonly string[] = wanted.columns ?? stableColumns(columnsOf(tables, table))
      const where = wanted.where === undefined ? {} : { where: encodeWhere(tables, table, wanted.where) }
      return [[table, [{ columns, ...where }] as const]]
    }),
  )
}

function tablesOf(tables: Tables, requests: MonitorRequests): Parameters<typeof createCache>[0] {
  return Object.fromEntries(
    Object.entries(requests).map(([table, [{ columns }]]) => {
      const declared = Object.entries(columnsOf(tables, table))
      return [table, Object.fromEntries(declared.filter(([name]) => columns.includes(name)))]
    }),
  )
}

function typedRows<D extends Tables, S extends MonitorSpec<D>, T extends keyof S & TableName<D>>(
  cache: Cache,
  table: T,
) {
  return cache.rows(table) as unknown as ReadonlyMap<string, MonitoredRow<D, S, T>>
}

function gaveUp({ remedies }: Database, options: WaitOptions, timedOut: boolean): OvsdbError {
  const what = options.what ?? 'a change in the database'
  if (!timedOut) return new OvsdbError('OVSDB_ABORTED', `stopped waiting for ${what}`, { remedy: 'none needed' })
  return new OvsdbError('OVSDB_TIMEOUT', `waited ${options.timeoutMs} ms for ${what}`, { remedy: remedies.follower })
}

function closed(): OvsdbError {
  return new OvsdbError('OVSDB_CLOSED', 'the monitor was closed', { remedy: 'none needed' })
}

function badReply(): OvsdbError {
  return new OvsdbError('OVSDB_BAD_MESSAGE', 'ovsdb-server answered a monitor request with no table updates', {
    remedy: 'none needed: the client reconnects',
  })
}
