/**
 * What describes the server: discovery, OpenAPI, health.
 * @module
 */
import type { Context } from '../context.ts'
import { ApiError } from '../contract.ts'
import type { Document } from '../formats.ts'
import { methodNotAllowed } from './status.ts'

/** Answers with a document; undefined when the path leads to none. Throws a 404 or a 405. */
export function answerDocument(context: Context, request: Request, path: string, accept: string): Response | undefined {
  if (HEALTH.has(path)) return new Response('ok', { headers: { 'content-type': 'text/plain; charset=utf-8' } })
  if (path === '/openapi/v2') throw new ApiError(404, 'NotFound', 'this server describes itself at /openapi/v3 alone')
  const { formats, resources } = context
  const found = path.startsWith('/openapi/')
    ? formats.openapi(path, resources.all())
    : formats.discovery(path, accept, resources.all())
  if (found === undefined) return undefined
  if (request.method !== 'GET') throw methodNotAllowed()
  return documentAnswer(request, found)
}

const HEALTH = new Set(['/readyz', '/livez', '/healthz'])

function documentAnswer(request: Request, { contentType, body, etag }: Document): Response {
  const tag = etag === undefined ? {} : { etag: /^(W\/)?"/.test(etag) ? etag : `"${etag}"` }
  if (etag !== undefined && request.headers.get('if-none-match') === tag.etag)
    return new Response(null, { status: 304 })
  return new Response(body, { headers: { 'content-type': contentType, vary: 'Accept', ...tag } })
}
