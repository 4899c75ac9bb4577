import { isOvsdbError, OvsdbError } from '../errors.ts'
import { checkSchema } from '../schema/check.ts'
import { DATABASE } from '../schema/open-vswitch.ts'
import { type Connection, openConnection } from '../wire/connection.ts'
import { backoffDelay, sleep } from './backoff.ts'
import type { OvsdbOptions } from './client.ts'
import { startDeadline } from './deadline.ts'
import type { Log } from './log.ts'
import type { MonitorCore } from './monitor.ts'

export type LinkState = 'connecting' | 'connected' | 'closed'

/** Keeps one connection open: connects, checks the schema, loads the monitors, and does it again when it ends. */
export type Link = {
  readonly state: LinkState
  /** The connection while `connected`. */
  readonly connection: Connection | undefined
  /** Settles with the first attempt to connect. */
  readonly firstAttempt: Promise<void>
  onState(listener: (state: LinkState) => void): () => void
  whenConnected(options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number }): Promise<void>
  /** Loads a monitor that was just added, now or with the next connection. */
  load(core: MonitorCore, signal?: AbortSignal): Promise<void>
  close(): void
}

/** A session shorter than this does not reset the back-off. */
const STABLE_SESSION_MS = 1000

/** Starts connecting. `monitors` is read anew at every connect and for every notification. */
export function startLink(options: OvsdbOptions, monitors: ReadonlyMap<string, MonitorCore>, log: Log): Link {
  const backoff = {
    firstMs: options.backoffMs?.first ?? 50,
    maxMs: options.backoffMs?.max ?? 5000,
    random: options.random ?? Math.random,
  }
  const stopping = new AbortController()
  const listeners = new Set<(state: LinkState) => void>()
  let state: LinkState = 'connecting'
  let connection: Connection | undefined
  let opening: Connection | undefined

  const enter = (next: LinkState): void => {
    if (state === next || state === 'closed') return
    state = next
    for (const listener of [...listeners]) {
      try {
        listener(next)
      } catch (error) {
        log('error', 'a listener of the OVSDB state threw', { error: String(error) })
      }
    }
  }
  const notified = (method: string, params: readonly unknown[]): void => {
    const core = typeof params[0] === 'string' ? monitors.get(params[0]) : undefined
    if (core === undefined) return
    if (method === 'update3' || method === 'update2') core.update(method, params)
    else if (method === 'monitor_canceled') throw new OvsdbError('OVSDB_BAD_MESSAGE', 'the server cancelled a monitor')
  }
  /** One connection's life; resolves with the reason of its end, rejects when it could not be set up. */
  const session = async (established: () => void): Promise<string> => {
    const { promise: ended, resolve: onClosed } = Promise.withResolvers<string>()
    const { path, probeIntervalMs, maxMessageBytes } = options
    const opened = await openConnection({
      path,
      onNotification: notified,
      // At once, not in a later microtask: whoever sees a rejected request must see the link down.
      onClosed: (reason) => {
        connection = undefined
        enter('connecting')
        onClosed(reason)
      },
      ...(probeIntervalMs === undefined ? {} : { probeIntervalMs }),
      ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
    })
    opening = opened
    try {
      if (stopping.signal.aborted) throw closedError()
      checkSchema(await opened.request('get_schema', [DATABASE]))
      const loaded = new Set<MonitorCore>()
      const missing = (): readonly MonitorCore[] => [...monitors.values()].filter((core) => !loaded.has(core))
      // Monitors may be added while others load, so look again before declaring the link up.
      for (let todo = missing(); todo.length > 0; todo = missing()) {
        for (const core of todo) loaded.add(core)
        await Promise.all(todo.map((core) => core.start(opened)))
      }
      connection = opened
      enter('connected')
      established()
      return await ended
    } finally {
      opening = undefined
      opened.close('closed by this side')
    }
  }
  /** A failure that stays is told once, however often it is tried again, and once that it is over. */
  let told = ''
  const tellFailure = (error: unknown): void => {
    const known = isOvsdbError(error)
    const text = known ? `${error.message} → ${error.remedy}` : String(error)
    if (text === told || stopping.signal.aborted) return
    told = text
    log('warn', 'cannot use ovsdb-server', { path: options.path, code: known ? error.code : 'INTERNAL', error: text })
  }
  const run = async (settleFirst: (error?: unknown) => void): Promise<void> => {
    for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
      let since: number | undefined
      const established = (): void => {
        since = performance.now()
        settleFirst()
        if (told !== '') log('info', 'ovsdb-server answers', { path: options.path })
        told = ''
      }
      try {
        const reason = await session(established)
        if (!stopping.signal.aborted) log('warn', 'lost the connection to ovsdb-server', { path: options.path, reason })
      } catch (error) {
        settleFirst(error)
        tellFailure(error)
      }
      if (since !== undefined && performance.now() - since > STABLE_SESSION_MS) attempt = 0
      await sleep(backoffDelay(attempt, backoff), stopping.signal)
    }
    settleFirst(closedError())
  }
  const onState: Link['onState'] = (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const whenConnected: Link['whenConnected'] = (wait = {}) =>
    new Promise((resolve, reject) => {
      if (state === 'connected') return resolve()
      if (state === 'closed') return reject(closedError())
      const deadline = startDeadline(wait.timeoutMs, wait.signal)
      const finish = (settle: () => void): void => {
        undo()
        deadline.clear()
        settle()
      }
      const undo = onState((next) => {
        if (next === 'connected') finish(resolve)
        if (next === 'closed') finish(() => reject(closedError()))
      })
      const giveUp = (): void => finish(() => reject(notConnected(options.path, deadline.timedOut())))
      if (deadline.signal.aborted) giveUp()
      else deadline.signal.addEventListener('abort', giveUp, { once: true })
    })
  const load: Link['load'] = async (core, signal) => {
    try {
      if (connection !== undefined) return await core.start(connection)
    } catch (error) {
      if (!isOvsdbError(error, 'OVSDB_DISCONNECTED')) throw error
    }
    // The next connection loads it.
    await whenConnected(signal === undefined ? {} : { signal })
  }
  const first = Promise.withResolvers<void>()
  first.promise.catch(() => undefined)
  run((error) => (error === undefined ? first.resolve() : first.reject(error))).catch((error: unknown) => {
    log('error', 'the OVSDB link failed', { error: String(error) })
  })
  return {
    get state() {
      return state
    },
    get connection() {
      return connection
    },
    firstAttempt: first.promise,
    onState,
    whenConnected,
    load,
    close() {
      stopping.abort()
      opening?.close('closed by this side')
      enter('closed')
    },
  }
}

function notConnected(path: string, timedOut: boolean): OvsdbError {
  const code = timedOut ? 'OVSDB_TIMEOUT' : 'OVSDB_ABORTED'
  return new OvsdbError(code, `no connection to OVSDB at ${path} yet`, { remedy: 'start ovsdb-server' })
}

function closedError(): OvsdbError {
  return new OvsdbError('OVSDB_CLOSED', 'the OVSDB client was closed', { remedy: 'none needed' })
}
