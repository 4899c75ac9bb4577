import { OvsdbError } from '../errors.ts'

/** A connected stream whose writes are queued until the peer takes them. */
export type ByteSocket = {
  write(bytes: Uint8Array): void
  /** Bytes accepted by `write` and not yet taken by the kernel. */
  readonly queuedBytes: number
  close(): void
}

export type ByteSocketHandlers = {
  readonly data: (chunk: Uint8Array) => void
  /** Called once, for whatever reason the stream ended; not called when the connection never opened. */
  readonly closed: (reason: string) => void
}

/** Longest path `struct sockaddr_un` holds. */
const MAX_UNIX_PATH = 107

/** Connects to a unix socket. Rejects with OVSDB_UNREACHABLE. */
export async function connectUnix(path: string, remedy: string, handlers: ByteSocketHandlers): Promise<ByteSocket> {
  if (Buffer.byteLength(path) > MAX_UNIX_PATH) {
    throw unreachable(path, `the path is longer than ${MAX_UNIX_PATH} bytes`, 'use a shorter run folder')
  }
  const queue: Uint8Array[] = []
  let queuedBytes = 0
  let open = true
  const ended = (reason: string): void => {
    if (!open) return
    open = false
    queue.length = 0
    handlers.closed(reason)
  }
  // A write takes what the socket buffer holds and returns the count; the rest waits for `drain`.
  const flush = (socket: Bun.Socket): void => {
    while (open) {
      const head = queue[0]
      if (head === undefined) return
      const written = Math.max(0, socket.write(head))
      queuedBytes -= written
      if (written < head.length) {
        queue[0] = head.subarray(written)
        return
      }
      queue.shift()
    }
  }
  try {
    const socket = await Bun.connect({
      unix: path,
      socket: {
        data: (_socket, chunk) => handlers.data(chunk),
        drain: flush,
        end: (ending) => {
          ending.end()
          ended('the server closed the connection')
        },
        close: () => ended('the connection was closed'),
        error: (failing, error) => {
          failing.terminate()
          ended(error.message)
        },
      },
    })
    return {
      write(bytes) {
        if (!open) return
        queue.push(bytes)
        queuedBytes += bytes.length
        if (queue.length === 1) flush(socket)
      },
      get queuedBytes() {
        return queuedBytes
      },
      close() {
        socket.terminate()
        ended('closed by this side')
      },
    }
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    throw unreachable(path, text, remedy, cause)
  }
}

function unreachable(path: string, why: string, remedy: string, cause?: unknown): OvsdbError {
  return new OvsdbError('OVSDB_UNREACHABLE', `cannot connect to OVSDB at ${path}: ${why}`, { remedy, cause })
}
