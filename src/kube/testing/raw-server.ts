/**
 * An HTTP server that can be as wrong as a server can be: it writes bytes, not answers.
 * @module
 */
import type { Socket } from 'bun'

/** One request's head. */
export interface RawRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: ReadonlyMap<string, string>
}

/** One connection, on which one request is answered. */
export interface RawConnection {
  write(text: string): void
  end(): void
  /** Resolves when either side has closed it. */
  readonly closed: Promise<void>
  readonly isClosed: () => boolean
}

/** Answers a request. What it throws is a mistake of the test. */
export type RawHandler = (request: RawRequest, connection: RawConnection) => void | Promise<void>

/** A running server on the loopback. */
export interface RawServer {
  readonly url: string
  /** Connections that are open now. */
  readonly open: () => number
  stop(): void
}

interface State {
  head: string
  connection: RawConnection & { finish(): void }
}

/** Serves on the loopback. Every answer closes its connection. */
export function serveRaw(handler: RawHandler): RawServer {
  const sockets = new Set<Socket<State>>()
  const listener = Bun.listen<State>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open: (socket) => {
        socket.data = { head: '', connection: connectionOf(socket) }
        sockets.add(socket)
      },
      data: (socket, bytes) => {
        const { data } = socket
        const before = data.head.includes('\r\n\r\n')
        data.head += bytes.toString('latin1')
        if (before || !data.head.includes('\r\n\r\n')) return
        void handler(parseHead(data.head), data.connection)
      },
      close: (socket) => {
        sockets.delete(socket)
        socket.data.connection.finish()
      },
    },
  })
  return {
    url: `http://127.0.0.1:${listener.port}`,
    open: () => sockets.size,
    stop: () => listener.stop(true),
  }
}

/** The head of an answer and its body, with its length. */
export function answer(status: number, body: string, headers: Readonly<Record<string, string>> = {}): string {
  return head(status, { 'content-length': String(Buffer.byteLength(body)), ...headers }) + body
}

/** A JSON answer. */
export function json(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): string {
  return answer(status, JSON.stringify(value), { 'content-type': 'application/json', ...headers })
}

/** The head of an answer whose body comes in chunks. */
export function chunked(): string {
  return head(200, { 'transfer-encoding': 'chunked', 'content-type': 'application/json' })
}

/** One chunk of a body. */
export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

/** The end of a chunked body. */
export const LAST_CHUNK = '0\r\n\r\n'

function head(status: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} So\r\nconnection: close\r\n${lines.join('')}\r\n`
}

function connectionOf(socket: Socket<State>): RawConnection & { finish(): void } {
  const closed = Promise.withResolvers<void>()
  let isClosed = false
  const finish = (): void => {
    isClosed = true
    closed.resolve()
  }
  let queue = Promise.resolve()
  const send = async (text: string): Promise<void> => {
    let rest = Buffer.from(text, 'utf8')
    while (rest.length > 0 && !isClosed) {
      const written = socket.write(rest)
      rest = rest.subarray(Math.max(0, written))
      if (rest.length > 0) await Bun.sleep(1)
    }
  }
  return {
    write: (text) => {
      queue = queue.then(() => send(text))
    },
    end: () => {
      queue = queue.then(() => {
        socket.end()
      })
    },
    closed: closed.promise,
    isClosed: () => isClosed,
    finish,
  }
}

function parseHead(text: string): RawRequest {
  const [first = '', ...lines] = text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n')
  const [method = '', target = ''] = first.split(' ')
  const url = new URL(target, 'http://server')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { method, path: url.pathname, query: url.searchParams, headers: new Map(headers) }
}
