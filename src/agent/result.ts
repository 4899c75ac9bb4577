/**
 * What ADD answers for an attachment.
 * @module
 */
import { type CniResult, type NetworkConfig, parseDns, type ResultDns } from '../cni/index.ts'
import type { NodeContext } from '../network/context.ts'
import { contains, familyOf, prefixLength } from '../network/model/address.ts'
import type { Lease } from './lease.ts'

const DEFAULT_ROUTE = { 4: '0.0.0.0/0', 6: '::/0' } as const

/** The result of an attachment: its two links, its addresses, a default route per family. */
export function resultOf(
  { endpoint, link, netns }: Lease,
  context: NodeContext,
  { mtu, config }: { readonly mtu: number; readonly config: NetworkConfig },
): CniResult {
  const addresses = endpoint.addresses.flatMap((address) => {
    const local = context.ranges.find(({ range }) => contains(range, address))
    return local === undefined ? [] : [{ address, prefix: prefixLength(local.range), gateway: local.gateway }]
  })
  return {
    interfaces: [
      { name: link, mtu },
      { name: endpoint.ifname, mac: endpoint.mac, mtu, sandbox: netns },
    ],
    ips: addresses.map(({ address, prefix, gateway }) => ({ address: `${address}/${prefix}`, gateway, interface: 1 })),
    routes: addresses.map(({ address, gateway }) => ({ dst: DEFAULT_ROUTE[familyOf(address)], gw: gateway })),
    dns: dnsOf(config),
  }
}

/** Name resolution as the configuration and the runtime give it: Weft has none of its own. */
function dnsOf({ runtime, raw }: NetworkConfig): ResultDns {
  if (runtime.dns === undefined) return parseDns(raw, 'dns')
  const { servers, searches, options } = runtime.dns
  return { nameservers: servers, search: searches, options }
}
