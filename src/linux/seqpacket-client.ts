/**
 * The other side of listenSeqpacket: one request, one reply.
 * @module
 */
import { checked, Errno, LinuxError } from './errno.ts'
import { ready } from './poller.ts'
import { AF_UNIX, encodeSockaddr } from './sockaddr.ts'
import { closeFd, MSG_PEEK, MSG_TRUNC, openSocket, SOCK_NONBLOCK, SOCK_SEQPACKET, setSendBuffer } from './socket.ts'
import { systemCalls } from './sys/addon.ts'

export interface SeqpacketCall {
  readonly path: string
  readonly data: Uint8Array
  /** Descriptors to send along; they stay the caller's. */
  readonly fds?: readonly number[]
  readonly timeoutMs: number
}

/** The reply. Throws LINUX_ECONNREFUSED without a server, LINUX_TIMEOUT, LINUX_ECONNRESET when it closes unanswered. */
export async function callSeqpacket(call: SeqpacketCall): Promise<Uint8Array> {
  const calls = systemCalls()
  const fd = openSocket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0)
  try {
    checked(calls.connect(fd, encodeSockaddr({ family: 'unix', path: call.path })), 'connect', call.path)
    if (call.data.length > SMALL) setSendBuffer(fd, call.data.length + 4096)
    const sent = calls.sendmsg(fd, call.data, call.fds ?? null, 0)
    // Whether it closed before or behind the request is one to whoever asks.
    if (sent === -Errno.EPIPE) throw unanswered(call.path, 'sendmsg')
    checked(sent, 'sendmsg', call.path)
    await ready(fd, 'read', call.timeoutMs)
    return receiveWhole(fd, call.path)
  } finally {
    closeFd(fd)
  }
}

// Fits into the default send buffer of every kernel, in bytes.
const SMALL = 131_072

function receiveWhole(fd: number, path: string): Uint8Array {
  const calls = systemCalls()
  const length = calls.recv(fd, new Uint8Array(0), MSG_PEEK | MSG_TRUNC)
  if (length === 0 || length === -Errno.EAGAIN) throw unanswered(path, 'recv')
  const bytes = new Uint8Array(checked(length, 'recv', path))
  checked(calls.recv(fd, bytes, 0), 'recv', path)
  return bytes
}

function unanswered(path: string, syscall: string): LinuxError {
  const message = `${path}: the server closed the connection without a reply`
  return new LinuxError('LINUX_ECONNRESET', message, { syscall, remedy: 'see the log of the server' })
}
