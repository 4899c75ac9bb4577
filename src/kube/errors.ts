/**
 * The ways a call on the Kubernetes API fails.
 * @module
 */

/** The code of a failed call. Only `KUBE_UNAVAILABLE` is worth repeating unchanged. */
export type KubeErrorCode =
  | 'KUBE_NOT_FOUND'
  | 'KUBE_EXISTS'
  | 'KUBE_CONFLICT'
  | 'KUBE_EXPIRED'
  | 'KUBE_INVALID'
  | 'KUBE_FORBIDDEN'
  | 'KUBE_UNAUTHORIZED'
  | 'KUBE_UNAVAILABLE'
  | 'KUBE_CONFIG'
  | 'KUBE_CREDENTIALS'
  | 'KUBE_LEASE_LOST'

/** A call on the Kubernetes API that failed. The message is the cause, the remedy what to do. */
export class KubeError extends Error {
  readonly code: KubeErrorCode
  readonly remedy: string
  /** The HTTP status, where there was an answer. */
  readonly status: number | undefined
  /** Milliseconds after which the server asks to be called again. */
  readonly retryAfter: number | undefined

  constructor(
    code: KubeErrorCode,
    message: string,
    remedy: string,
    details: { readonly status?: number; readonly retryAfter?: number; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause })
    this.name = 'KubeError'
    this.code = code
    this.remedy = remedy
    this.status = details.status
    this.retryAfter = details.retryAfter
  }
}
