import { isOvsdbError, OvsdbError } from '../errors.ts'
import { checkSchema } from '../schema/check.ts'
import type { Database } from '../schema/database.ts'
import { type Connection, openConnection } from '../wire/connection.ts'
import { formatRemote, type Remote } from '../wire/remote.ts'
import { backoffDelay, sleep } from './backoff.ts'
import type { ClientOptions } from './client.ts'
import { startDeadline } from './deadline.ts'
import { createLeaderWatch, type LeaderWatch } from './leader.ts'
import type { Log } from './log.ts'
import type { MonitorCore } from './monitor.ts'

export type LinkState = 'connecting' | 'connected' | 'closed'

/** Keeps one connection open: connects, checks the schema, loads the monitors, and does it again when it ends. */
export type Link = {
  readonly state: LinkState
  /** The connection while `connected`. */
  readonly connection: Connection | undefined
  /** Settles with the first attempt to connect, all remotes tried. */
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
export function startLink(
  database: Database,
  options: ClientOptions,
  monitors: ReadonlyMap<string, MonitorCore>,
  log: Log,
): Link {
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
  let lastFailure: unknown = closedError()

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
  const notified = (leader: LeaderWatch | undefined, method: string, params: readonly unknown[]): void => {
    const [id] = params
    const core = id === leader?.core.id ? leader?.core : monitors.get(typeof id === 'string' ? id : '')
    if (core === undefined) return
    if (method === 'update3' || method === 'update2') core.update(method, params)
    else if (method === 'monitor_canceled') throw new OvsdbError('OVSDB_BAD_MESSAGE', 'the server cancelled a monitor')
  }
  /** One connection's life; resolves with the reason of its end, rejects when it could not be set up. */
  const session = async (remote: Remote, established: () => void): Promise<string> => {
    const { promise: ended, resolve: onClosed } = Promise.withResolvers<string>()
    const { probeIntervalMs, maxMessageBytes, tls, connectTimeoutMs } = options
    const lost = (reason: string): void => opening?.close(reason)
    const leader = options.leaderOnly === true ? createLeaderWatch(database.name, lost, log) : undefined
    const opened = await openConnection({
      remote,
      remedy: database.remedies.unreachable,
      signal: stopping.signal,
      onNotification: (method, params) => notified(leader, method, params),
      // At once, not in a later microtask: whoever sees a rejected request must see the link down.
      onClosed: (reason) => {
        connection = undefined
        enter('connecting')
        onClosed(reason)
      },
      ...(tls === undefined ? {} : { tls }),
      ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
      ...(probeIntervalMs === undefined ? {} : { probeIntervalMs }),
      ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
    })
    opening = opened
    try {
      if (stopping.signal.aborted) throw closedError()
      await leader?.check(opened)
      checkSchema(database, await opened.request('get_schema', [database.name]))
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
  const story = failureStory(log)
  const first = Promise.withResolvers<void>()
  first.promise.catch(() => undefined)
  /** One try at one place, to its end; with how long it was connected, or why it never was. */
  const visit = async (remote: Remote): Promise<{ readonly connectedMs: number } | { readonly failure: unknown }> => {
    const place = formatRemote(remote)
    let since = Number.POSITIVE_INFINITY
    try {
      const reason = await session(remote, () => {
        since = performance.now()
        first.resolve()
        story.over(place)
      })
      if (!stopping.signal.aborted) log('warn', 'lost the connection to ovsdb-server', { remote: place, reason })
      return { connectedMs: performance.now() - since }
    } catch (failure) {
      story.failed(place, failure)
      return { failure }
    }
  }
  const run = async (): Promise<void> => {
    for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
      for (const remote of options.remotes) {
        if (stopping.signal.aborted) break
        const visited = await visit(remote)
        if ('failure' in visited) lastFailure = visited.failure
        else if (visited.connectedMs > STABLE_SESSION_MS) attempt = 0
      }
      first.reject(lastFailure)
      if (!stopping.signal.aborted) story.tell()
      await sleep(backoffDelay(attempt, backoff), stopping.signal)
    }
    first.reject(closedError())
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
      const giveUp = (): void => finish(() => reject(notConnected(database, options, deadline.timedOut())))
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
  run().catch((error: unknown) => {
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

/** Failures that stay are told once, however often it is tried again, and once that they are over. */
function failureStory(log: Log) {
  const failures = new Map<string, { readonly code: string; readonly text: string }>()
  let told = ''
  return {
    failed(place: string, error: unknown): void {
      const known = isOvsdbError(error)
      const text = known ? `${error.message} → ${error.remedy}` : String(error)
      failures.set(place, { code: known ? error.code : 'INTERNAL', text })
    },
    tell(): void {
      const all = [...failures.values()]
      const text = all.map((failure) => failure.text).join('; ')
      if (text === told || all.length === 0) return
      told = text
      const remote = [...failures.keys()].join(',')
      log('warn', 'cannot use ovsdb-server', { remote, code: all.at(-1)?.code, error: text })
    },
    over(place: string): void {
      if (told !== '') log('info', 'ovsdb-server answers', { remote: place })
      failures.clear()
      told = ''
    },
  }
}

function notConnected({ remedies }: Database, { remotes }: ClientOptions, timedOut: boolean): OvsdbError {
  const code = timedOut ? 'OVSDB_TIMEOUT' : 'OVSDB_ABORTED'
  const places = remotes.map(formatRemote).join(', ')
  return new OvsdbError(code, `no connection to OVSDB at ${places} yet`, { remedy: remedies.unreachable })
}

function closedError(): OvsdbError {
  return new OvsdbError('OVSDB_CLOSED', 'the OVSDB client was closed', { remedy: 'none needed' })
}
