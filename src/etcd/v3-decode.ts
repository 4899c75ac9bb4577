/**
 * Answers of the v3 API through its JSON gateway. Facts: etcd 3.4 and 3.5, `rpc.proto` and `rpctypes/error.go`, and what
 * they answered when they were asked. Numbers of 64 bits are text there, zero and empty are left out.
 * @module
 */
import { listOf, parseJson, recordOf, revisionOf, textOf } from './decode.ts'
import { EtcdError, expired, garbage, unavailable } from './errors.ts'
import type { EtcdAnswer } from './http.ts'
import type { Entry, KeyEvent } from './key-space.ts'
import { sentenceIn } from './sentences.ts'

/** What comes with every answer. */
export interface Header {
  readonly cluster: string | undefined
  readonly revision: number
}

/** One message of a watch. */
export interface WatchMessage {
  readonly header: Header
  readonly events: readonly { readonly revision: number; readonly event: KeyEvent }[]
  /** The rest of it comes with the next one. */
  readonly isFragment: boolean
  /** It only tells that the watch is there. */
  readonly isCreated: boolean
}

/** An answer's fields. Throws the failure that it is. */
export function v3Fields({ status, text }: EtcdAnswer): Readonly<Record<string, unknown>> {
  if (status !== 200) throw v3Failure(status, text)
  return recordOf(parseJson(text), 'an answer')
}

/** The failure that an answer is. */
export function v3Failure(status: number, text: string): EtcdError {
  const { code, message } = errorIn(text)
  if (code === undefined && status === 404) {
    const remedy = 'check that it is an etcd 3.4 or later, and not started with --enable-grpc-gateway=false'
    return new EtcdError('ETCD_UNSUPPORTED', 'there is no v3 API at this address', remedy)
  }
  return failureOf(code, message ?? '', status)
}

/** The header of an answer. */
export function headerOf(fields: Readonly<Record<string, unknown>>): Header {
  const header = recordOf(fields['header'], 'a header')
  const cluster = header['cluster_id']
  return {
    cluster: typeof cluster === 'string' && cluster !== '' ? cluster : undefined,
    revision: revisionOf(header['revision'], 'a revision'),
  }
}

/** The keys in the answer to a range. */
export function keysOf(fields: Readonly<Record<string, unknown>>): readonly Entry[] {
  return listOf(fields['kvs'], 'a list of keys').map(entryOf)
}

/** The keys in the answer to the range at a place among a transaction's operations. */
export function rangeIn(fields: Readonly<Record<string, unknown>>, place: number): readonly Entry[] {
  const response = recordOf(listOf(fields['responses'], 'a list of answers')[place], 'an answer')
  return keysOf(recordOf(response['response_range'], 'the answer to a range'))
}

/** The number of the lease that was granted: 64 bits, which stay text. */
export function leaseIn({ ID: id }: Readonly<Record<string, unknown>>): string {
  if (typeof id === 'string' && /^\d{1,20}$/.test(id)) return id
  throw garbage('a lease without a number')
}

/** One line of a watch. Throws `ETCD_EXPIRED` when history was cleared, and what else ends a watch. */
export function watchMessage(line: string): WatchMessage {
  const { result, error } = recordOf(parseJson(line), 'a message')
  if (error !== undefined) throw v3Failure(0, line)
  const message = recordOf(result, 'a message')
  if (message['canceled'] === true) throw cancellation(message)
  return {
    header: headerOf(message),
    events: listOf(message['events'], 'a list of events').map(eventOf),
    isFragment: message['fragment'] === true,
    isCreated: message['created'] === true,
  }
}

function cancellation(message: Readonly<Record<string, unknown>>): EtcdError {
  if (revisionOf(message['compact_revision'], 'a revision') > 0) {
    return expired('etcd has compacted the history back to there')
  }
  const reason = message['cancel_reason']
  const text = typeof reason === 'string' ? reason : ''
  const name = /code = (\w+)/.exec(text)?.[1] ?? ''
  return failureOf(NAMES.get(name), text)
}

function eventOf(input: unknown): { readonly revision: number; readonly event: KeyEvent } {
  const { type, kv, prev_kv: previous } = recordOf(input, 'an event')
  const entry = entryOf(kv)
  if (type === undefined || type === 'PUT') return { revision: entry.revision, event: { type: 'put', entry } }
  if (type !== 'DELETE') throw garbage('an event of an unknown type')
  const last = previous === undefined || previous === null ? undefined : entryOf(previous)
  return { revision: entry.revision, event: { type: 'delete', key: entry.key, last } }
}

function entryOf(input: unknown): Entry {
  const { key, value, mod_revision: revision, create_revision: created, lease } = recordOf(input, 'a key')
  return {
    key: fromBase64(key, 'a key'),
    value: value === undefined ? '' : fromBase64(value, 'a value'),
    revision: revisionOf(revision, 'a revision'),
    created: revisionOf(created, 'a revision'),
    ...(lease === undefined || lease === '0' || lease === 0 ? {} : { isTemporary: true }),
  }
}

/** Bytes that are no text come out as something that no decoder of values takes. */
function fromBase64(input: unknown, what: string): string {
  return Buffer.from(textOf(input, what), 'base64').toString('utf8')
}

/** gRPC's codes, by number and by name. */
const NAMES: ReadonlyMap<string, number> = new Map([
  ['InvalidArgument', 3],
  ['DeadlineExceeded', 4],
  ['NotFound', 5],
  ['PermissionDenied', 7],
  ['ResourceExhausted', 8],
  ['FailedPrecondition', 9],
  ['OutOfRange', 11],
  ['Unimplemented', 12],
  ['Unavailable', 14],
  ['Unauthenticated', 16],
])

/** They come as an invalid argument, but what is wrong is the account. */
const ACCOUNT = /user name is empty|auth store is old|invalid auth token|invalid user ID or password/

/** Of an answer to a request `status` is HTTP's. */
function failureOf(code: number | undefined, message: string, status = 200): EtcdError {
  const said = `etcd says no${labelOf(code, message, status)}`
  if (code === 16 || ACCOUNT.test(message)) {
    return new EtcdError('ETCD_UNAUTHORIZED', said, 'check --etcd-username and its password')
  }
  if (code === 7) {
    const remedy = 'grant the user a role that reads and writes there'
    return new EtcdError('ETCD_FORBIDDEN', said, remedy)
  }
  if (code === 11) return expired(said)
  if (code === 3) return new EtcdError('ETCD_INVALID', said, 'correct the request: repeating it does not help')
  // With TLS its gateway is a client of itself.
  if (/connection closed|transport is closing/.test(message)) {
    const remedy = 'if it stays, check that the server’s certificate allows clientAuth too (or use --etcd-api v2)'
    return new EtcdError('ETCD_UNAVAILABLE', said, remedy)
  }
  return unavailable(said)
}

/** What is known to come from etcd, and not from what it was told. */
function labelOf(code: number | undefined, message: string, status: number): string {
  const sentence = sentenceIn(message)
  if (sentence !== undefined) return `: ${sentence}`
  const numbers = [
    ...(status < 300 ? [] : [`HTTP ${status}`]),
    ...(code !== undefined && CODES.has(code) ? [`gRPC ${code}`] : []),
  ]
  return numbers.length === 0 ? '' : ` (${numbers.join(', ')})`
}

const CODES: ReadonlySet<number> = new Set(NAMES.values())

/** 3.4 tells a stream's failure in an object, 3.5 as it tells others. */
function errorIn(text: string): { readonly code: number | undefined; readonly message: string | undefined } {
  try {
    const parsed = recordOf(JSON.parse(text), 'an error')
    const inner = parsed['error']
    const fields = typeof inner === 'object' && inner !== null ? (inner as Readonly<Record<string, unknown>>) : parsed
    const code = fields['code'] ?? fields['grpc_code']
    const message = fields['message'] ?? fields['error']
    return {
      code: typeof code === 'number' ? code : undefined,
      message: typeof message === 'string' ? message : undefined,
    }
  } catch {
    return { code: undefined, message: undefined }
  }
}
