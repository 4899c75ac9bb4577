/**
 * From what was decided of a port to its rows.
 * @module
 */
import { podPortRows } from '../../../compat/ovs-cni/rows.ts'
import { type Ip, type Mac, parseIp, parseMac } from '../../../network/model/address.ts'
import type { PluginCall, PluginCallStanding } from '../plugin.ts'
import type { PortOrder } from './ports.ts'
import { recordIds, UNDERLAY_OWNER } from './record.ts'
import type { Terms } from './terms.ts'

/** What of a pod goes into the rows of its port. */
export interface PodPlace {
  /** The node's end of its link. */
  readonly link: string
  /** Path of its namespace. */
  readonly netns: string
  /** Absent: not known yet. */
  readonly mac: Mac | undefined
  /** Absent: none yet. */
  readonly addresses?: readonly Ip[]
}

/** The port of an attachment: ovs-cni's rows, with the record that is ours. */
export function orderFor(call: PluginCall, terms: Terms, { link, netns, mac, addresses = [] }: PodPlace): PortOrder {
  const { containerId, ifname, network, args } = call
  const { netconf, membership, ovnPort } = terms
  const rows = podPortRows({
    membership,
    netns,
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
    netns,
    addresses,
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

/** The place of a pod whose ADD came to its end, from what it answered. */
export function placeIn({ prevResult, netnsPath: netns, ifname }: PluginCallStanding, link: string): PodPlace {
  const at = prevResult.interfaces.findIndex(({ name, sandbox }) => name === ifname && sandbox !== undefined)
  const own = prevResult.ips.filter((ip) => ip.interface === at)
  return {
    link,
    netns,
    mac: parseMac(prevResult.interfaces[at]?.mac ?? ''),
    addresses: own.flatMap(({ address }) => parseIp(address.split('/')[0] ?? '') ?? []),
  }
}

/** What the node's end of a pod's link is labelled with, for people. */
export function aliasOf({ args: { pod }, containerId }: PluginCall): string {
  return pod === undefined ? `weft ${containerId.slice(0, 12)}` : `weft ${pod.namespace}/${pod.name}`
}
