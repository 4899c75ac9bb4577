import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { OvsdbError } from '../errors.ts'
import { formatRemote, type Remote } from './remote.ts'
import { type ByteSocket, type ByteSocketHandlers, connectUnix } from './socket.ts'
import { readTls, type TlsFiles } from './tls.ts'

export type StreamOptions = {
  readonly tls?: TlsFiles
  /** Time for a TCP connection and its TLS handshake; default 5 s. */
  readonly connectTimeoutMs?: number
  /** Gives up connecting. */
  readonly signal?: AbortSignal
  /** What to do when nobody answers. */
  readonly remedy: string
}

const CONNECT_MS = 5000

/** Connects to a server wherever it listens. Rejects with OVSDB_UNREACHABLE, OVSDB_BAD_TLS or OVSDB_UNTRUSTED. */
export async function connectStream(
  remote: Remote,
  options: StreamOptions,
  handlers: ByteSocketHandlers,
): Promise<ByteSocket> {
  if (remote.kind === 'unix') return connectUnix(remote.path, options.remedy, handlers)
  const target = { host: remote.host, port: remote.port }
  if (remote.kind === 'tcp') return opened(connectTcp(target), 'connect', remote, options, handlers)
  const material = await readTls(options.tls)
  const socket = connectTls({
    ...target,
    ...material,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    // As all of OVSDB's programs: whoever has a certificate of this authority is trusted, whatever name it bears.
    checkServerIdentity: () => undefined,
  })
  return opened(socket, 'secureConnect', remote, options, handlers)
}

function opened(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  remote: Remote,
  options: StreamOptions,
  handlers: ByteSocketHandlers,
): Promise<ByteSocket> {
  return new Promise((resolve, reject) => {
    let state: 'opening' | 'open' | 'ended' = 'opening'
    const limit = options.connectTimeoutMs ?? CONNECT_MS
    const end = (why: string, cause?: unknown): void => {
      if (state === 'ended') return
      const before = state
      state = 'ended'
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', abort)
      socket.destroy()
      if (before === 'open') handlers.closed(why)
      else reject(failure(remote, why, options.remedy, cause))
    }
    const abort = (): void => end('given up by the caller')
    const timer = setTimeout(() => end(`no answer within ${limit} ms`), limit)
    if (options.signal?.aborted) return abort()
    options.signal?.addEventListener('abort', abort, { once: true })
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      if (state === 'open') handlers.data(chunk)
    })
    socket.on('error', (error) => end(error.message, error))
    socket.on('end', () => end('the server closed the connection'))
    socket.on('close', () => end('the connection was closed'))
    socket.once(event, () => {
      if (state !== 'opening') return
      state = 'open'
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', abort)
      resolve({
        write: (bytes) => {
          if (state === 'open') socket.write(bytes)
        },
        get queuedBytes() {
          return socket.writableLength
        },
        close: () => end('closed by this side'),
      })
    })
  })
}

/** What OpenSSL and Node call a certificate that is not to be trusted. */
const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_|ISSUER|CA_/

function failure(remote: Remote, why: string, remedy: string, cause: unknown): OvsdbError {
  const place = formatRemote(remote)
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (remote.kind === 'ssl' && UNTRUSTED.test(code)) {
    return new OvsdbError('OVSDB_UNTRUSTED', `the server at ${place} has a certificate that is not trusted: ${why}`, {
      remedy: 'name the authority that signed it, or have it renewed',
      cause,
    })
  }
  return new OvsdbError('OVSDB_UNREACHABLE', `cannot connect to OVSDB at ${place}: ${why}`, { remedy, cause })
}
