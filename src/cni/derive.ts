/**
 * What a plugin of a list is called with. Source: CNI specification, "Section 3: Execution of Network Configurations".
 * @module
 */
import { isObject, type JsonObject, member } from './json.ts'
import type { NetworkList, PluginConfig } from './network-list.ts'
import type { CniVersion } from './version.ts'

/**
 * A plugin's request configuration without `prevResult`: its own, with the list's name and version, and of
 * `capabilityArgs` what it declares. What only a runtime may write is not taken from the list's author.
 */
export function deriveConfig(
  plugin: PluginConfig,
  { name, version }: Pick<NetworkList, 'name' | 'version'>,
  capabilityArgs: JsonObject = {},
): JsonObject & { readonly type: string; readonly name: string; readonly cniVersion: CniVersion } {
  const own = Object.entries(plugin).filter(([key]) => !RESERVED.has(key) && !key.startsWith('cni.dev/'))
  const runtimeConfig = Object.entries(capabilityArgs).filter(([capability]) => isCapable(plugin, capability))
  return {
    ...(Object.fromEntries(own) as JsonObject),
    type: plugin.type,
    name,
    cniVersion: version,
    ...(runtimeConfig.length === 0 ? {} : { runtimeConfig: Object.fromEntries(runtimeConfig) }),
  }
}

/** Whether a plugin's configuration declares a capability. */
export function isCapable(plugin: JsonObject, capability: string): boolean {
  const capabilities = member(plugin, 'capabilities')
  return isObject(capabilities) && member(capabilities, capability) === true
}

const RESERVED: ReadonlySet<string> = new Set(['capabilities', 'runtimeConfig', 'prevResult', 'cniVersions'])
