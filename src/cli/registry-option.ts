/**
 * How a command or a daemon is told where shared state is: a registry's socket, or a Kubernetes API server.
 * @module
 */
import type { Command } from 'commander'
import { weftBindings } from '../compat/bindings.ts'
import type { KubeApi } from '../kube/api.ts'
import { KubeClient } from '../kube/client.ts'
import { loadKubeconfig } from '../kube/kubeconfig.ts'
import { KubeRegistry } from '../kube/registry.ts'
import type { Registry } from '../registry/registry.ts'
import { REGISTRY_HELP, registryFor } from './address.ts'
import { CliError } from './errors.ts'

/** What says where shared state is. */
export interface RegistryChoice {
  readonly registry?: string
  /** A playground's folder. */
  readonly runDir?: string
  readonly kubeconfig?: string
  readonly context?: string
}

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

/** Adds the options that {@link openRegistry} understands. */
export function withRegistryOptions(command: Command): Command {
  return command
    .option('--registry <address>', REGISTRY_HELP)
    .option('--kubeconfig <file>', 'a Kubernetes API server instead, as this file tells')
    .option('--context <name>', 'another context of the kubeconfig than its current one')
}

/** More reasons than this are not kept. */
const MOST_REASONS = 1000

/**
 * Opens what the user means. `onInvalid` hears of objects that others made and that mean nothing.
 * Throws CLI_USAGE when two are named, CLI_NOT_RUNNING when nothing says which, and `KUBE_CONFIG`.
 */
export function openRegistry(
  { kubeconfig, context, registry, runDir }: RegistryChoice,
  onInvalid: (problem: string) => void = () => undefined,
): OpenRegistry {
  if (kubeconfig === undefined) {
    if (context !== undefined)
      throw new CliError('CLI_USAGE', '--context says nothing without --kubeconfig', 'give both')
    const choice = { ...(registry === undefined ? {} : { registry }), ...(runDir === undefined ? {} : { runDir }) }
    return { registry: registryFor(choice), unreadable: new Map(), close: () => undefined }
  }
  if (registry !== undefined || runDir !== undefined) {
    throw new CliError('CLI_USAGE', '--kubeconfig and another option both say where shared state is', 'give one')
  }
  const api = new KubeClient(loadKubeconfig(kubeconfig, process.env, context))
  const unreadable = new Map<string, string>()
  const kube = new KubeRegistry(api, weftBindings, {
    onInvalid: ({ kind, name, problem }) => {
      const key = `${kind}/${name}`
      if (unreadable.size < MOST_REASONS || unreadable.has(key)) unreadable.set(key, problem)
      onInvalid(`${kind} ${name}: ${problem}`)
    },
  })
  return { registry: kube, api, unreadable, close: () => api.close() }
}
