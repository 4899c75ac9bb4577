/**
 * The playground's API server as its own programs use it.
 * @module
 */
import { weftBindings } from '../compat/bindings.ts'
import { KubeClient } from '../kube/client.ts'
import { loadKubeconfig } from '../kube/kubeconfig.ts'
import { KubeRegistry } from '../kube/registry.ts'
import type { Registry } from '../registry/registry.ts'
import { notRunning } from './errors.ts'
import type { Layout } from './layout.ts'

/** The API server of a playground. Throws PLAY_NOT_RUNNING where there is none. */
export function playApi({ kubeconfig, runDir }: Pick<Layout, 'kubeconfig' | 'runDir'>): KubeClient {
  try {
    return new KubeClient(loadKubeconfig(kubeconfig, {}))
  } catch (cause) {
    throw notRunning(runDir, { cause })
  }
}

/** What the API server holds, as the model's objects. */
export function playRegistry(api: KubeClient): Registry {
  return new KubeRegistry(api, weftBindings)
}
