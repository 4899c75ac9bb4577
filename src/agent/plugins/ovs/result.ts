/**
 * What ADD answers.
 * @module
 */
import { type CniResult, EMPTY_RESULT, type ResultDns, type ResultInterface } from '../../../cni/index.ts'
import { parseDns } from '../../../cni/result-parse.ts'
import type { PluginCall } from '../plugin.ts'

/** The result so far with what was made, the pod's interface last, and what IPAM answered for it. */
export function resultOf(call: PluginCall, answer: CniResult, made: readonly ResultInterface[]): CniResult {
  const before = call.prevResult ?? EMPTY_RESULT
  const inside = before.interfaces.length + made.length - 1
  return {
    interfaces: [...before.interfaces, ...made],
    ips: [...before.ips, ...answer.ips.map((ip) => ({ ...ip, interface: inside }))],
    routes: [...before.routes, ...answer.routes],
    dns: [parseDns(call.config, 'dns'), answer.dns].find(saysSomething) ?? before.dns,
  }
}

function saysSomething({ nameservers, domain, search, options }: ResultDns): boolean {
  return nameservers.length + search.length + options.length > 0 || domain !== undefined
}
