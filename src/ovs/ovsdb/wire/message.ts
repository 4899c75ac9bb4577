import { OvsdbError } from '../errors.ts'

/** A JSON-RPC 1.0 message as OVSDB uses it (RFC 7047 section 4). */
export type Message =
  | { readonly kind: 'request'; readonly method: string; readonly params: readonly unknown[]; readonly id: unknown }
  | { readonly kind: 'notification'; readonly method: string; readonly params: readonly unknown[] }
  | { readonly kind: 'response'; readonly id: unknown; readonly result: unknown; readonly error: unknown }

/** Classifies a decoded JSON value. Throws OVSDB_BAD_MESSAGE for anything that is not a JSON-RPC message. */
export function decodeMessage(value: unknown): Message {
  if (!isObject(value)) throw bad('not an object')
  const id = value['id'] ?? null
  if ('method' in value) {
    const { method, params } = value
    if (typeof method !== 'string') throw bad('method is not a string')
    if (!Array.isArray(params)) throw bad('params is not an array')
    return id === null ? { kind: 'notification', method, params } : { kind: 'request', method, params, id }
  }
  if (!('result' in value) && !('error' in value)) throw bad('neither request nor response')
  if (id === null) throw bad('a response without an id')
  return { kind: 'response', id, result: value['result'] ?? null, error: value['error'] ?? null }
}

/** Narrows to a plain JSON object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function bad(what: string): OvsdbError {
  return new OvsdbError('OVSDB_BAD_MESSAGE', `the peer sent an invalid JSON-RPC message: ${what}`, {
    remedy: 'check that the socket belongs to ovsdb-server',
  })
}
