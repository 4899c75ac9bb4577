/**
 * Where shared state is, and how it is opened. Whoever needs the registry says a place; nobody else knows its kinds.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { nodeBindings, weftBindings } from '../compat/bindings.ts'
import { nodeReports } from '../compat/weft/node-report.ts'
import type { KubeApi } from '../kube/api.ts'
import { KubeClient } from '../kube/client.ts'
import type { KubeConfig } from '../kube/config.ts'
import { type Environment, loadKubeconfig } from '../kube/kubeconfig.ts'
import { KubeRegistry } from '../kube/registry.ts'
import { RegistryClient } from '../registry/client.ts'
import type { Registry } from '../registry/registry.ts'

/** Where shared state is. */
export type RegistryPlace =
  /** A registry that serves a unix socket. */
  | { readonly kind: 'socket'; readonly path: string }
  /** A Kubernetes API server, by a kubeconfig and one of its contexts, or its current one. */
  | { readonly kind: 'kubeconfig'; readonly file: string; readonly context?: string }
  /** The one that the environment tells of, as it does in a pod; reached at another address, as `host:port`. */
  | { readonly kind: 'environment'; readonly server?: string }

/** Shared state, opened. */
export interface OpenRegistry {
  readonly registry: Registry
  /** Where it is kept in a Kubernetes API server. */
  readonly api?: KubeApi
  /** Why objects that are there cannot be read, by `<kind>/<name>`. */
  readonly unreadable: ReadonlyMap<string, string>
  /** Gives back connections, so that a command can end. */
  close(): void
}

/**
 * Opens a place. Nothing is asked yet. `onInvalid` hears of objects that others made and that mean nothing.
 * With `node`, pods are that node's where the place can choose. Throws `KUBE_CONFIG`.
 */
export function openPlace(
  place: RegistryPlace,
  onInvalid: (problem: string) => void = () => undefined,
  node?: string,
): OpenRegistry {
  switch (place.kind) {
    case 'socket':
      return { registry: new RegistryClient(place.path), unreadable: new Map(), close: () => undefined }
    case 'kubeconfig':
      return openKubernetes(loadKubeconfig(place.file, process.env, place.context), onInvalid, node)
    case 'environment':
      return openKubernetes(loadKubeconfig(undefined, environmentWith(place.server)), onInvalid, node)
  }
}

/** The place that a run folder tells of: an agent's or a playground's. */
export function placeIn(folder: string): RegistryPlace | undefined {
  const [path, file] = [join(folder, 'registry.sock'), join(folder, 'kubeconfig')]
  if (existsSync(path)) return { kind: 'socket', path }
  return existsSync(file) ? { kind: 'kubeconfig', file } : undefined
}

/** What a program's environment can tell of an API server. */
const TOLD_BY = ['KUBECONFIG', 'KUBERNETES_MASTER', 'KUBERNETES_SERVICE_HOST'] as const

/** The place that the environment tells of, if it does. */
export function placeInEnvironment(server?: string): RegistryPlace | undefined {
  if (!TOLD_BY.some((name) => (process.env[name] ?? '') !== '')) return undefined
  return { kind: 'environment', ...(server === undefined ? {} : { server }) }
}

/** The address of the `kubernetes` service leads nowhere until something translates services. */
function environmentWith(server: string | undefined): Environment {
  if (server === undefined) return process.env
  const [, host = '', port = '443'] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(server) ?? []
  return { ...process.env, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port }
}

/** More reasons than this are not kept. */
const MOST_REASONS = 1000

function openKubernetes(
  config: KubeConfig,
  onInvalid: (problem: string) => void,
  node: string | undefined,
): OpenRegistry {
  const api = new KubeClient(config)
  const unreadable = new Map<string, string>()
  const registry = new KubeRegistry(api, node === undefined ? weftBindings : nodeBindings(node), {
    reports: nodeReports,
    onInvalid: ({ kind, name, problem }) => {
      const key = `${kind}/${name}`
      if (unreadable.size < MOST_REASONS || unreadable.has(key)) unreadable.set(key, problem)
      onInvalid(`${kind} ${name}: ${problem}`)
    },
  })
  return { registry, api, unreadable, close: () => api.close() }
}
