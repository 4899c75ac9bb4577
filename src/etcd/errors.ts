/**
 * The ways a call on etcd fails.
 * @module
 */

/** The code of a failed call. Only `ETCD_UNAVAILABLE` is worth repeating unchanged. */
export type EtcdErrorCode =
  /** Compare-and-swap found another revision than it was to, or something where nothing was to be, or nothing. */
  | 'ETCD_CONFLICT'
  /** The history does not reach back (or up) to where a watch was to go on. */
  | 'ETCD_EXPIRED'
  | 'ETCD_INVALID'
  | 'ETCD_FORBIDDEN'
  | 'ETCD_UNAUTHORIZED'
  | 'ETCD_UNAVAILABLE'
  /** The API is not served there. */
  | 'ETCD_UNSUPPORTED'
  | 'ETCD_CONFIG'

/** What is known of a failed call beside its code. */
export interface EtcdErrorDetails {
  readonly cause?: unknown
  /** It never reached a server: asking another one cannot do it twice. */
  readonly isUnsent?: boolean
}

/** A call on etcd that failed. The message is the cause, the remedy what to do; neither holds a secret. */
export class EtcdError extends Error {
  override readonly name = 'EtcdError'
  readonly code: EtcdErrorCode
  readonly remedy: string
  readonly isUnsent: boolean

  constructor(code: EtcdErrorCode, message: string, remedy: string, details: EtcdErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause })
    this.code = code
    this.remedy = remedy
    this.isUnsent = details.isUnsent ?? false
  }
}

/** etcd does not answer, or gives an answer that is none. */
export function unavailable(message: string, details: EtcdErrorDetails = {}): EtcdError {
  return new EtcdError('ETCD_UNAVAILABLE', message, 'try again later; if it stays, look at the log of etcd', details)
}

/** An answer that is none. */
export function garbage(what: string): EtcdError {
  return new EtcdError(
    'ETCD_UNAVAILABLE',
    `etcd sent ${what}`,
    'check that the addresses in --etcd-endpoints are those of an etcd 3',
  )
}

/** Somebody else wrote first. */
export function conflict(key: string): EtcdError {
  return new EtcdError('ETCD_CONFLICT', `${cut(key)} is not as it was`, 'read it again and repeat the change on it')
}

/** A watch cannot go on. */
export function expired(why: string): EtcdError {
  return new EtcdError('ETCD_EXPIRED', why, 'list again and watch from there')
}

/** A call that its caller ended. */
export function ended(): EtcdError {
  return new EtcdError('ETCD_UNAVAILABLE', 'the call was ended before its answer came', 'nothing: it was asked for')
}

/** Somebody's text as it may stand in a message. */
export function cut(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
}
