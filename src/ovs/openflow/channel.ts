import { OpenFlowError } from './errors.ts'
import { HEADER, readHeader } from './message-types.ts'

/** A stream of whole OpenFlow messages over a unix socket. */
export interface Channel {
  /** Sends bytes (one or many messages); what the socket does not take at once is queued. Ignored once closed. */
  send(bytes: Uint8Array): void
  close(): void
}

/** What a channel tells its owner. `onClose` comes exactly once, after the last message. */
export interface ChannelEvents {
  onMessage(message: Uint8Array): void
  onClose(cause: OpenFlowError): void
}

/** Connects to a management socket. Throws `OPENFLOW_NO_SOCKET`, `OPENFLOW_PERMISSION` or `OPENFLOW_CONNECT_FAILED`. */
export async function openChannel(path: string, events: ChannelEvents): Promise<Channel> {
  const queue: Uint8Array[] = []
  let closed = false
  const close = (cause: OpenFlowError): void => {
    if (closed) return
    closed = true
    queue.length = 0
    socket?.terminate()
    events.onClose(cause)
  }
  const split = createSplitter((message) => {
    if (!closed) events.onMessage(message)
  })
  const receive = (data: Uint8Array): void => {
    try {
      split(data)
    } catch (cause) {
      close(cause instanceof OpenFlowError ? cause : internal(cause))
    }
  }
  let socket: Bun.Socket | undefined
  try {
    socket = await Bun.connect({
      unix: path,
      socket: {
        data: (_socket, data) => receive(data),
        drain: (open) => flush(open, queue),
        close: (_socket, cause) => close(disconnected(path, cause)),
        error: (_socket, cause) => close(disconnected(path, cause)),
      },
    })
  } catch (cause) {
    throw connectFailure(path, cause)
  }
  const open = socket
  return {
    send(bytes) {
      if (closed) return
      queue.push(bytes)
      if (queue.length === 1) flush(open, queue)
    },
    close: () => close(disconnected(path, undefined)),
  }
}

/** Writes the queue's head for as long as the socket takes it; the rest waits for `drain`. */
function flush(socket: Bun.Socket, queue: Uint8Array[]): void {
  for (let head = queue[0]; head !== undefined; head = queue[0]) {
    const written = Math.max(0, socket.write(head))
    if (written < head.length) {
      queue[0] = head.subarray(written)
      return
    }
    queue.shift()
  }
}

/** Cuts a byte stream into messages. Throws `OPENFLOW_MALFORMED_FRAME` for a length that cannot be. */
export function createSplitter(onMessage: (message: Uint8Array) => void): (data: Uint8Array) => void {
  let rest: Uint8Array = new Uint8Array(0)
  return (data) => {
    const bytes: Uint8Array = rest.length === 0 ? data : Buffer.concat([rest, data])
    let at = 0
    while (bytes.length - at >= HEADER) {
      const { length } = readHeader(bytes, at)
      if (length < HEADER) {
        const remedy = 'check that the socket speaks OpenFlow: it is named <bridge>.mgmt'
        throw new OpenFlowError('OPENFLOW_MALFORMED_FRAME', `a message says its length is ${length}`, remedy)
      }
      if (bytes.length - at < length) break
      // A copy: the socket may use its buffer again, and slice() of a Buffer is a view.
      const message = new Uint8Array(bytes.subarray(at, at + length))
      at += length
      onMessage(message)
    }
    rest = new Uint8Array(bytes.subarray(at))
  }
}

function connectFailure(path: string, cause: unknown): OpenFlowError {
  const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (errno === 'ENOENT' || errno === 'ECONNREFUSED') {
    const remedy = 'check that ovs-vswitchd runs and that the bridge exists'
    return new OpenFlowError('OPENFLOW_NO_SOCKET', `nothing answers at ${path}`, remedy)
  }
  if (errno === 'EACCES' || errno === 'EPERM') {
    return new OpenFlowError('OPENFLOW_PERMISSION', `no permission to connect to ${path}`, 'run as root')
  }
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new OpenFlowError('OPENFLOW_CONNECT_FAILED', `cannot connect to ${path}: ${detail}`, 'look into the socket')
}

/** The connection is gone; what was in flight may or may not have happened. */
export function disconnected(path: string, cause: unknown): OpenFlowError {
  const detail = cause instanceof Error ? `: ${cause.message}` : ''
  return new OpenFlowError(
    'OPENFLOW_DISCONNECTED',
    `the connection to ${path} is closed${detail}`,
    'wait for the next onConnect and compare with what the switch holds then',
  )
}

function internal(cause: unknown): OpenFlowError {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new OpenFlowError('OPENFLOW_INTERNAL', `while handling a message: ${detail}`, 'report this as a bug')
}
