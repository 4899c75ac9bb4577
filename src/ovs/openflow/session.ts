import { type Channel, disconnected, openChannel } from './channel.ts'
import { malformed, OpenFlowError, SwitchError } from './errors.ts'
import { encodeHello, negotiate, type Version } from './hello.ts'
import { HEADER, type Header, OFPT, readHeader } from './message-types.ts'
import { beginMessage, endMessage, Writer } from './writer.ts'

/** One negotiated connection: requests and their replies, matched by transaction id. Ends with the connection. */
export interface Session {
  readonly version: Version
  /** Sends what `encode` writes and resolves with the one message that answers it. */
  request(encode: (w: Writer, xid: number) => void): Promise<Uint8Array>
  /** Like `request` for replies in parts: `onPart` gets each and says whether it was the last. */
  requestParts(encode: (w: Writer, xid: number) => void, onPart: (part: Uint8Array) => boolean): Promise<void>
  /** Takes `count` transaction ids whose errors go to `onError`, until `release` is called. */
  claim(count: number, onError: (index: number, error: SwitchError) => void): Claim
  send(w: Writer): void
  close(): void
}

/** A run of transaction ids. */
export interface Claim {
  readonly first: number
  release(): void
}

/** What a session tells beyond replies. `onMessage` gets what was not asked for. */
export interface SessionEvents {
  onMessage(header: Header, message: Uint8Array): void
  onClose(cause: OpenFlowError): void
  log(text: string): void
}

/** Seconds of silence after which an echo is sent, and after three times of which the connection is given up. */
const KEEP_ALIVE_SECONDS = 5

type Pending = { onReply(message: Uint8Array): boolean; onError(error: OpenFlowError): void }
type Range = { readonly first: number; readonly end: number; onError(index: number, error: SwitchError): void }

/** Connects, exchanges hellos and keeps the connection alive. Throws OpenFlowError. */
export async function openSession(path: string, events: SessionEvents): Promise<Session> {
  const pending = new Map<number, Pending>()
  const ranges = new Set<Range>()
  const hello = Promise.withResolvers<Version>()
  let version: Version | undefined
  let nextXid = 1
  let idleTicks = 0
  let channel: Channel | undefined
  let ended: OpenFlowError | undefined
  let timer: ReturnType<typeof setInterval> | undefined

  const takeXids = (count: number): number => {
    if (nextXid + count > 0xffffffff) nextXid = 1
    const first = nextXid
    nextXid += count
    return first
  }

  const onMessage = (message: Uint8Array): void => {
    idleTicks = 0
    const header = readHeader(message)
    if (version === undefined) {
      onHello(header, message)
      return
    }
    if (header.type === OFPT.echo_request) {
      echo(OFPT.echo_reply, header.xid, message.subarray(HEADER))
      return
    }
    if (header.type === OFPT.error) {
      onError(readError(header, message))
      return
    }
    const waiting = pending.get(header.xid)
    if (waiting === undefined || isUnasked(header.type)) {
      events.onMessage(header, message)
      return
    }
    if (waiting.onReply(message)) pending.delete(header.xid)
  }

  const onHello = (header: Header, message: Uint8Array): void => {
    if (header.type === OFPT.error) {
      hello.reject(incompatible(path))
      return
    }
    if (header.type !== OFPT.hello) throw malformed('the first message is not a hello')
    version = negotiate(message)
    if (version === undefined) hello.reject(incompatible(path))
    else hello.resolve(version)
  }

  const onError = (error: SwitchError): void => {
    const waiting = pending.get(error.xid)
    if (waiting !== undefined) {
      pending.delete(error.xid)
      waiting.onError(error)
      return
    }
    for (const range of ranges) {
      if (error.xid >= range.first && error.xid < range.end) {
        range.onError(error.xid - range.first, error)
        return
      }
    }
    events.log(`error without a request: ${error.message}`)
  }

  const echo = (type: number, xid: number, data: Uint8Array): void => {
    const w = new Writer(HEADER + data.length)
    const start = beginMessage(w, version ?? 6, type, xid)
    w.raw(data)
    endMessage(w, start)
    channel?.send(w.take())
  }

  const onClose = (cause: OpenFlowError): void => {
    ended = cause
    clearInterval(timer)
    hello.reject(cause)
    for (const waiting of pending.values()) waiting.onError(cause)
    pending.clear()
    events.onClose(cause)
  }

  const tick = (): void => {
    idleTicks++
    if (idleTicks > 3) channel?.close()
    else if (idleTicks > 0 && version !== undefined) echo(OFPT.echo_request, 0, new Uint8Array(0))
  }

  // Told apart from a failed hello below, and never left unhandled.
  hello.promise.catch(() => undefined)
  channel = await openChannel(path, { onMessage, onClose })
  timer = setInterval(tick, KEEP_ALIVE_SECONDS * 1000)
  const open = channel
  open.send(encodeHello(takeXids(1)))
  const agreed = await hello.promise.catch((cause) => {
    clearInterval(timer)
    open.close()
    throw cause
  })

  const requestParts: Session['requestParts'] = (encode, onPart) =>
    new Promise((resolve, reject) => {
      if (ended !== undefined) return reject(disconnected(path, undefined))
      const xid = takeXids(1)
      const w = new Writer(256)
      encode(w, xid)
      const onReply = (part: Uint8Array): boolean => {
        const last = onPart(part)
        if (last) resolve()
        return last
      }
      pending.set(xid, { onReply, onError: reject })
      open.send(w.take())
    })

  return {
    version: agreed,
    requestParts,
    async request(encode) {
      let reply: Uint8Array = new Uint8Array(0)
      await requestParts(encode, (part) => {
        reply = part
        return true
      })
      return reply
    },
    claim(count, handler) {
      const first = takeXids(count)
      const range: Range = { first, end: first + count, onError: handler }
      ranges.add(range)
      return { first, release: () => ranges.delete(range) }
    },
    send(w) {
      if (ended !== undefined) throw disconnected(path, undefined)
      open.send(w.take())
    },
    close: () => open.close(),
  }
}

function isUnasked(type: number): boolean {
  return type === OFPT.packet_in || type === OFPT.port_status
}

function readError(header: Header, message: Uint8Array): SwitchError {
  if (message.length < 12) throw malformed('error message')
  const view = new DataView(message.buffer, message.byteOffset)
  return new SwitchError(view.getUint16(8), view.getUint16(10), header.xid, message.slice(12))
}

function incompatible(path: string): OpenFlowError {
  return new OpenFlowError(
    'OPENFLOW_HELLO_FAILED_INCOMPATIBLE',
    `${path} speaks neither OpenFlow 1.5, 1.4 nor 1.3`,
    "let the bridge's protocols include OpenFlow13, OpenFlow14 or OpenFlow15",
  )
}
