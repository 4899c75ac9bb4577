/**
 * What a SpiderEndpoint that Spiderpool itself made tells of an address. People of a namespace may write these objects:
 * which addresses are whose is not theirs to say, and is taken from pools.
 * @module
 */
import type { Ip } from '../../../network/model/address.ts'
import { parseIp } from '../../../network/model/address.ts'
import type { PodOwner } from '../../../network/model/pool.ts'
import { at, listAt, textAt } from '../../fields.ts'
import type { EndpointObject } from './endpoint.ts'

/** An address with its interface and its pool. */
export interface ToldAddress {
  readonly address: Ip
  readonly ifname: string
  readonly pool: string
  readonly hasCleanGateway: boolean
}

/** More interfaces than any pod has. */
const MOST_INTERFACES = 256

/** The addresses of an endpoint; what cannot be read is left out. */
export function toldAddresses(endpoint: EndpointObject | undefined): readonly ToldAddress[] {
  const all = listAt(endpoint, 'status', 'current', 'ips').slice(0, MOST_INTERFACES)
  return all.flatMap((one) =>
    [4, 6].flatMap((family): readonly ToldAddress[] => {
      const address = parseIp(textAt(one, `ipv${family}`)?.split('/')[0] ?? '')
      const ifname = textAt(one, 'interface')
      const pool = textAt(one, `ipv${family}Pool`)
      if (address === undefined || ifname === undefined || pool === undefined) return []
      return [{ address, ifname, pool, hasCleanGateway: at(one, 'cleanGateway') === true }]
    }),
  )
}

/** The pod's uid and node, as the endpoint has them. */
export function toldPlace(endpoint: EndpointObject | undefined): { readonly uid: string; readonly node: string } {
  const text = (key: string): string => textAt(endpoint, 'status', 'current', key) ?? ''
  return { uid: text('uid'), node: text('node') }
}

/** The StatefulSet whose pods come back, where it names one. */
export function toldSet(endpoint: EndpointObject | undefined): PodOwner | undefined {
  const name = textAt(endpoint, 'status', 'ownerControllerName')
  if (textAt(endpoint, 'status', 'ownerControllerType') !== 'StatefulSet' || name === undefined) return undefined
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', name }
}
