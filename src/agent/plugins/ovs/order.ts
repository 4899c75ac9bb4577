/**
 * From what was decided of a port to its rows.
 * @module
 */
import { podPortRows } from '../../../compat/ovs-cni/rows.ts'
import { type Ip, type Mac, parseIp, parseMac } from '../../../network/model/address.ts'
import type { Limits } from '../../../network/model/bandwidth.ts'
import { endpointId } from '../../../network/model/endpoint.ts'
import type { Lease } from '../../attach/lease.ts'
import type { PluginCall, PluginCallInside, PluginCallStanding } from '../plugin.ts'
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

/** What a port on a guarded bridge has from the start. */
export interface Admission {
  /** Classes and meters go by it, on all bridges together. */
  readonly ofport: number
  readonly limits: Limits
  /** The record of the limits. */
  readonly externalIds: Readonly<Record<string, string>>
  /** UUID of the row by which Open vSwitch leaves the port's queueing discipline alone; absent: nothing is limited. */
  readonly qos?: string
}

/** The port of an attachment: ovs-cni's rows, with the record that is ours. */
export function orderFor(
  call: PluginCall,
  terms: Terms,
  { link, netns, mac, addresses = [] }: PodPlace,
  admission?: Admission,
): PortOrder {
  const { containerId, ifname, network, args } = call
  const { netconf, membership, ovnPort } = terms
  const ofportRequest = admission?.ofport ?? netconf.ofportRequest
  const rows = podPortRows({
    membership,
    netns,
    ifname,
    ...(args.pod?.uid === undefined ? {} : { podUid: args.pod.uid }),
    ...(ofportRequest === undefined ? {} : { ofportRequest }),
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
      interface: {
        ...rows.interface,
        external_ids: { ...rows.interface.external_ids, ...record, ...admission?.externalIds },
      },
    },
    ...(admission?.qos === undefined ? {} : { qos: admission.qos }),
  }
}

/** The port to be, for whoever holds it to its limits. */
export function leaseFor(
  { containerId, ifname, network, netns, args: { pod } }: PluginCallInside,
  { link, bridge }: PortOrder,
  { ofport, limits }: Admission,
  { mac, mtu, datapath }: { readonly mac: Mac; readonly mtu: number; readonly datapath: 'system' | 'netdev' },
): Lease {
  const id = endpointId(containerId, ifname)
  const named = { namespace: pod?.namespace ?? '', pod: pod?.name ?? containerId.slice(0, 12) }
  const endpoint = { id, containerId, ifname, ...named, mac, addresses: [], ofport, limits }
  return { endpoint, link, network, netns: netns.path, mtu, wire: { bridge, datapath } }
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
