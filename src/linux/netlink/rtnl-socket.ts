/**
 * rtnetlink conversations in one network namespace. Requests are synchronous (about 3 µs on a local kernel); what
 * blocks for a grace period (deleting or moving a link, 17–20 ms) goes through `requestSlow`, on a thread.
 * @module
 */
import { Errno, malformed, systemError } from '../errno.ts'
import {
  messageName,
  NLM_F_ACK,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSGERR_ATTR_MSG,
} from './constants.ts'
import { type NetlinkMessage, readAttributes, readMessages } from './reader.ts'
import { kernelTransport, type NetlinkTransport } from './transport.ts'
import { type MessageWriter, message } from './writer.ts'

export interface RtnlOptions {
  /** A network namespace's descriptor; it may be closed after opening. Default: the program's own namespace. */
  readonly nsFd?: number
}

/** What a request is about: its message, and the words an error uses for its object. */
export interface RtnlRequest {
  readonly type: number
  readonly flags?: number
  readonly about?: string
  readonly fill: (writer: MessageWriter) => void
}

export interface RtnlSocket extends Disposable {
  /** Sends, waits for the acknowledgement, gives the messages that came before it. Throws LinuxError. */
  request(request: RtnlRequest): readonly NetlinkMessage[]
  /** Sends on a thread and a socket of its own, for what blocks in the kernel. */
  requestSlow(request: RtnlRequest): Promise<readonly NetlinkMessage[]>
  /** All objects of a kind, consistent: an interrupted or truncated dump is repeated. */
  dump(request: RtnlRequest): readonly NetlinkMessage[]
  close(): void
}

/** Opens a socket in a namespace. */
export function openRtnl(options: RtnlOptions = {}): RtnlSocket {
  return rtnlOver(kernelTransport(options.nsFd))
}

/** The same conversations over any transport: tests inject faults by it. */
export function rtnlOver(transport: NetlinkTransport): RtnlSocket {
  const state: Conversation = { transport, seq: 0 }
  return {
    request: (request) => converse(state, request, NLM_F_ACK),
    requestSlow: (request) => converseSlowly(transport, request),
    dump: (request) => converse(state, request, NLM_F_DUMP),
    close: () => transport.close(),
    [Symbol.dispose]: () => transport.close(),
  }
}

/** How often an interrupted dump is repeated before its error surfaces. */
export const DUMP_ATTEMPTS = 10

interface Conversation {
  readonly transport: NetlinkTransport
  seq: number
}

interface Answer {
  readonly messages: readonly NetlinkMessage[]
  readonly interrupted: boolean
}

function converse(state: Conversation, request: RtnlRequest, mode: number): readonly NetlinkMessage[] {
  for (let attempt = 1; attempt <= DUMP_ATTEMPTS; attempt++) {
    const seq = nextSeq(state)
    const sent = state.transport.send(encode(request, mode, seq))
    if (sent < 0) throw systemError(-sent, messageName(request.type), request.about)
    const answer = collect(state, request, seq)
    // A change has happened even where its echo was lost; only a question may be asked again.
    if (!answer.interrupted || !isQuestion(request)) return answer.messages
  }
  throw systemError(Errno.EINTR, messageName(request.type), request.about, 'the table kept changing while it was read')
}

async function converseSlowly(transport: NetlinkTransport, request: RtnlRequest): Promise<readonly NetlinkMessage[]> {
  const state: Conversation = { transport: transport.sibling(), seq: 0 }
  try {
    const seq = nextSeq(state)
    const sent = await state.transport.sendBlocking(encode(request, NLM_F_ACK, seq))
    if (sent < 0) throw systemError(-sent, messageName(request.type), request.about)
    return collect(state, request, seq).messages
  } finally {
    state.transport.close()
  }
}

/** Reads until the conversation's end: an acknowledgement, an error or the end of a dump. */
function collect(state: Conversation, request: RtnlRequest, seq: number): Answer {
  const messages: NetlinkMessage[] = []
  let interrupted = false
  for (;;) {
    const datagram = receive(state, request)
    if (datagram === undefined) {
      interrupted = true
      continue
    }
    for (const each of readMessages(datagram)) {
      if (each.seq !== seq || each.type === NLMSG_NOOP) continue
      if ((each.flags & NLM_F_DUMP_INTR) !== 0) interrupted = true
      if (isLast(each, request)) return { messages, interrupted: interrupted || endedByEintr(each) }
      messages.push(each)
    }
  }
}

/** One datagram; undefined when it was truncated (the buffer is larger now, and a question has to be repeated). */
function receive(state: Conversation, request: RtnlRequest): Uint8Array | undefined {
  for (;;) {
    const got = state.transport.receive()
    if (typeof got !== 'number') return got
    if (got === 0) return undefined
    if (got === -Errno.EINTR) continue
    if (got === -Errno.ENOBUFS && isQuestion(request)) return undefined
    throw systemError(-got, messageName(request.type), request.about, 'no complete answer from the kernel')
  }
}

function isLast(each: NetlinkMessage, request: RtnlRequest): boolean {
  if (each.type === NLMSG_DONE && each.body.length < 4) return true
  if (each.type !== NLMSG_ERROR && each.type !== NLMSG_DONE) return false
  if (each.body.length < 4) throw malformed('a netlink error message without its number')
  const code = new DataView(each.body.buffer, each.body.byteOffset).getInt32(0, true)
  if (code < 0 && !endedByEintr(each)) {
    throw systemError(-code, messageName(request.type), request.about, kernelSentence(each))
  }
  return true
}

function endedByEintr(each: NetlinkMessage): boolean {
  if (each.type !== NLMSG_DONE || each.body.length < 4) return false
  return new DataView(each.body.buffer, each.body.byteOffset).getInt32(0, true) === -Errno.EINTR
}

/** NLMSGERR_ATTR_MSG: after the echoed header, or after the echoed message where it was not capped. */
function kernelSentence(each: NetlinkMessage): string {
  if ((each.flags & NLM_F_ACK_TLVS) === 0) return ''
  if (each.type === NLMSG_DONE) return readAttributes(each.body, 4).text(NLMSGERR_ATTR_MSG) ?? ''
  if (each.body.length < 20) return ''
  const echoed = new DataView(each.body.buffer, each.body.byteOffset).getUint32(4, true)
  const offset = (each.flags & NLM_F_CAPPED) === 0 ? 4 + echoed : 20
  return readAttributes(each.body, offset).text(NLMSGERR_ATTR_MSG) ?? ''
}

function isQuestion(request: RtnlRequest): boolean {
  // GET types are 2 modulo 4, from RTM_BASE 16 on.
  return request.type % 4 === 2
}

function encode(request: RtnlRequest, flags: number, seq: number): Uint8Array {
  const bytes = message(request.type, NLM_F_REQUEST | flags | (request.flags ?? 0), request.fill)
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(8, seq, true)
  return bytes
}

function nextSeq(state: Conversation): number {
  state.seq = (state.seq % 0xffffffff) + 1
  return state.seq
}
