/**
 * The Kubernetes API's failures and revisions in the registry's words.
 * @module
 */
import { RegistryError, type RegistryErrorCode } from '../registry/registry.ts'
import { KubeError, type KubeErrorCode } from './errors.ts'

/** Who may not do what cannot be helped by another call either, but an administrator can: worth trying again. */
const CODES: { readonly [C in KubeErrorCode]: RegistryErrorCode } = {
  KUBE_NOT_FOUND: 'REGISTRY_NOT_FOUND',
  KUBE_EXISTS: 'REGISTRY_EXISTS',
  KUBE_CONFLICT: 'REGISTRY_CONFLICT',
  KUBE_EXPIRED: 'REGISTRY_EXPIRED',
  KUBE_INVALID: 'REGISTRY_INVALID',
  KUBE_FORBIDDEN: 'REGISTRY_UNAVAILABLE',
  KUBE_UNAUTHORIZED: 'REGISTRY_UNAVAILABLE',
  KUBE_UNAVAILABLE: 'REGISTRY_UNAVAILABLE',
  KUBE_CONFIG: 'REGISTRY_UNAVAILABLE',
  KUBE_CREDENTIALS: 'REGISTRY_UNAVAILABLE',
  KUBE_LEASE_LOST: 'REGISTRY_FENCED',
}

/** A failure as the registry's callers know it. What is none of ours, a mistake in the program, stays what it is. */
export function registryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  if (!(error instanceof KubeError)) throw error
  return new RegistryError(CODES[error.code], `${error.message} → ${error.remedy}`, { cause: error })
}

/** A failure of a whole kind: that its resource is not there yet will pass. */
export function collectionError(error: unknown): RegistryError {
  const { code, message, cause } = registryError(error)
  return new RegistryError(code === 'REGISTRY_NOT_FOUND' ? 'REGISTRY_UNAVAILABLE' : code, message, { cause })
}

/** A resourceVersion as a revision. Throws `REGISTRY_UNAVAILABLE` for one that is no whole number. */
export function revisionOf(resourceVersion: string | undefined): number {
  const revision = /^\d{1,16}$/.test(resourceVersion ?? '') ? Number(resourceVersion) : Number.NaN
  if (Number.isSafeInteger(revision)) return revision
  throw new RegistryError('REGISTRY_UNAVAILABLE', 'the API server counts revisions in a way that is not understood')
}
