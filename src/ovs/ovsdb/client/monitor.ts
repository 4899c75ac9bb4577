import { type Cache, createCache, type UntypedChange } from '../cache/cache.ts'
import { isOvsdbError, OvsdbError } from '../errors.ts'
import {
  type ColumnName,
  columnsOf,
  DATABASE,
  isTableName,
  type Row,
  type StableColumn,
  stableColumns,
  type TableName,
} from '../schema/open-vswitch.ts'
import { encodeWhere, type Where } from '../transact/operations.ts'
import type { Connection } from '../wire/connection.ts'
import { startDeadline } from './deadline.ts'
import type { Log } from './log.ts'

/** What to monitor of one table. */
export type TableSpec<T extends TableName> = {
  /** Default: every declared column except the volatile ones (statistics). */
  readonly columns?: readonly ColumnName<T>[]
  /** Only rows for which ANY clause holds (ovsdb-server(7), unlike the conditions of operations). Default: all. */
  readonly where?: Where<T>
}

export type MonitorSpec = { readonly [T in TableName]?: TableSpec<T> }

type Selected<S extends MonitorSpec, T extends TableName> = S[T] extends { readonly columns: readonly (infer C)[] }
  ? Extract<C, ColumnName<T>>
  : StableColumn<T>

/** The row type a monitor gives for one of its tables. */
export type MonitoredRow<S extends MonitorSpec, T extends keyof S & TableName> = Row<T, Selected<S, T>>

/** One row's change; `columns` names what differs in a modify. Discriminate by `table`, then `type`. */
export type Change<S extends MonitorSpec = MonitorSpec> = {
  [T in keyof S & TableName]:
    | { readonly table: T; readonly type: 'insert'; readonly row: MonitoredRow<S, T> }
    | {
        readonly table: T
        readonly type: 'modify'
        readonly row: MonitoredRow<S, T>
        readonly old: MonitoredRow<S, T>
        readonly columns: readonly string[]
      }
    | { readonly table: T; readonly type: 'delete'; readonly old: MonitoredRow<S, T> }
}[keyof S & TableName]

export type WaitOptions = { readonly signal?: AbortSignal; readonly timeoutMs?: number; readonly what?: string }

/** A live copy of some tables. It survives reconnects; changes made meanwhile arrive as ordinary changes. */
export type Monitor<S extends MonitorSpec> = {
  rows<T extends keyof S & TableName>(table: T): ReadonlyMap<string, MonitoredRow<S, T>>
  row<T extends keyof S & TableName>(table: T, uuid: string): MonitoredRow<S, T> | undefined
  byName<T extends keyof S & TableName>(table: T, name: string): MonitoredRow<S, T> | undefined
  /** Calls back with the changes of one server transaction (or one resync), the cache being up to date. Returns the undo. */
  subscribe(listener: (changes: readonly Change<S>[]) => void): () => void
  /**
   * Resolves with the first value of `probe` that is not undefined, looked at now and after each change. Throws what
   * `probe` throws, OVSDB_TIMEOUT after `timeoutMs` (default none), OVSDB_ABORTED by the signal, OVSDB_CLOSED at the end.
   */
  waitFor<R>(probe: (monitor: Monitor<S>) => R | undefined, options?: WaitOptions): Promise<R>
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
export function createMonitor<const S extends MonitorSpec>(
  id: string,
  spec: S,
  onClose: () => void,
  log: Log,
): { readonly core: MonitorCore; readonly monitor: Monitor<S> } {
  const requests = encodeSpec(spec)
  const cache = createCache(tablesOf(requests))
  const listeners = new Set<(changes: readonly Change<S>[]) => void>()
  const waiters = new Set<{ check(): void; fail(error: OvsdbError): void }>()
  let lastTransaction = NO_TRANSACTION
  let ended: OvsdbError | undefined

  const publish = (changes: readonly UntypedChange[]): void => {
    if (changes.length === 0) return
    for (const listener of [...listeners]) {
      try {
        listener(changes as unknown as readonly Change<S>[])
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
    callInOrder(connection, 'monitor_cond_since', [DATABASE, id, requests, lastTransaction], (result) => {
      if (!Array.isArray(result) || result.length !== 3) throw badReply()
      guarded(() => (result[0] === true ? cache.apply(result[2]) : cache.replace(result[2])))
      lastTransaction = typeof result[1] === 'string' ? result[1] : NO_TRANSACTION
    })
  const startPlain = (connection: Connection): Promise<void> =>
    callInOrder(connection, 'monitor_cond', [DATABASE, id, requests], (result) => guarded(() => cache.replace(result)))

  const monitor: Monitor<S> = {
    rows: (table) => typedRows(cache, table),
    row: (table, uuid) => typedRows<S, typeof table>(cache, table).get(uuid),
    byName: (table, name) => cache.byName(table, name) as MonitoredRow<S, typeof table> | undefined,
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
        const onAbort = (): void => fail(gaveUp(options, deadline.timedOut()))
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

function encodeSpec(spec: MonitorSpec): MonitorRequests {
  const entries = Object.entries(spec as Readonly<Record<string, TableSpec<TableName> | undefined>>)
  return Object.fromEntries(
    entries.flatMap(([table, wanted]) => {
      if (!isTableName(table) || wanted === undefined) return []
      const columns: readonly string[] = wanted.columns ?? stableColumns(table)
      const where = wanted.where === undefined ? {} : { where: encodeWhere(table, wanted.where) }
      return [[table, [{ columns, ...where }] as const]]
    }),
  )
}

function tablesOf(requests: MonitorRequests): Parameters<typeof createCache>[0] {
  return Object.fromEntries(
    Object.entries(requests).map(([table, [{ columns }]]) => {
      const declared = isTableName(table) ? columnsOf(table) : {}
      return [table, Object.fromEntries(Object.entries(declared).filter(([name]) => columns.includes(name)))]
    }),
  )
}

function typedRows<S extends MonitorSpec, T extends keyof S & TableName>(cache: Cache, table: T) {
  return cache.rows(table) as unknown as ReadonlyMap<string, MonitoredRow<S, T>>
}

function gaveUp(options: WaitOptions, timedOut: boolean): OvsdbError {
  const what = options.what ?? 'a change in the database'
  if (!timedOut) return new OvsdbError('OVSDB_ABORTED', `stopped waiting for ${what}`, { remedy: 'none needed' })
  const remedy = 'check that ovs-vswitchd is running (ovs-appctl version) and read its log'
  return new OvsdbError('OVSDB_TIMEOUT', `waited ${options.timeoutMs} ms for ${what}`, { remedy })
}

function closed(): OvsdbError {
  return new OvsdbError('OVSDB_CLOSED', 'the monitor was closed', { remedy: 'none needed' })
}

function badReply(): OvsdbError {
  return new OvsdbError('OVSDB_BAD_MESSAGE', 'ovsdb-server answered a monitor request with no table updates', {
    remedy: 'none needed: the client reconnects',
  })
}
