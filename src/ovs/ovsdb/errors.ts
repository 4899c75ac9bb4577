/** Stable codes: part of the API. Server-side errors of RFC 7047 section 3 and 5 map one to one. */
export type OvsdbErrorCode =
  | 'OVSDB_UNREACHABLE'
  | 'OVSDB_BAD_REMOTE'
  | 'OVSDB_BAD_TLS'
  | 'OVSDB_UNTRUSTED'
  | 'OVSDB_NO_DATABASE'
  | 'OVSDB_NOT_LEADER'
  | 'OVSDB_DISCONNECTED'
  | 'OVSDB_CLOSED'
  | 'OVSDB_ABORTED'
  | 'OVSDB_TIMEOUT'
  | 'OVSDB_BAD_JSON'
  | 'OVSDB_MESSAGE_TOO_LARGE'
  | 'OVSDB_BAD_MESSAGE'
  | 'OVSDB_BAD_VALUE'
  | 'OVSDB_BAD_RESULT'
  | 'OVSDB_SCHEMA_MISMATCH'
  | 'OVSDB_RPC_ERROR'
  | 'OVSDB_CONSTRAINT_VIOLATION'
  | 'OVSDB_REFERENTIAL_INTEGRITY_VIOLATION'
  | 'OVSDB_WAIT_FAILED'
  | 'OVSDB_NOT_OWNER'
  | 'OVSDB_ABORTED_BY_OPERATION'
  | 'OVSDB_RESOURCES_EXHAUSTED'
  | 'OVSDB_IO_ERROR'
  | 'OVSDB_DOMAIN_ERROR'
  | 'OVSDB_RANGE_ERROR'
  | 'OVSDB_DUPLICATE_UUID_NAME'
  | 'OVSDB_SYNTAX_ERROR'
  | 'OVSDB_PERMISSION_ERROR'
  | 'OVSDB_TRANSACTION_FAILED'
  | 'OVSDB_NO_SUCH_BRIDGE'
  | 'OVSDB_NO_SUCH_INTERFACE'
  | 'OVSDB_INTERFACE_ERROR'

export type OvsdbErrorInfo = {
  /** What to do, one sentence. */
  readonly remedy?: string
  /** The server's own explanation, where it gave one. */
  readonly details?: string
  /** Index and name of the failed operation; undefined when the commit as a whole failed. */
  readonly opIndex?: number
  readonly op?: string
  /** True when the request may have taken effect although no answer arrived. */
  readonly outcomeUnknown?: boolean
  readonly cause?: unknown
}

const RETRYABLE: ReadonlySet<OvsdbErrorCode> = new Set([
  'OVSDB_UNREACHABLE',
  'OVSDB_NOT_LEADER',
  'OVSDB_DISCONNECTED',
  'OVSDB_TIMEOUT',
])

/** Every failure of this client. `code` is stable, `message` is the cause, `remedy` what to do. */
export class OvsdbError extends Error {
  override readonly name = 'OvsdbError'
  readonly code: OvsdbErrorCode
  readonly remedy: string
  readonly details: string | undefined
  readonly opIndex: number | undefined
  readonly op: string | undefined
  readonly outcomeUnknown: boolean

  constructor(code: OvsdbErrorCode, message: string, info: OvsdbErrorInfo = {}) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.code = code
    this.remedy = info.remedy ?? 'look at the ovsdb-server log for the same moment'
    this.details = info.details
    this.opIndex = info.opIndex
    this.op = info.op
    this.outcomeUnknown = info.outcomeUnknown ?? false
  }

  /** True when the same request may succeed later unchanged (check `outcomeUnknown` first). */
  get retryable(): boolean {
    return RETRYABLE.has(this.code)
  }
}

/** True for an OvsdbError, optionally of one code. */
export function isOvsdbError(error: unknown, code?: OvsdbErrorCode): error is OvsdbError {
  return error instanceof OvsdbError && (code === undefined || error.code === code)
}
