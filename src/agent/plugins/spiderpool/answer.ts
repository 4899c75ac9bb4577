import { type CniResult, EMPTY_RESULT } from '../../../cni/index.ts'
import { familyOf } from '../../../network/model/address.ts'
import type { AddressClaim } from '../../../network/model/pool.ts'

const DEFAULT_ROUTE = { 4: '0.0.0.0/0', 6: '::/0' } as const

/** What the plugin answers for claims: each one's address, the way out by its gateway unless that is to be clean, its routes. */
export function answerFor(claims: readonly AddressClaim[]): CniResult {
  const inOrder = claims.toSorted((a, b) => familyOf(a.address) - familyOf(b.address))
  return {
    ...EMPTY_RESULT,
    ips: inOrder.map(({ address, prefix, gateway }) => ({
      address: `${address}/${prefix}`,
      ...(gateway === undefined ? {} : { gateway }),
    })),
    routes: inOrder.flatMap(({ address, gateway, hasCleanGateway, routes }) => [
      ...(gateway === undefined || hasCleanGateway ? [] : [{ dst: DEFAULT_ROUTE[familyOf(address)], gw: gateway }]),
      ...routes.map((route) => ({ dst: route.destination, gw: route.gateway })),
    ]),
  }
}
