/**
 * The registry's HTTP dialect, both directions: paths, statuses, and JSON that is checked before it is believed.
 *
 *     GET    /v1/Pod                      a listing
 *     GET    /v1/Pod?watch=<revision>     changes after it, one JSON object per line
 *     GET    /v1/Pod?name=<name>[&watch=<revision>]  the same of one object
 *     GET    /v1/Pod/<name>               an object; names are percent-encoded
 *     POST   /v1/Pod/<name>               create, the value as body
 *     PUT    /v1/Pod/<name>?revision=<n>  update
 *     DELETE /v1/Pod/<name>[?revision=<n>]
 * @module
 */
import { decodeValue } from './codec.ts'
import { type Change, type Kind, type Listing, RegistryError, type RegistryErrorCode, type Stored } from './registry.ts'

/** How often a server says that a quiet watch is alive, in milliseconds. */
export const BOOKMARK_INTERVAL = 10_000
/** The longest request body in bytes; far above any object that people write. */
export const MAX_BODY = 1 << 20
/** The longest name: a pod's with its namespace, and some. */
export const MAX_NAME = 512

/** The HTTP status of every way to fail. */
export const STATUS: { readonly [C in RegistryErrorCode]: number } = {
  REGISTRY_INVALID: 400,
  REGISTRY_FENCED: 403,
  REGISTRY_NOT_FOUND: 404,
  REGISTRY_EXISTS: 409,
  REGISTRY_CONFLICT: 409,
  REGISTRY_EXPIRED: 410,
  REGISTRY_UNAVAILABLE: 503,
}

/** The path of a kind or of one of its objects. Throws `REGISTRY_INVALID` for a name that is no Unicode text. */
export function pathOf(kind: Kind, name?: string): string {
  if (name?.isWellFormed() === false) throw new RegistryError('REGISTRY_INVALID', 'the name is no Unicode text')
  return name === undefined ? `/v1/${kind}` : `/v1/${kind}/${encodeURIComponent(name)}`
}

/** The path of a kind's listing, or with a revision of its watch; of one object with `name`. Throws `REGISTRY_INVALID` likewise. */
export function collectionOf(kind: Kind, name?: string, after?: number): string {
  const named = name === undefined ? [] : [`name=${pathOf(kind, name).slice(pathOf(kind).length + 1)}`]
  const query = [...named, ...(after === undefined ? [] : [`watch=${after}`])]
  return query.length === 0 ? pathOf(kind) : `${pathOf(kind)}?${query.join('&')}`
}

/** A revision as it stands in a query or an object, or undefined. */
export function parseRevision(input: unknown): number | undefined {
  const value = typeof input === 'string' && /^\d{1,16}$/.test(input) ? Number(input) : input
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** JSON, or `REGISTRY_INVALID`. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new RegistryError('REGISTRY_INVALID', 'what came over the wire is not JSON', { cause })
  }
}

/** A failure as JSON. Anything that is not a {@link RegistryError} is the server's own trouble. */
export function errorToWire(error: unknown): { readonly code: RegistryErrorCode; readonly message: string } {
  if (error instanceof RegistryError) return { code: error.code, message: error.message }
  return { code: 'REGISTRY_UNAVAILABLE', message: `the registry failed: ${String(error).slice(0, 200)}` }
}

/** A failure out of JSON. What cannot be understood counts as `REGISTRY_UNAVAILABLE`. */
export function errorFromWire(input: unknown): RegistryError {
  const { code, message } = asObject(input)
  if (typeof code === 'string' && Object.hasOwn(STATUS, code) && typeof message === 'string') {
    return new RegistryError(code as RegistryErrorCode, message)
  }
  return new RegistryError('REGISTRY_UNAVAILABLE', 'the registry gave an answer that means nothing')
}

/** An object out of JSON, validated. Throws a {@link RegistryError}. */
export function storedFromWire<K extends Kind>(kind: K, input: unknown): Stored<K> {
  const { name, revision, value } = asObject(input)
  const parsed = parseRevision(revision)
  if (typeof name !== 'string' || parsed === undefined) throw garbage()
  return Object.freeze({ name, revision: parsed, value: decodeValue(kind, name, value) })
}

/** A listing out of JSON, validated. Throws a {@link RegistryError}. */
export function listingFromWire<K extends Kind>(kind: K, input: unknown): Listing<K> {
  const { revision, objects } = asObject(input)
  const parsed = parseRevision(revision)
  if (parsed === undefined || !Array.isArray(objects)) throw garbage()
  return { revision: parsed, objects: objects.map((object) => storedFromWire(kind, object)) }
}

/** A change out of JSON, validated. Throws a {@link RegistryError}, also when the line is one. */
export function changeFromWire<K extends Kind>(kind: K, input: unknown): Change<K> {
  const { type, object, revision, error } = asObject(input)
  if (type === 'put' || type === 'delete') return { type, object: storedFromWire(kind, object) }
  if (type === 'error') throw errorFromWire(error)
  const parsed = parseRevision(revision)
  if (type !== 'bookmark' || parsed === undefined) throw garbage()
  return { type, revision: parsed }
}

/** What is on the wire makes no sense. */
export function garbage(cause?: unknown): RegistryError {
  return new RegistryError('REGISTRY_UNAVAILABLE', 'the registry sent something that is no answer', { cause })
}

function asObject(input: unknown): Readonly<Record<string, unknown>> {
  if (typeof input !== 'object' || input === null) throw garbage()
  return input as Readonly<Record<string, unknown>>
}
