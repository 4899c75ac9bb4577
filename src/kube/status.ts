/**
 * What a `Status` object, the API's way to say no, means.
 * @module
 */
import { KubeError, type KubeErrorCode } from './errors.ts'

/** What the answer's head says. */
export interface StatusHead {
  /** Undefined for an event of a watch. */
  readonly status: number | undefined
  /** Milliseconds. */
  readonly retryAfter: number | undefined
}

/**
 * The error that a `Status` stands for. The reason decides, then the status code; what cannot be understood is
 * `KUBE_UNAVAILABLE`. Reasons: k8s.io/apimachinery, `StatusReason`.
 */
export function statusError(body: unknown, head: StatusHead): KubeError {
  const { reason, code, message } = typeof body === 'object' && body !== null ? (body as Partial<StatusBody>) : {}
  const number = head.status ?? (typeof code === 'number' ? code : undefined)
  const meaning = (typeof reason === 'string' ? BY_REASON.get(reason) : undefined) ?? meaningOf(number)
  const said = typeof message === 'string' && message !== '' ? `: ${cut(message)}` : ''
  const shownCode = number === undefined ? '' : ` (${number})`
  return new KubeError(meaning, `the API server says no${shownCode}${said}`, REMEDIES[meaning], {
    ...(number === undefined ? {} : { status: number }),
    ...(head.retryAfter === undefined ? {} : { retryAfter: head.retryAfter }),
  })
}

/** `Retry-After` in milliseconds: seconds, or a date. Undefined when it is neither. */
export function parseRetryAfter(text: string | null, now: number): number | undefined {
  if (text === null) return undefined
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000
  const date = /GMT$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), 1_000_000_000)
}

interface StatusBody {
  readonly reason: unknown
  readonly code: unknown
  readonly message: unknown
}

const BY_REASON: ReadonlyMap<string, KubeErrorCode> = new Map([
  ['NotFound', 'KUBE_NOT_FOUND'],
  ['AlreadyExists', 'KUBE_EXISTS'],
  ['Conflict', 'KUBE_CONFLICT'],
  ['Expired', 'KUBE_EXPIRED'],
  ['Gone', 'KUBE_EXPIRED'],
  ['Invalid', 'KUBE_INVALID'],
  ['BadRequest', 'KUBE_INVALID'],
  ['MethodNotAllowed', 'KUBE_INVALID'],
  ['NotAcceptable', 'KUBE_INVALID'],
  ['RequestEntityTooLarge', 'KUBE_INVALID'],
  ['UnsupportedMediaType', 'KUBE_INVALID'],
  ['Forbidden', 'KUBE_FORBIDDEN'],
  ['Unauthorized', 'KUBE_UNAUTHORIZED'],
])

const BY_STATUS: ReadonlyMap<number, KubeErrorCode> = new Map([
  [400, 'KUBE_INVALID'],
  [401, 'KUBE_UNAUTHORIZED'],
  [403, 'KUBE_FORBIDDEN'],
  [404, 'KUBE_NOT_FOUND'],
  [405, 'KUBE_INVALID'],
  [406, 'KUBE_INVALID'],
  [409, 'KUBE_CONFLICT'],
  [410, 'KUBE_EXPIRED'],
  [413, 'KUBE_INVALID'],
  [415, 'KUBE_INVALID'],
  [422, 'KUBE_INVALID'],
])

const REMEDIES: { readonly [C in KubeErrorCode]: string } = {
  KUBE_NOT_FOUND: 'check the name; of a whole resource, that its CustomResourceDefinition is installed',
  KUBE_EXISTS: 'choose another name, or update what is there',
  KUBE_CONFLICT: 'read the object again and repeat the change on it',
  KUBE_EXPIRED: 'list again and watch from there',
  KUBE_INVALID: 'correct the request: repeating it does not help',
  KUBE_FORBIDDEN: 'grant the account the missing role',
  KUBE_UNAUTHORIZED: 'check the token or client certificate in the kubeconfig',
  KUBE_UNAVAILABLE: 'try again later; if it stays, look at the log of the API server',
  KUBE_CONFIG: 'correct the kubeconfig',
  KUBE_CREDENTIALS: 'run the credential plugin by hand and see what it says',
  KUBE_LEASE_LOST: 'nothing: another replica leads, or this one will again',
}

function meaningOf(status: number | undefined): KubeErrorCode {
  return (status === undefined ? undefined : BY_STATUS.get(status)) ?? 'KUBE_UNAVAILABLE'
}

function cut(message: string): string {
  return message.length > 500 ? `${message.slice(0, 500)}…` : message
}
