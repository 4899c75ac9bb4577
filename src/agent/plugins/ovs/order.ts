/**
 * From what was decided of a port to its rows.
 * @module
 */
import { podPortRows } from '../../../compat/ovs-cni/rows.ts'
import type { Mac } from '../../../network/model/address.ts'
import type { PluginCall, PluginCallInside } from '../plugin.ts'
import type { PortOrder } from './ports.ts'
import { recordIds, UNDERLAY_OWNER } from './record.ts'
import type { Terms } from './terms.ts'

/** The port of an attachment: ovs-cni's rows, with the record that is ours. */
export function orderFor(call: PluginCallInside, terms: Terms, link: string, mac: Mac | undefined): PortOrder {
  const { containerId, ifname, network, netns, args } = call
  const { netconf, membership, ovnPort } = terms
  const rows = podPortRows({
    membership,
    netns: netns.path,
    ifname,
    ...(args.pod?.uid === undefined ? {} : { podUid: args.pod.uid }),
    ...(netconf.ofportRequest === undefined ? {} : { ofportRequest: netconf.ofportRequest }),
    ...(netconf.interfaceType === undefined ? {} : { interfaceType: netconf.interfaceType }),
    ...(ovnPort === undefined ? {} : { ovnPort }),
  })
  const record = recordIds({
    containerId,
    ifname,
    network,
    netns: netns.path,
    addresses: [],
    ...(args.pod === undefined ? {} : { pod: args.pod }),
    ...(mac === undefined ? {} : { mac }),
  })
  return {
    bridge: terms.bridge.name,
    link,
    rows: {
      port: { ...rows.port, external_ids: { ...rows.port.external_ids, ...UNDERLAY_OWNER } },
      interface: { ...rows.interface, external_ids: { ...rows.interface.external_ids, ...record } },
    },
  }
}

/** What the node's end of a pod's link is labelled with, for people. */
export function aliasOf({ args: { pod }, containerId }: PluginCall): string {
  return pod === undefined ? `weft ${containerId.slice(0, 12)}` : `weft ${pod.namespace}/${pod.name}`
}
