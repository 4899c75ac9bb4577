/**
 * The CNI types `ipvlan-ptp` and `macvlan-ptp`: a pod's interface on the wire and its leg to the node as one plugin. Their
 * configuration is that of both.
 * @module
 */
import type { JsonObject } from '../../../cni/index.ts'
import type { PtpDefaults } from '../../../compat/unnumbered-ptp/netconf.ts'
import type { RtnlSocket } from '../../../linux/index.ts'
import { defaultLink } from '../links/master.ts'
import type { Plugin } from '../plugin.ts'
import { type PtpParts, ptpPlugin } from './ptp.ts'

/** The types, by what makes the pod's interface. */
export const JOINED_TYPES = { 'ipvlan-ptp': 'ipvlan', 'macvlan-ptp': 'macvlan' } as const

/** The plugins. `links` are those that make interfaces, by type. */
export function joinedPlugins(
  links: ReadonlyMap<string, Plugin>,
  parts: PtpParts & { readonly rtnl: RtnlSocket },
): readonly (readonly [type: string, plugin: Plugin])[] {
  const leg = ptpPlugin(parts, ({ config }) => defaultsOf(config, parts.rtnl))
  return Object.entries(JOINED_TYPES).flatMap(([type, kind]) => {
    const wire = links.get(kind)
    return wire === undefined ? [] : [[type, joined(wire, leg)] as const]
  })
}

/** A plugin that is two, one behind the other. */
function joined(wire: Plugin, leg: Plugin): Plugin {
  return {
    async add(call, signal) {
      const prevResult = await wire.add(call, signal)
      try {
        return await leg.add({ ...call, prevResult }, signal)
      } catch (error) {
        // The error that led there is the one to tell.
        await wire.del(call).catch(() => undefined)
        throw error
      }
    },
    async del(call) {
      const done = await Promise.allSettled([leg.del(call), wire.del(call)])
      const failed = done.find((one) => one.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
    async check(call) {
      await wire.check(call)
      await leg.check(call)
    },
    async status(call) {
      await wire.status?.(call)
      await leg.status?.(call)
    },
    restore: async (call) => leg.restore?.(call),
    gc: async (network, valid) => leg.gc?.(network, valid),
  }
}

/** The node is known by the link that the pod stands on. */
function defaultsOf(config: JsonObject, rtnl: RtnlSocket): PtpDefaults {
  const { master } = config
  const hostInterface = typeof master === 'string' && master !== '' ? master : defaultLink(rtnl)?.name
  return { containerInterface: 'veth0', ...(hostInterface === undefined ? {} : { hostInterface }) }
}
