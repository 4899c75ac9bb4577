/**
 * Kubernetes, where nobody said where it is.
 * @module
 */
import { type Registry, RegistryError } from '../registry/registry.ts'

/** Every call fails, with how to say it. */
export const NOTHING: Registry = {
  get: unsaid,
  list: unsaid,
  watch: async function* () {
    yield await unsaid()
  },
  create: unsaid,
  update: unsaid,
  delete: unsaid,
}

async function unsaid(): Promise<never> {
  const message =
    'nothing says where the Kubernetes API server is, which knows nodes, namespaces, pods, services and policies'
  throw new RegistryError('REGISTRY_UNAVAILABLE', `${message} → give --kubeconfig, or set KUBERNETES_MASTER`)
}
