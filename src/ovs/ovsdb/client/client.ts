import { isOvsdbError, OvsdbError } from '../errors.ts'
import type { Database, Tables } from '../schema/database.ts'
import type { Operation } from '../transact/operations.ts'
import { checkResults, type OperationResult } from '../transact/results.ts'
import type { Connection } from '../wire/connection.ts'
import type { Remote } from '../wire/remote.ts'
import type { TlsFiles } from '../wire/tls.ts'
import { startDeadline } from './deadline.ts'
import { type Link, type LinkState, startLink } from './link.ts'
import { type Log, noLog } from './log.ts'
import { createMonitor, type Monitor, type MonitorCore, type MonitorSpec } from './monitor.ts'

export type ClientOptions = {
  /** Where the database is served: tried one after the other. At least one. */
  readonly remotes: readonly Remote[]
  /** For `ssl:` remotes. */
  readonly tls?: TlsFiles
  /** Of a cluster's servers only its leader is used. Default: whichever answers. */
  readonly leaderOnly?: boolean
  /** Time for a TCP connection and its TLS handshake; default 5 s. */
  readonly connectTimeoutMs?: number
  /** Closes the client. */
  readonly signal?: AbortSignal
  readonly log?: Log
  /** True keeps trying when the first connection fails, instead of throwing. Default false. */
  readonly waitForServer?: boolean
  /** A server silent for one to two of these is probed, and given up after one more. Default 5000 ms. */
  readonly probeIntervalMs?: number
  /** First and longest delay between connection attempts. Defaults 50 and 5000 ms. */
  readonly backoffMs?: { readonly first: number; readonly max: number }
  /** Largest message accepted. Default 64 MiB. */
  readonly maxMessageBytes?: number
  /** For jitter; default Math.random. */
  readonly random?: () => number
}

export type TransactOptions = {
  readonly signal?: AbortSignal
  /** Time for the answer; default 30 s. */
  readonly timeoutMs?: number
}

/** A client of one database. It reconnects by itself; a transaction is never sent twice. */
export type DatabaseClient<D extends Tables> = {
  /**
   * Runs one transaction and checks every element of its result: resolves with one result per operation, or throws and
   * nothing was changed. OVSDB_DISCONNECTED and OVSDB_TIMEOUT say by `outcomeUnknown` whether it may have been done.
   */
  transact(operations: readonly Operation[], options?: TransactOptions): Promise<readonly OperationResult[]>
  /** Copies tables and keeps the copy current; resolves when the rows are there. */
  monitor<const S extends MonitorSpec<D>>(spec: S, options?: { readonly signal?: AbortSignal }): Promise<Monitor<D, S>>
  readonly state: LinkState
  /** Calls back on every change of state. Returns the undo. */
  onState(listener: (state: LinkState) => void): () => void
  /** Resolves when connected and every monitor is current. */
  whenConnected(options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number }): Promise<void>
  close(): void
  [Symbol.dispose](): void
}

const DEFAULT_TRANSACT_MS = 30_000

/**
 * Connects, checks the schema and resolves with a client. Rejects when all remotes were tried once, with the last one's
 * OVSDB_UNREACHABLE, OVSDB_NOT_LEADER, OVSDB_UNTRUSTED, OVSDB_SCHEMA_MISMATCH, ….
 */
export async function connectDatabase<D extends Tables>(
  database: Database<D>,
  options: ClientOptions,
): Promise<DatabaseClient<D>> {
  const log = options.log ?? noLog
  const monitors = new Map<string, MonitorCore>()
  let monitorCount = 0
  const link = startLink(database, options, monitors, log)
  const close = (): void => {
    link.close()
    for (const core of monitors.values()) core.end(clientClosed())
    monitors.clear()
    options.signal?.removeEventListener('abort', close)
  }
  if (options.signal?.aborted) close()
  options.signal?.addEventListener('abort', close, { once: true })

  const transact = async (operations: readonly Operation[], request: TransactOptions = {}) => {
    const connection = liveConnection(link)
    const deadline = startDeadline(request.timeoutMs ?? DEFAULT_TRANSACT_MS, request.signal)
    try {
      const result = await connection.request('transact', [database.name, ...operations], deadline.signal)
      return checkResults(operations, result)
    } catch (error) {
      if (deadline.timedOut() && isOvsdbError(error, 'OVSDB_ABORTED')) throw unanswered(error)
      throw error
    } finally {
      deadline.clear()
    }
  }
  const monitor = async <const S extends MonitorSpec<D>>(spec: S, request: { readonly signal?: AbortSignal } = {}) => {
    if (link.state === 'closed') throw clientClosed()
    monitorCount += 1
    const id = `weft-${monitorCount}`
    const forget = (): void => {
      if (monitors.delete(id)) link.connection?.request('monitor_cancel', [id]).catch(() => undefined)
    }
    const made = createMonitor<D, S>(database, id, spec, forget, log)
    monitors.set(id, made.core)
    try {
      await link.load(made.core, request.signal)
    } catch (error) {
      made.monitor.close()
      throw error
    }
    return made.monitor
  }
  const client: DatabaseClient<D> = {
    transact,
    monitor,
    get state() {
      return link.state
    },
    onState: link.onState,
    whenConnected: link.whenConnected,
    close,
    [Symbol.dispose]: close,
  }
  try {
    await link.firstAttempt
  } catch (error) {
    if (options.waitForServer === true && isOvsdbError(error) && error.retryable) await link.whenConnected()
    else {
      close()
      throw error
    }
  }
  return client
}

function liveConnection(link: Link): Connection {
  if (link.state === 'closed') throw clientClosed()
  if (link.connection !== undefined) return link.connection
  throw new OvsdbError('OVSDB_DISCONNECTED', 'not connected to ovsdb-server at the moment', {
    remedy: 'wait for the reconnect and try again',
  })
}

function unanswered(cause: OvsdbError): OvsdbError {
  return new OvsdbError('OVSDB_TIMEOUT', 'ovsdb-server did not answer the transaction in time', {
    remedy: 'read the database again before repeating the request',
    outcomeUnknown: cause.outcomeUnknown,
    cause,
  })
}

function clientClosed(): OvsdbError {
  return new OvsdbError('OVSDB_CLOSED', 'the OVSDB client was closed', { remedy: 'none needed' })
}
