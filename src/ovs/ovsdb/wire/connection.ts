import { isOvsdbError, OvsdbError } from '../errors.ts'
import { decodeMessage, isObject, type Message } from './message.ts'
import type { Remote } from './remote.ts'
import type { ByteSocket } from './socket.ts'
import { createJsonSplitter } from './splitter.ts'
import { connectStream, type StreamOptions } from './stream.ts'

export type ConnectionOptions = StreamOptions & {
  readonly remote: Remote
  readonly onNotification: (method: string, params: readonly unknown[]) => void
  /** Called once when an opened connection ends; every pending request was rejected before. */
  readonly onClosed: (reason: string) => void
  /** An echo is sent after one to two of these without a byte; one more ends the connection. Milliseconds. */
  readonly probeIntervalMs?: number
  readonly maxMessageBytes?: number
}

/** How a request ended; called in the order of the server's messages, before any later notification is handled. */
export type Settle = { readonly resolve: (result: unknown) => void; readonly reject: (error: OvsdbError) => void }

/** One JSON-RPC connection; it never reconnects. */
export type Connection = {
  /** Sends a request without a promise. */
  call(method: string, params: readonly unknown[], settle: Settle): void
  /** Sends a request and resolves with its `result`; `cancelOn` gives up waiting (OVSDB_ABORTED) and tells the server. */
  request(method: string, params: readonly unknown[], cancelOn?: AbortSignal): Promise<unknown>
  notify(method: string, params: readonly unknown[]): void
  close(reason: string): void
}

const DEFAULT_PROBE_MS = 5000

/** Connects, answers the server's echoes and probes it when it is silent. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const probeMs = options.probeIntervalMs ?? DEFAULT_PROBE_MS
  const pending = new Map<number, Settle>()
  let socket: ByteSocket | undefined
  let nextId = 1
  let silent: 'heard' | 'quiet' | 'probed' = 'heard'
  let closeReason: string | undefined

  const send = (message: unknown): void => socket?.write(Buffer.from(JSON.stringify(message)))
  const finish = (reason: string): void => {
    if (closeReason !== undefined) return
    closeReason = reason
    clearInterval(timer)
    for (const waiter of pending.values()) waiter.reject(disconnected(reason, true))
    pending.clear()
    options.onClosed(reason)
  }
  const close = (reason: string): void => {
    finish(reason)
    socket?.close()
  }
  const splitter = createJsonSplitter({
    onValue: (value) => receive(decodeMessage(value)),
    ...(options.maxMessageBytes === undefined ? {} : { maxBytes: options.maxMessageBytes }),
  })
  const receive = (message: Message): void => {
    if (closeReason !== undefined) return
    if (message.kind === 'response') settle(pending, message)
    else if (message.method === 'echo') {
      if (message.kind === 'request') send({ id: message.id, result: message.params, error: null })
    } else if (message.kind === 'notification') options.onNotification(message.method, message.params)
    else send({ id: message.id, result: null, error: 'unknown method' })
  }
  const data = (chunk: Uint8Array): void => {
    silent = 'heard'
    try {
      splitter.push(chunk)
    } catch (error) {
      close(isOvsdbError(error) ? `${error.code}: ${error.message}` : `internal error: ${String(error)}`)
    }
  }
  const call = (method: string, params: readonly unknown[], answer: Settle): number => {
    const id = nextId++
    if (closeReason !== undefined) answer.reject(disconnected(closeReason, false))
    else {
      pending.set(id, answer)
      send({ id, method, params })
    }
    return id
  }
  const request = (method: string, params: readonly unknown[], cancelOn?: AbortSignal): Promise<unknown> => {
    if (cancelOn?.aborted) return Promise.reject(aborted(method, false))
    let id = 0
    const answer = new Promise<unknown>((resolve, reject) => {
      id = call(method, params, { resolve, reject })
    })
    if (cancelOn === undefined) return answer
    const give = (): void => {
      const waiter = pending.get(id)
      pending.delete(id)
      if (method === 'transact') send({ id: null, method: 'cancel', params: [id] })
      waiter?.reject(aborted(method, true))
    }
    cancelOn.addEventListener('abort', give, { once: true })
    return answer.finally(() => cancelOn.removeEventListener('abort', give))
  }
  // Each tick one step: heard, quiet, probed, dead. Any byte in between starts over.
  const probe = (): void => {
    if (silent === 'probed') close(`the server was silent for more than ${2 * probeMs} ms`)
    else if (silent === 'quiet') {
      silent = 'probed'
      request('echo', []).catch(() => undefined)
    } else silent = 'quiet'
  }
  const timer = setInterval(probe, probeMs)
  timer.unref()

  try {
    socket = await connectStream(options.remote, options, { data, closed: finish })
  } catch (error) {
    clearInterval(timer)
    throw error
  }
  return { call, request, notify: (method, params) => send({ id: null, method, params }), close }
}

function settle(pending: Map<number, Settle>, message: Message & { kind: 'response' }): void {
  const id = message.id
  const waiter = typeof id === 'number' ? pending.get(id) : undefined
  if (waiter === undefined || typeof id !== 'number') return // an answer to a cancelled request
  pending.delete(id)
  if (message.error === null) waiter.resolve(message.result)
  else waiter.reject(rpcError(message.error))
}

function rpcError(error: unknown): OvsdbError {
  const word = isObject(error) ? String(error['error'] ?? 'unnamed error') : String(error)
  const details = isObject(error) && typeof error['details'] === 'string' ? error['details'] : word
  return new OvsdbError('OVSDB_RPC_ERROR', `ovsdb-server refused the request: ${word}: ${details}`, {
    details: word,
    remedy: 'check that the server is ovsdb-server 2.12 or later and holds the database asked for',
  })
}

function disconnected(reason: string, sent: boolean): OvsdbError {
  return new OvsdbError('OVSDB_DISCONNECTED', `the connection to ovsdb-server ended: ${reason}`, {
    remedy: sent ? 'read the database again before repeating the request' : 'wait for the reconnect and try again',
    outcomeUnknown: sent,
  })
}

function aborted(method: string, sent: boolean): OvsdbError {
  return new OvsdbError('OVSDB_ABORTED', `${method} was given up by the caller`, {
    remedy: 'none needed',
    outcomeUnknown: sent,
  })
}
