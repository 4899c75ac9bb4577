/**
 * Why there was no answer.
 * @module
 */
import { KubeError } from './errors.ts'

/** Whether a connection failed because the server's certificate could not be checked. */
export function isDistrust(error: unknown): boolean {
  return error instanceof KubeError && TRUST.test(codeOf(error.cause))
}

const TRUST = /CERT|SELF_SIGNED|TLS|SSL|ISSUER|VERIFY/

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
}

/** A connection that could not be made, or broke. */
export function connectionError(cause: unknown): KubeError {
  const code = codeOf(cause)
  const remedy = TRUST.test(code)
    ? 'check the certificate authority and the server name in the kubeconfig'
    : 'check that the API server runs and that its address in the kubeconfig is right'
  return new KubeError('KUBE_UNAVAILABLE', `the connection to the API server failed (${code.slice(0, 80)})`, remedy, {
    cause,
  })
}

/** Whoever called does not want the answer any more. */
export function ended(): KubeError {
  return new KubeError('KUBE_UNAVAILABLE', 'the call was ended before its answer came', 'nothing: it was asked for')
}

/** A server that does not answer as it should. */
export function unavailable(message: string): KubeError {
  return new KubeError('KUBE_UNAVAILABLE', message, 'try again later; if it stays, look at the log of the API server')
}
