/**
 * The overlay as one of a pod's networks: what the plugin `weft` does for the first interface, as a step like any other.
 * @module
 */
import { cniError, parseNetworkConfig } from '../../cni/index.ts'
import type { Attachments } from '../attach/attachments.ts'
import type { Plugin, PluginCall, PluginCallInside } from './plugin.ts'

/** The plugin `weft`. */
export function overlayPlugin(attachments: Attachments): Plugin {
  return {
    add: (call) =>
      attachments.add({ verb: 'ADD', ...requestOf(call), prevResult: call.prevResult }, call.netns, call.plan),
    del: ({ containerId, ifname, netns, args, path, prevResult }) =>
      attachments.del({
        verb: 'DEL',
        containerId,
        ifname,
        netns: netns?.path,
        args,
        path,
        config: undefined,
        prevResult,
      }),
    check: async (call) => {
      const { prevResult } = call
      if (prevResult === undefined) throw cniError('previous-result-missing', { verb: 'CHECK' })
      attachments.check({ verb: 'CHECK', ...requestOf(call), prevResult }, call.netns)
    },
    status: async () => attachments.status(),
    gc: (network, valid) => attachments.gc(network, valid),
  }
}

function requestOf(call: PluginCallInside) {
  const { containerId, ifname, netns, args, path } = call
  return { containerId, ifname, netns: netns.path, allowHostNetns: false, args, path, config: configOf(call) }
}

function configOf({ config, version, network }: PluginCall) {
  return parseNetworkConfig(config, version, network)
}
