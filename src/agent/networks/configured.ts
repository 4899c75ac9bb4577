/**
 * Whether the networks that every pod gets can be served now.
 * @module
 */
import { CniError, cniError, toCniError } from '../../cni/index.ts'
import { statusList } from '../plugins/list.ts'
import type { Plugins } from '../plugins/plugin.ts'
import { configuredNames, configuredSteps, type ResolveParts } from './resolve.ts'

/**
 * Asks every step of the networks that are configured for all pods, as STATUS does; `path` is the folders with plugins.
 * Throws `status-not-ready` with the first network that is not.
 */
export async function checkConfigured(plugins: Plugins, parts: ResolveParts, path: readonly string[]): Promise<void> {
  for (const [ordinal, name] of configuredNames(parts.defaults).entries()) {
    if (name === '') continue
    try {
      await statusList(plugins, { ...(await configuredSteps(name, ordinal, parts)), path })
    } catch (error) {
      // A plugin's own answer to STATUS says it all.
      if (error instanceof CniError && error.id === 'status-not-ready') throw error
      const { message, remedy } = toCniError(error)
      throw cniError('status-not-ready', { reason: `network ${name}: ${message}; ${remedy}` })
    }
  }
}
