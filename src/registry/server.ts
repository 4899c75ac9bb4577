/**
 * A registry served over a unix socket, in the dialect of `wire.ts`.
 * @module
 */
import { isKind } from './codec.ts'
import { type Kind, type Kinds, type Registry, RegistryError } from './registry.ts'
import { type PrivateServer, servePrivately } from './socket.ts'
import { watchStream } from './watch-stream.ts'
import { BOOKMARK_INTERVAL, errorToWire, MAX_BODY, MAX_NAME, parseJson, parseRevision, STATUS } from './wire.ts'

/** How a registry is served. */
export interface ServeOptions {
  /** Where the socket is to be; one that nobody listens on is replaced. Readable by its owner alone. */
  readonly path: string
  /** How often a quiet watch gets a bookmark, in milliseconds. */
  readonly bookmarkInterval?: number
}

/** A registry being served. */
export interface RegistryServer extends PrivateServer {
  readonly path: string
}

/** Serves a registry. Throws `REGISTRY_UNAVAILABLE` when the socket cannot be had. */
export async function serveRegistry(registry: Registry, options: ServeOptions): Promise<RegistryServer> {
  const { path, bookmarkInterval = BOOKMARK_INTERVAL } = options
  const stopping = new AbortController()
  const server = await servePrivately(path, {
    // A quiet watch is not a dead one, and Bun would end it after ten seconds.
    idleTimeout: 0,
    maxRequestBodySize: MAX_BODY,
    fetch: (request) => answer(registry, request, { bookmarkInterval, stopping: stopping.signal }),
    error: failure,
  })
  const stop = (): Promise<void> => {
    stopping.abort()
    return server.stop()
  }
  return { path, stop }
}

interface WatchContext {
  readonly bookmarkInterval: number
  readonly stopping: AbortSignal
}

interface Target {
  readonly kind: Kind
  readonly name: string | undefined
  readonly query: URLSearchParams
}

async function answer(registry: Registry, request: Request, context: WatchContext): Promise<Response> {
  try {
    const target = parseTarget(request.url)
    if (target.name !== undefined) return await answerObject(registry, request, { ...target, name: target.name })
    if (request.method !== 'GET') throw invalid(`${request.method} needs an object's name`)
    const watch = target.query.get('watch')
    const name = selectedName(target.query)
    if (watch === null) return Response.json(await registry.list(target.kind, undefined, name))
    const after = requireRevision(watch)
    const signal = AbortSignal.any([request.signal, context.stopping])
    const body = watchStream(registry, target.kind, { after, name, signal, interval: context.bookmarkInterval })
    return new Response(body, { headers: { 'content-type': 'application/x-ndjson' } })
  } catch (error) {
    return failure(error)
  }
}

async function answerObject(
  registry: Registry,
  request: Request,
  target: Target & { readonly name: string },
): Promise<Response> {
  const { kind, name, query } = target
  const revision = query.has('revision') ? requireRevision(query.get('revision')) : undefined
  switch (request.method) {
    case 'GET': {
      const found = await registry.get(kind, name)
      if (found === undefined) throw new RegistryError('REGISTRY_NOT_FOUND', `there is no ${kind} of this name`)
      return Response.json(found)
    }
    case 'POST':
      return Response.json(await registry.create(kind, name, await readValue(request)), { status: 201 })
    case 'PUT':
      if (revision === undefined) throw invalid('an update needs the revision that it is based on')
      return Response.json(await registry.update(kind, name, await readValue(request), revision))
    case 'DELETE':
      await registry.delete(kind, name, revision)
      return Response.json({})
    default:
      throw invalid(`there is no method ${request.method.slice(0, 20)} here`)
  }
}

function parseTarget(url: string): Target {
  const { pathname, searchParams } = new URL(url)
  const [, root, version, kind, name, ...rest] = ['', ...pathname.split('/')]
  if (root !== '' || version !== 'v1' || kind === undefined || !isKind(kind) || rest.length > 0) {
    throw invalid('there is nothing at this path')
  }
  if (name === undefined) return { kind, name, query: searchParams }
  return { kind, name: expectShort(decodeName(name)), query: searchParams }
}

/** The one object that a listing or a watch is about. */
function selectedName(query: URLSearchParams): string | undefined {
  const name = query.get('name')
  return name === null ? undefined : expectShort(name)
}

function expectShort(name: string): string {
  if (name.length <= MAX_NAME) return name
  throw invalid(`a name of ${name.length} characters is too long`)
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    throw invalid('the name in the path is not percent-encoded text')
  }
}

/** The body as it is; the registry validates it. */
async function readValue<K extends Kind>(request: Request): Promise<Kinds[K]> {
  const text = await request.text()
  if (text.length > MAX_BODY) throw invalid(`a body of more than ${MAX_BODY} bytes is too long`)
  return parseJson(text) as Kinds[K]
}

function requireRevision(text: string | null): number {
  const revision = parseRevision(text)
  if (revision === undefined) throw invalid('a revision is a whole number')
  return revision
}

function failure(error: unknown): Response {
  const wire = errorToWire(error)
  return Response.json(wire, { status: STATUS[wire.code] })
}

function invalid(message: string): RegistryError {
  return new RegistryError('REGISTRY_INVALID', message)
}
