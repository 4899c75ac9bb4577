/**
 * The process that forwards for the back end `udp`. It is nobody's child for long: whoever started it may die, and it goes
 * on by the last orders that it had, until it is told to end or its device is removed.
 * @module
 */
import { listenSeqpacket } from '../../linux/index.ts'
import { Forwarder } from './forwarder.ts'
import { type Answer, decodeMessage, encodeAnswer, type Orders } from './orders.ts'

/** Where problems go. */
export interface ProxyLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** A large mesh's orders in one message. */
const LONGEST = 8 << 20
/** One that nobody ever gave orders to has no reason to stay. */
const PATIENCE_MS = 30_000

/** Serves orders on a socket until it is told to end. Resolves then. */
export function runProxy(socket: string, log: ProxyLog): Promise<void> {
  const ended = Promise.withResolvers<void>()
  const state: State = { forwarder: undefined, log, end: () => ended.resolve() }
  // What ends a session ends the daemon: this goes on.
  for (const name of ['SIGHUP', 'SIGINT', 'SIGPIPE'] as const) process.on(name, () => undefined)
  process.on('SIGTERM', () => ended.resolve())
  const server = listenSeqpacket({
    path: socket,
    mode: 0o600,
    maxBytes: LONGEST,
    onRequest: ({ data, reply }) => {
      reply(encodeAnswer(answerTo(state, data)))
    },
  })
  const patience = setTimeout(() => {
    if (state.forwarder === undefined) ended.resolve()
  }, PATIENCE_MS)
  return ended.promise.finally(() => {
    clearTimeout(patience)
    server.close()
    state.forwarder?.close()
  })
}

interface State {
  forwarder: Forwarder | undefined
  readonly log: ProxyLog
  end(): void
}

function answerTo(state: State, data: Uint8Array): Answer {
  const message = decodeMessage(data)
  if (message.tells === 'end') return endBecause(state, 'it was told to')
  try {
    const { forwarder = begin(state, message.orders) } = state
    if (!forwarder.follow(message.orders)) return endBecause(state, 'its device or its port is another one now')
    return { does: 'forward', pid: process.pid, counters: forwarder.counters }
  } catch (err) {
    return endBecause(state, err instanceof Error ? err.message : String(err))
  }
}

function begin(state: State, orders: Orders): Forwarder {
  const { device, address, port } = orders
  const forwarder = new Forwarder(orders, () => {
    state.log.warn({ device }, 'the device was removed: forwarding ends')
    state.end()
  })
  state.log.info({ device, address, port }, 'forwarding')
  state.forwarder = forwarder
  return forwarder
}

function endBecause(state: State, why: string): Answer {
  // The answer goes first.
  setTimeout(() => state.end(), 0)
  return { does: 'end', why }
}
