/**
 * How a command finds the registry.
 * @module
 */
import { existsSync } from 'node:fs'
import { DEFAULT_RUN_DIR, layoutOf } from '../playground/layout.ts'
import { RegistryClient } from '../registry/client.ts'
import { CliError } from './errors.ts'

/** The help of `--registry`. */
export const REGISTRY_HELP = "the registry, as unix:PATH (default: $WEFT_REGISTRY, else the playground's)"

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

/** The registry that the user means. Throws CLI_NOT_RUNNING when nothing says which. */
export function registryFor(option: string | undefined): RegistryClient {
  const named = option ?? process.env['WEFT_REGISTRY']
  if (named !== undefined) return new RegistryClient(socketPath(named))
  const { registrySocket } = layoutOf(DEFAULT_RUN_DIR)
  if (existsSync(registrySocket)) return new RegistryClient(registrySocket)
  throw new CliError(
    'CLI_NOT_RUNNING',
    'no playground is up, and no registry was named',
    'weft play, or give --registry unix:PATH',
  )
}
