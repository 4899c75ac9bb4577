/**
 * The server that pods, nodes and the host outside run. One port speaks two protocols: an HTTP request is answered as
 * one; any other first bytes, or none for a moment, get a line with the facts, and then everything comes back.
 * @module
 */
import type { Socket } from 'bun'
import { readRequest, response } from './http.ts'
import { type End, endText, greeting, type Identity, page } from './identity.ts'

/** Milliseconds after which somebody who says nothing is greeted. */
export const SILENCE = 300

/** Called once per request or connection, for the log. */
export type Told = (line: string) => void

interface Talk {
  mode: 'unknown' | 'http' | 'echo'
  pending: Uint8Array
  /** Bytes of a request's body that are still to come. */
  skip: number
  timer: Timer | undefined
}

/** Listens on both families in the network namespace this thread is in. Throws when it cannot. */
export function listenTcp(port: number, who: Identity, told: Told = () => undefined): { close(): void } {
  const server = Bun.listen<Talk>({
    hostname: '::',
    port,
    // Who has said everything still wants an answer.
    allowHalfOpen: true,
    socket: {
      open: (socket) => {
        socket.data = { mode: 'unknown', pending: new Uint8Array(), skip: 0, timer: undefined }
        socket.data.timer = setTimeout(() => greet(socket, who, told), SILENCE)
      },
      data: (socket, bytes) => take(socket, bytes, who, told),
      end: (socket) => {
        if (socket.data.mode === 'unknown') greet(socket, who, told)
        socket.end()
      },
      close: (socket) => clearTimeout(socket.data.timer),
      error: (socket) => {
        socket.end()
      },
    },
  })
  return { close: () => server.stop(true) }
}

function take(socket: Socket<Talk>, bytes: Uint8Array, who: Identity, told: Told): void {
  const { data: talk } = socket
  if (talk.mode === 'echo') {
    send(socket, bytes)
    return
  }
  talk.pending = talk.pending.length === 0 ? bytes.slice() : Buffer.concat([talk.pending, bytes])
  for (;;) {
    const skipped = Math.min(talk.skip, talk.pending.length)
    talk.skip -= skipped
    talk.pending = talk.pending.subarray(skipped)
    if (talk.pending.length === 0) return
    const request = readRequest(talk.pending)
    if (request === 'more') return
    if (request === 'other') {
      if (talk.mode === 'http') socket.end()
      else greet(socket, who, told)
      return
    }
    clearTimeout(talk.timer)
    talk.mode = 'http'
    talk.skip = request.body
    talk.pending = talk.pending.subarray(request.length)
    const [client, server] = endsOf(socket)
    told(`${endText(client)} -> ${endText(server)} HTTP ${request.method} ${request.target}`)
    send(socket, Buffer.from(response(request, page(who, client, server, request.target))))
    if (!request.keep) {
      socket.end()
      return
    }
  }
}

/** Says the facts, then gives back what came so far. */
function greet(socket: Socket<Talk>, who: Identity, told: Told): void {
  const { data: talk } = socket
  clearTimeout(talk.timer)
  talk.mode = 'echo'
  const [client, server] = endsOf(socket)
  told(`${endText(client)} -> ${endText(server)} TCP`)
  send(socket, Buffer.concat([Buffer.from(greeting(who, client)), talk.pending]))
  talk.pending = new Uint8Array()
}

/** Who does not read what comes is not waited for. */
function send(socket: Socket<Talk>, bytes: Uint8Array): void {
  if (socket.write(bytes) < bytes.length) socket.end()
}

function endsOf(socket: Socket<Talk>): readonly [client: End, server: End] {
  return [
    { address: socket.remoteAddress, port: socket.remotePort },
    { address: socket.localAddress, port: socket.localPort },
  ]
}
