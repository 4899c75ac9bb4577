/**
 * How a command finds the registry.
 * @module
 */
import { existsSync } from 'node:fs'
import { playApi, playRegistry } from '../playground/api-client.ts'
import { DEFAULT_RUN_DIR, layoutOf } from '../playground/layout.ts'
import { RegistryClient } from '../registry/client.ts'
import type { Registry } from '../registry/registry.ts'
import { CliError } from './errors.ts'

/** The help of `--registry`. */
export const REGISTRY_HELP = 'the registry, as unix:PATH (default: $WEFT_REGISTRY, else the playground’s)'

/** What says where the registry is. */
export interface RegistryOptions {
  readonly registry?: string
  /** A playground's folder. */
  readonly runDir?: string
}

/** The path in `unix:PATH`. Throws CLI_USAGE for anything else. */
export function socketPath(text: string): string {
  const path = text.startsWith('unix:') ? text.slice('unix:'.length) : ''
  if (path.startsWith('/')) return path
  throw new CliError(
    'CLI_USAGE',
    `${JSON.stringify(text)} is not the address of a registry`,
    'write unix:/path/to/socket',
  )
}

/**
 * The registry that the user means: the one named, the one of the folder named, the environment's, the playground's.
 * Throws CLI_USAGE when two are named, CLI_NOT_RUNNING when nothing says which.
 */
export function registryFor({ registry, runDir }: RegistryOptions): Registry {
  if (registry !== undefined && runDir !== undefined) {
    throw new CliError('CLI_USAGE', '--registry and --run-dir both name a registry', 'give one of them')
  }
  const named = registry ?? (runDir === undefined ? process.env['WEFT_REGISTRY'] : undefined)
  if (named !== undefined) return new RegistryClient(socketPath(named))
  const layout = layoutOf(runDir ?? DEFAULT_RUN_DIR)
  if (existsSync(layout.kubeconfig)) return playRegistry(playApi(layout))
  const where = runDir === undefined ? 'and no registry was named' : `in ${runDir}`
  const remedy = '`weft play` brings one up, --registry unix:PATH names another'
  throw new CliError('CLI_NOT_RUNNING', `no playground is up${runDir === undefined ? ', ' : ' '}${where}`, remedy)
}
