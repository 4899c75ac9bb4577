/**
 * Finds plugins: ours by their type, everything else as a program of the node.
 * @module
 */
import type { IpamPlugin, Plugin, Plugins } from './plugin.ts'

/** The plugins that are done in the agent, by type. */
export interface OwnPlugins {
  readonly plugins: ReadonlyMap<string, Plugin>
  readonly ipam: ReadonlyMap<string, IpamPlugin>
  /** Any other type, as a program. */
  program(type: string): Plugin
  programIpam(type: string): IpamPlugin
}

/** Our own plugins first. An IPAM plugin may be called for itself, by a program that delegates to it. */
export function pluginsFrom({ plugins, ipam, program, programIpam }: OwnPlugins): Plugins {
  return {
    plugin: (type) => plugins.get(type) ?? ipam.get(type) ?? program(type),
    ipam: (type) => ipam.get(type) ?? programIpam(type),
  }
}
