/**
 * What ADD answers for an attachment, and whether what it once answered still says the same.
 * @module
 */
import type { CniResult, NetworkConfig, ResultDns } from '../../cni/index.ts'
import type { NodeContext } from '../../network/context.ts'
import { familyOf } from '../../network/model/address.ts'
import type { Lease } from './lease.ts'
import { podAddresses } from './pod-address.ts'

const DEFAULT_ROUTE = { 4: '0.0.0.0/0', 6: '::/0' } as const

/** The result of an attachment: its two links, its addresses, a default route per family. */
export function resultOf(lease: Lease, context: NodeContext, dns: ResultDns): CniResult {
  const { endpoint, link, netns, mtu } = lease
  const addresses = podAddresses(context, endpoint)
  return {
    interfaces: [
      { name: link, mtu },
      { name: endpoint.ifname, mac: endpoint.mac, mtu, sandbox: netns },
    ],
    ips: addresses.map(({ address, prefix, gateway }) => ({ address: `${address}/${prefix}`, gateway, interface: 1 })),
    routes: addresses.map(({ address, gateway }) => ({ dst: DEFAULT_ROUTE[familyOf(address)], gw: gateway })),
    dns,
  }
}

/** Name resolution as the configuration and the runtime give it: Weft has none of its own. */
export function dnsOf({ runtime, dns }: NetworkConfig): ResultDns {
  if (runtime.dns === undefined) return dns
  const { servers, searches, options } = runtime.dns
  return { nameservers: servers, search: searches, options }
}

/**
 * What a runtime believes of an attachment that is not so, for people; undefined when all is. Plugins behind us may have
 * added to the result, and old versions of it cannot hold everything: only what is there and ours is compared.
 */
export function falseBelief(believed: CniResult, actual: CniResult): string | undefined {
  const ours = actual.interfaces.find(({ sandbox }) => sandbox !== undefined)
  const inside = believed.interfaces.find(({ name, sandbox }) => sandbox !== undefined && name === ours?.name)
  if (ours !== undefined && believed.interfaces.length > 0 && inside === undefined)
    return `prevResult has no interface ${ours.name}`
  if (inside?.mac !== undefined && inside.mac.toLowerCase() !== ours?.mac)
    return `prevResult has MAC address ${inside.mac}, not ${ours?.mac}`
  if (inside?.mtu !== undefined && inside.mtu !== ours?.mtu) return `prevResult has MTU ${inside.mtu}, not ${ours?.mtu}`
  for (const { address, gateway } of actual.ips) {
    const told = believed.ips.find((one) => one.address === address)
    if (told === undefined) return `prevResult does not have address ${address}`
    if (told.gateway !== undefined && told.gateway !== gateway)
      return `prevResult has gateway ${told.gateway} for ${address}, not ${gateway}`
  }
  const unrouted = actual.routes.find(
    ({ dst, gw }) => !believed.routes.some((one) => one.dst === dst && (one.gw ?? gw) === gw),
  )
  return unrouted === undefined
    ? undefined
    : `prevResult does not have the route to ${unrouted.dst} by way of ${unrouted.gw}`
}
