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
import type { OnInvalid } from '../kube/invalid.ts'
import { type Environment, loadKubeconfig } from '../kube/kubeconfig.ts'
import { KubeRegistry } from '../kube/registry.ts'
import { RegistryClient } from '../registry/client.ts'
import type { Registry } from '../registry/registry.ts'
import { type EtcdPlace, openEtcd, overKubernetes } from './etcd.ts'

/** Where shared state is as a whole. */
export type WholePlace =
  /** A registry that serves a unix socket. */
  | { readonly kind: 'socket'; readonly path: string }
  /** A Kubernetes API server, by a kubeconfig and one of its contexts, or its current one. */
  | { readonly kind: 'kubeconfig'; readonly file: string; readonly context?: string }
  /** The one that the environment tells of, as it does in a pod; reached at another address, as `host:port`. */
  | { readonly kind: 'environment'; readonly server?: string }

/** Where shared state is. */
export type RegistryPlace =
  | WholePlace
  /** k8s-ovs's registry; `beside` is where Kubernetes' own objects are, as far as that is known. */
  | { readonly kind: 'etcd'; readonly etcd: EtcdPlace; readonly beside?: WholePlace }

/** Shared state, opened. */
export interface OpenRegistry {
  readonly registry: Registry
  /** Where it is kept in a Kubernetes API server. */
  readonly api?: KubeApi
  /** The Kubernetes API server, also where the configuration, machines and tenants are kept elsewhere. */
  readonly kubernetes?: KubeApi
  /** Why objects that are there cannot be read, by `<kind>/<name>`. */
  readonly unreadable: ReadonlyMap<string, string>
  /** Tells of objects that are there and mean nothing, from now on. Returns the undo. */
  onInvalid(listener: OnInvalid): () => void
  /** Gives back connections, so that a command can end. */
  close(): void
}

/** What a place is opened for. */
export interface OpenOptions {
  /** Hears of objects that others made and that mean nothing. */
  readonly onInvalid?: (problem: string) => void
  /** Pods are this node's where the place can choose. */
  readonly node?: string
  /** For the controller, which judges what others wrote. */
  readonly isController?: boolean
}

/** Opens a place. Nothing is asked yet. Throws `KUBE_CONFIG` and `ETCD_CONFIG`. */
export function openPlace(place: RegistryPlace, options: OpenOptions = {}): OpenRegistry {
  const reasons = new Reasons(options.onInvalid ?? (() => undefined))
  if (place.kind !== 'etcd') return openWhole(place, reasons, options)
  const beside = place.beside === undefined ? undefined : openWhole(place.beside, reasons, options)
  const etcd = openEtcd(place.etcd, options.isController ?? false, reasons.note)
  const close = (): void => {
    etcd.close()
    beside?.close()
  }
  return {
    registry: overKubernetes(etcd.registry, beside?.registry),
    ...(beside?.kubernetes === undefined ? {} : { kubernetes: beside.kubernetes }),
    ...tellersOf(reasons),
    close,
  }
}

function openWhole(place: WholePlace, reasons: Reasons, { node }: OpenOptions): OpenRegistry {
  switch (place.kind) {
    case 'socket':
      return { registry: new RegistryClient(place.path), ...tellersOf(reasons), close: () => undefined }
    case 'kubeconfig':
      return openKubernetes(loadKubeconfig(place.file, process.env, place.context), reasons, node)
    case 'environment':
      return openKubernetes(loadKubeconfig(undefined, environmentWith(place.server)), reasons, node)
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
export function placeInEnvironment(server?: string): WholePlace | undefined {
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

/** Why objects that are there cannot be read. */
class Reasons {
  readonly all = new Map<string, string>()
  readonly listeners = new Set<OnInvalid>()
  readonly #tell: (problem: string) => void

  constructor(tell: (problem: string) => void) {
    this.#tell = tell
  }

  readonly note: OnInvalid = (invalid) => {
    const { kind, name, problem } = invalid
    const key = `${kind}/${name}`
    if (this.all.size < MOST_REASONS || this.all.has(key)) this.all.set(key, problem)
    this.#tell(`${kind} ${name}: ${problem}`)
    for (const listener of this.listeners) listener(invalid)
  }
}

function tellersOf({ all, listeners }: Reasons): Pick<OpenRegistry, 'unreadable' | 'onInvalid'> {
  const onInvalid: OpenRegistry['onInvalid'] = (listener) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
  return { unreadable: all, onInvalid }
}

function openKubernetes(config: KubeConfig, reasons: Reasons, node: string | undefined): OpenRegistry {
  const api = new KubeClient(config)
  const bindings = node === undefined ? weftBindings : nodeBindings(node)
  const registry = new KubeRegistry(api, bindings, { reports: nodeReports, onInvalid: reasons.note })
  return { registry, api, kubernetes: api, ...tellersOf(reasons), close: () => api.close() }
}
