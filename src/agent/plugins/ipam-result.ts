/**
 * What plugins that make an interface have in common: an IPAM plugin that they call, and its answer.
 * @module
 */
import { type CniResult, EMPTY_RESULT, type JsonObject, type ResultDns, type ResultInterface } from '../../cni/index.ts'
import { ipamTypeOf } from '../../cni/netconf.ts'
import { parseDns } from '../../cni/result-parse.ts'
import type { PluginCall } from './plugin.ts'

/**
 * The result so far with interfaces that a step made, and what its IPAM plugin answered for the last of them. Name
 * resolution is the configuration's own where it says something, else the IPAM plugin's.
 */
export function extendResult(call: PluginCall, made: readonly ResultInterface[], answer: CniResult): CniResult {
  const before = call.prevResult ?? EMPTY_RESULT
  const last = before.interfaces.length + made.length - 1
  return {
    interfaces: [...before.interfaces, ...made],
    ips: [...before.ips, ...answer.ips.map((ip) => ({ ...ip, interface: last }))],
    routes: [...before.routes, ...answer.routes],
    dns: [parseDns(call.config, 'dns'), answer.dns].find(saysSomething) ?? before.dns,
  }
}

function saysSomething({ nameservers, domain, search, options }: ResultDns): boolean {
  return nameservers.length + search.length + options.length > 0 || domain !== undefined
}

/** The type of the IPAM plugin that is to be undone: a configuration that is not well formed any more has no say in it. */
export function ipamToUndo(config: JsonObject): string | undefined {
  try {
    return ipamTypeOf(config)
  } catch {
    return undefined
  }
}
