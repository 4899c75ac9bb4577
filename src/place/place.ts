/**
 * Where shared state is, and how it is opened. Whoever needs the registry says a place; nobody else knows its kinds.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { kindWord, weftBindings } from '../compat/bindings.ts'
import { type RefusedSource, refusedInKubernetes } from '../compat/calico/refused/source.ts'
import { nodeReports } from '../compat/weft/node-report.ts'
import type { KubeApi } from '../kube/api.ts'
import { KubeClient } from '../kube/client.ts'
import type { KubeConfig } from '../kube/config.ts'
import { InvalidObjects, type InvalidTeller } from '../kube/invalid.ts'
import type { LastGood } from '../kube/known.ts'
import { type Environment, loadKubeconfig } from '../kube/kubeconfig.ts'
import { KubeRegistry } from '../kube/registry.ts'
import { RegistryClient } from '../registry/client.ts'
import type { Registry } from '../registry/registry.ts'
import { type EtcdPlace, type OpenedEtcd, openBeside } from './etcd.ts'
import { lastGoodFile } from './last-good-file.ts'
import { type OvnPlace, openOvn } from './ovn.ts'

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
  /** k8s-ovs's registry, or Calico's; `beside` is where Kubernetes' own objects are, as far as that is known. */
  | { readonly kind: 'etcd'; readonly etcd: EtcdPlace; readonly beside?: WholePlace }
  /** OVN's northbound database; likewise. */
  | { readonly kind: 'ovn'; readonly ovn: OvnPlace; readonly beside?: WholePlace }

/** Shared state, opened. */
export interface OpenRegistry extends InvalidTeller {
  readonly registry: Registry
  /** Where the configuration, machines and tenants are kept in a Kubernetes API server. */
  readonly api?: KubeApi
  /** The Kubernetes API server, also where the configuration, machines and tenants are kept elsewhere. */
  readonly kubernetes?: KubeApi
  /** Where objects of others are of which something is not done. */
  readonly refused: readonly RefusedSource[]
  /** Gives back connections, so that a command can end. */
  close(): void
}

/** What a place is opened for. */
export interface OpenOptions {
  /** Hears of objects that others made and that mean nothing. */
  readonly onInvalid?: (problem: string) => void
  /** Hears that such an object was corrected, or is gone. */
  readonly onSettled?: (sentence: string) => void
  /** Where is kept what objects last were that cannot be read any more. Absent: nowhere but in this process. */
  readonly lastGood?: string
  /** For the controller, which judges what others wrote. */
  readonly isController?: boolean
}

/** Opens a place. Nothing is asked yet. Throws `KUBE_CONFIG` and `ETCD_CONFIG`. */
export function openPlace(place: RegistryPlace, options: OpenOptions = {}): OpenRegistry {
  const invalid = new InvalidObjects()
  const { onInvalid, onSettled } = options
  invalid.listen(
    ({ kind, name, problem }) => onInvalid?.(`${kindWord(kind)} ${name}: ${problem}`),
    ({ kind, name }) => onSettled?.(`${kindWord(kind)} ${name}: what was wrong with it is corrected, or gone with it`),
  )
  const lastGood = options.lastGood === undefined ? undefined : lastGoodFile(options.lastGood)
  if (place.kind !== 'etcd' && place.kind !== 'ovn') return openWhole(place, invalid, lastGood)
  const beside = place.beside === undefined ? undefined : openWhole(place.beside, invalid, lastGood)
  const upper: OpenedEtcd<Registry> =
    place.kind === 'ovn'
      ? openOvn(place.ovn, beside?.registry)
      : openBeside(place.etcd, beside?.registry, options.isController ?? false, invalid)
  const close = (): void => {
    upper.close()
    beside?.close()
  }
  // Beside Calico's etcd the cluster's own state is in Kubernetes.
  const api = place.kind === 'etcd' && place.etcd.layout === 'calico' ? beside?.api : undefined
  return {
    registry: upper.registry,
    ...(api === undefined ? {} : { api }),
    ...(beside?.kubernetes === undefined ? {} : { kubernetes: beside.kubernetes }),
    refused: [...(beside?.refused ?? []), ...(upper.refused === undefined ? [] : [upper.refused])],
    ...tellersOf(invalid),
    close,
  }
}

function openWhole(place: WholePlace, invalid: InvalidObjects, lastGood?: LastGood): OpenRegistry {
  switch (place.kind) {
    case 'socket':
      return { registry: new RegistryClient(place.path), ...tellersOf(invalid), refused: [], close: () => undefined }
    case 'kubeconfig':
      return openKubernetes(loadKubeconfig(place.file, process.env, place.context), invalid, lastGood)
    case 'environment':
      return openKubernetes(loadKubeconfig(undefined, environmentWith(place.server)), invalid, lastGood)
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

function tellersOf(invalid: InvalidObjects): InvalidTeller {
  return { unreadable: invalid, onInvalid: (told, over) => invalid.listen(told, over) }
}

function openKubernetes(config: KubeConfig, invalid: InvalidObjects, lastGood: LastGood | undefined): OpenRegistry {
  const api = new KubeClient(config)
  const registry = new KubeRegistry(api, weftBindings, {
    reports: nodeReports,
    invalid,
    ...(lastGood === undefined ? {} : { lastGood }),
  })
  const refused = [refusedInKubernetes(api)]
  return { registry, api, kubernetes: api, ...tellersOf(invalid), refused, close: () => api.close() }
}
