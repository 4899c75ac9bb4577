/**
 * etcd's failures in the registry's words.
 * @module
 */
import { EtcdError, type EtcdErrorCode } from '../../etcd/errors.ts'
import { RegistryError, type RegistryErrorCode } from '../../registry/registry.ts'

/** Who may not do what cannot be helped by another call either, but an administrator can: worth trying again. */
const CODES: { readonly [C in EtcdErrorCode]: RegistryErrorCode } = {
  ETCD_CONFLICT: 'REGISTRY_CONFLICT',
  ETCD_EXPIRED: 'REGISTRY_EXPIRED',
  ETCD_INVALID: 'REGISTRY_INVALID',
  ETCD_FORBIDDEN: 'REGISTRY_UNAVAILABLE',
  ETCD_UNAUTHORIZED: 'REGISTRY_UNAVAILABLE',
  ETCD_UNAVAILABLE: 'REGISTRY_UNAVAILABLE',
  ETCD_UNSUPPORTED: 'REGISTRY_UNAVAILABLE',
  ETCD_CONFIG: 'REGISTRY_UNAVAILABLE',
}

/** A failure as the registry's callers know it. What is none of ours, a mistake in the program, stays what it is. */
export function registryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  if (!(error instanceof EtcdError)) throw error
  return new RegistryError(CODES[error.code], `${error.message} → ${error.remedy}`, { cause: error })
}

/** Runs a call on etcd. */
export async function asRegistry<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw registryError(error)
  }
}
