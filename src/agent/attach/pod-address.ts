/**
 * The addresses of a pod as its interface gets them.
 * @module
 */
import type { NodeContext } from '../../network/context.ts'
import { contains, type Ip, type Mac, prefixLength } from '../../network/model/address.ts'
import type { Endpoint } from '../../network/model/endpoint.ts'

/** One address of a pod: the length of its range, and the gateway its default route goes to, with its MAC. */
export interface PodAddress {
  readonly address: Ip
  readonly prefix: number
  readonly gateway: Ip
  readonly gatewayMac: Mac
}

/** A pod's addresses. Those outside the node's present ranges have no gateway here and are left out. */
export function podAddresses({ ranges, routerMac }: NodeContext, { addresses }: Endpoint): readonly PodAddress[] {
  return addresses.flatMap((address) => {
    const local = ranges.find(({ range }) => contains(range, address))
    return local === undefined
      ? []
      : [{ address, prefix: prefixLength(local.range), gateway: local.gateway, gatewayMac: routerMac }]
  })
}
