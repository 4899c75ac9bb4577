/**
 * The HTTP server: who calls, what for, and the answer.
 * @module
 */
import { rmSync } from 'node:fs'
import type { Server } from 'bun'
import type { Call, Context } from '../context.ts'
import { type Attachment, attachmentOf, execHandler } from '../streams/exec.ts'
import { refusal } from './answer.ts'
import { MAX_BODY } from './body.ts'
import type { Credentials } from './credentials.ts'
import { answerDocument } from './documents.ts'
import { answerCollection, answerOne } from './objects.ts'
import { answerReview } from './reviews.ts'
import { routeOf } from './route.ts'
import { badRequest } from './status.ts'
import { answerSubresource } from './subresources.ts'
import type { Certificates } from './tls.ts'

/** How to listen. */
export interface ListenOptions {
  /** A port of the loopback address (0: any that is free), or the path of a unix socket. */
  readonly at: { readonly port: number } | { readonly socket: string }
  /** Absent: without TLS. */
  readonly tls: Certificates | undefined
  readonly credentials: Credentials
  /** Told of errors that are ours. */
  readonly log: (message: string, error: unknown) => void
}

/** Listens where nobody but this machine's owner can call. */
export function listen(context: Context, { at, tls, credentials, log }: ListenOptions): Server<Attachment> {
  const fetch = async (request: Request, server: Server<Attachment>): Promise<Response | undefined> => {
    try {
      return await answer(context, request, server, credentials.userOf(request))
    } catch (error) {
      const response = refusal(error)
      if (response.status === 500) log('a call failed', error)
      return response
    }
  }
  const options = {
    ...(tls === undefined ? {} : { tls: { cert: tls.cert, key: tls.key } }),
    ...NEVER_IDLE,
    // What is larger is refused in a sentence; what is much larger, by the socket.
    maxRequestBodySize: 2 * MAX_BODY,
    fetch,
    error: refusal,
    websocket: execHandler,
  }
  return 'port' in at
    ? Bun.serve<Attachment>({ ...options, hostname: '127.0.0.1', port: at.port })
    : listenOnSocket(at.socket, () => Bun.serve<Attachment>({ ...options, unix: at.socket }))
}

/** A quiet watch is not a dead one. Bun's types leave this out for unix sockets; Bun does not. */
const NEVER_IDLE: object = { idleTimeout: 0 }

/** A socket is made for its owner alone; one that a killed server left is replaced. */
function listenOnSocket<T>(path: string, serve: () => T): T {
  rmSync(path, { force: true })
  const before = process.umask(0o177)
  try {
    return serve()
  } finally {
    process.umask(before)
  }
}

async function answer(
  context: Context,
  request: Request,
  server: Server<Attachment>,
  user: string,
): Promise<Response | undefined> {
  const { pathname, searchParams } = new URL(request.url)
  const path = pathname.replace(/(?<=.)\/$/, '')
  const accept = request.headers.get('accept') ?? ''
  const document = answerDocument(context, request, path, accept)
  if (document !== undefined) return document
  const review = await answerReview(context, request, path, user)
  if (review !== undefined) return review
  const call: Call = {
    ...routeOf(path, context.resources),
    method: request.method,
    query: searchParams,
    accept,
    user,
    request,
  }
  if (isStream(call)) {
    const data = attachmentOf(context, call)
    if (server.upgrade(request, { data, headers: { 'sec-websocket-protocol': data.protocol } })) return undefined
    throw badRequest('the connection cannot become a WebSocket')
  }
  const response = await answerCall(context, call)
  // Nobody hears of anything before it is on the disk: neither of a write nor of what a read saw of one.
  await context.store.settled()
  return response
}

function answerCall(context: Context, call: Call): Promise<Response> {
  if (call.name === undefined) return answerCollection(context, call)
  return call.subresource === undefined ? answerOne(context, call) : answerSubresource(context, call)
}

function isStream({ resource, subresource, request }: Call): boolean {
  if (subresource !== 'exec' && subresource !== 'attach') return false
  if (!resource.subresources.includes(subresource)) return false
  return request.headers.get('upgrade')?.toLowerCase() === 'websocket'
}
