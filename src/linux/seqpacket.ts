/**
 * A server of one request and one reply per connection over a SOCK_SEQPACKET unix socket: a message keeps its borders,
 * carries descriptors (SCM_RIGHTS), and its sender is known (SO_PEERCRED).
 * @module
 */
import { chmodSync, fchmodSync, rmSync } from 'node:fs'
import { checked, Errno, systemError } from './errno.ts'
import { type Watch, watch } from './poller.ts'
import { AF_UNIX, encodeSockaddr } from './sockaddr.ts'
import {
  closeFd,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_TRUNC,
  openSocket,
  type Peer,
  peerOf,
  SOCK_NONBLOCK,
  SOCK_SEQPACKET,
  setSendBuffer,
} from './socket.ts'
import { systemCalls } from './sys/addon.ts'

/** A request. Its descriptors are closed when the handler has settled: `dup` one to keep it. */
export interface SeqpacketRequest {
  readonly data: Uint8Array
  readonly fds: readonly number[]
  readonly peer: Peer
  /** Sends the reply, once. False when the peer is gone; it is not an error. */
  reply(bytes: Uint8Array): boolean
}

/** Why a connection ended without a request being served. */
export type SeqpacketRefusal = 'silent' | 'too-large' | 'too-many-fds' | 'gone' | 'crowded' | 'failed'

export interface SeqpacketOptions {
  readonly path: string
  /** Mode of the socket file, from its first instant on; for example 0o600. */
  readonly mode: number
  readonly onRequest: (request: SeqpacketRequest) => void | Promise<void>
  /** Told about connections that were refused, and about errors that a handler threw. */
  readonly onRefusal?: (refusal: SeqpacketRefusal, peer: Peer | undefined, error?: unknown) => void
  /** Longest request in bytes (default 2 MiB). */
  readonly maxBytes?: number
  /** How long a peer may take to send its request, in milliseconds (default 10,000). */
  readonly deadlineMs?: number
  /** Connections that have not sent yet, at most (default 512). */
  readonly maxSilent?: number
}

export interface SeqpacketServer {
  /** Stops listening and removes the socket file; requests that are being served go on. */
  close(): void
}

/**
 * Listens. A socket file that nobody listens on any more is replaced; LINUX_EADDRINUSE when somebody does.
 */
export function listenSeqpacket(options: SeqpacketOptions): SeqpacketServer {
  removeStale(options.path)
  const fd = openSocket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0)
  try {
    // Before bind, the socket's own mode is the mode the file is born with.
    fchmodSync(fd, options.mode)
    checked(systemCalls().bind(fd, encodeSockaddr({ family: 'unix', path: options.path })), 'bind', options.path)
    // The umask may have taken bits away.
    chmodSync(options.path, options.mode)
    checked(systemCalls().listen(fd, BACKLOG), 'listen', options.path)
  } catch (error) {
    closeFd(fd)
    throw error
  }
  const server: Server = { options, buffer: new Uint8Array(options.maxBytes ?? 2 << 20), silent: new Set() }
  const registration: Watch = watch(fd, 'read', () => acceptAll(server, fd, registration))
  return { close: () => shut(server, fd, registration) }
}

interface Server {
  readonly options: SeqpacketOptions
  readonly buffer: Uint8Array
  readonly silent: Set<Connection>
}

interface Connection {
  readonly fd: number
  readonly peer: Peer
  readonly registration: Watch
  readonly timer: ReturnType<typeof setTimeout>
}

const BACKLOG = 4096
// Time for descriptors to come free again before the next accept, in milliseconds.
const RETRY_MS = 100

function acceptAll(server: Server, fd: number, registration: Watch): void {
  for (;;) {
    const connection = systemCalls().accept4(fd, SOCK_NONBLOCK)
    if (connection >= 0) {
      greet(server, connection)
      continue
    }
    if (connection === -Errno.EMFILE || connection === -Errno.ENFILE) {
      registration.pause()
      setTimeout(() => registration.resume(), RETRY_MS)
    }
    return
  }
}

function greet(server: Server, fd: number): void {
  const { options, silent } = server
  let peer: Peer | undefined
  try {
    peer = peerOf(fd)
    if (silent.size >= (options.maxSilent ?? 512)) {
      refuse(server, fd, 'crowded', peer)
      return
    }
    const registration = watch(fd, 'read', () => receive(server, connection), { hold: false })
    const timer = setTimeout(() => drop(server, connection, 'silent'), options.deadlineMs ?? 10_000)
    const connection: Connection = { fd, peer, registration, timer }
    silent.add(connection)
  } catch (error) {
    refuse(server, fd, 'failed', peer, error)
  }
}

function receive(server: Server, connection: Connection): void {
  const { fd, peer } = connection
  const got = systemCalls().recvmsg(fd, server.buffer, MSG_DONTWAIT)
  if (typeof got === 'number') {
    if (got !== -Errno.EAGAIN && got !== -Errno.EINTR) drop(server, connection, 'gone')
    return
  }
  if (got.n === 0 || (got.flags & (MSG_TRUNC | MSG_CTRUNC)) !== 0) {
    got.fds.forEach(closeFd)
    drop(server, connection, refusalOf(got))
    return
  }
  release(server, connection)
  void serve(server, { data: server.buffer.slice(0, got.n), fds: got.fds, peer }, fd)
}

function refusalOf(got: { readonly n: number; readonly flags: number }): SeqpacketRefusal {
  if (got.n === 0) return 'gone'
  return (got.flags & MSG_TRUNC) !== 0 ? 'too-large' : 'too-many-fds'
}

async function serve(server: Server, request: Omit<SeqpacketRequest, 'reply'>, fd: number): Promise<void> {
  let open = true
  const reply = (bytes: Uint8Array): boolean => {
    if (!open) return false
    open = false
    const sent = sendWhole(fd, bytes)
    closeFd(fd)
    return sent
  }
  try {
    await server.options.onRequest({ ...request, reply })
  } catch (error) {
    server.options.onRefusal?.('failed', request.peer, error)
  } finally {
    request.fds.forEach(closeFd)
    if (open) closeFd(fd)
    open = false
  }
}

/** A message is sent whole or not at all; one above the send buffer's size needs a larger buffer. */
function sendWhole(fd: number, bytes: Uint8Array): boolean {
  const calls = systemCalls()
  const sent = calls.send(fd, bytes, MSG_DONTWAIT)
  if (sent !== -Errno.EMSGSIZE) return sent >= 0
  setSendBuffer(fd, bytes.length + 4096)
  return calls.send(fd, bytes, MSG_DONTWAIT) >= 0
}

function drop(server: Server, connection: Connection, why: SeqpacketRefusal): void {
  release(server, connection)
  refuse(server, connection.fd, why, connection.peer)
}

function refuse(server: Server, fd: number, why: SeqpacketRefusal, peer: Peer | undefined, error?: unknown): void {
  closeFd(fd)
  server.options.onRefusal?.(why, peer, error)
}

function release(server: Server, connection: Connection): void {
  clearTimeout(connection.timer)
  connection.registration.close()
  server.silent.delete(connection)
}

function shut(server: Server, fd: number, registration: Watch): void {
  registration.close()
  rmSync(server.options.path, { force: true })
  closeFd(fd)
  for (const connection of server.silent) drop(server, connection, 'gone')
}

/** Removes the file of a server that is no more; a living one is left alone. */
function removeStale(path: string): void {
  const fd = openSocket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0)
  const connected = systemCalls().connect(fd, encodeSockaddr({ family: 'unix', path }))
  closeFd(fd)
  // EAGAIN: somebody listens, and its queue is full.
  if (connected >= 0 || connected === -Errno.EAGAIN) throw systemError(Errno.EADDRINUSE, 'bind', path)
  if (connected === -Errno.ECONNREFUSED) rmSync(path, { force: true })
}
