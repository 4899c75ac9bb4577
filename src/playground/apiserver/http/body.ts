/**
 * Request bodies: bounded in size and depth, JSON, YAML or the protobuf of some clients.
 * @module
 */
import { parse } from 'yaml'
import { ApiError } from '../contract.ts'
import type { Formats } from '../formats.ts'
import { badRequest, unsupportedMedia } from './status.ts'

/** Bytes of a body: what the API allows too. */
export const MAX_BODY = 3 * 1024 * 1024
const MAX_DEPTH = 100

/** The media type of a request's body, without parameters. */
export function mediaTypeOf(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** The bytes of a body. Throws a 413 for one that is too large. */
export async function readBytes(request: Request): Promise<Uint8Array> {
  const body = await request.bytes()
  if (body.length <= MAX_BODY) return body
  throw new ApiError(413, 'RequestEntityTooLarge', `the request's body is larger than ${MAX_BODY} bytes`)
}

/** The value of a body; undefined for none. Throws a 400, 413 or 415. */
export async function readBody(request: Request, formats: Formats): Promise<unknown> {
  const bytes = await readBytes(request)
  if (bytes.length === 0) return undefined
  const type = mediaTypeOf(request)
  if (type === '' || type === 'application/json') return parseJson(bytes)
  if (type === 'application/vnd.kubernetes.protobuf') return checked(formats.decodeProtobuf(bytes))
  if (type === 'application/yaml') return parseYaml(bytes)
  throw unsupportedMedia(
    'the body of the request was in an unknown format - accepted media types include: ' +
      'application/json, application/yaml, application/vnd.kubernetes.protobuf',
  )
}

/** Reads JSON. Throws a 400. */
export function parseJson(bytes: Uint8Array): unknown {
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(bytes))
  } catch {
    throw badRequest("the object provided is unrecognized: couldn't get version/kind; json parse error")
  }
  return checked(value)
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseYaml(bytes: Uint8Array): unknown {
  let value: unknown
  try {
    value = parse(utf8.decode(bytes), { maxAliasCount: 0, schema: 'core', strict: true })
  } catch {
    throw badRequest('the object provided is unrecognized: yaml parse error')
  }
  return checked(value)
}

/** Throws a 400 for what is nested too deep, and for the one key that is more than a key to JavaScript. */
function checked(value: unknown): unknown {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) throw badRequest(`the object provided is nested deeper than ${MAX_DEPTH} levels`)
    const below: unknown[] = []
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue
      if (Object.hasOwn(item, '__proto__')) throw badRequest('"__proto__" is no field')
      for (const inner of Object.values(item)) if (typeof inner === 'object' && inner !== null) below.push(inner)
    }
    level = below
  }
  return value
}
