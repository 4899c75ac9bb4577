/**
 * Addresses that a runtime or a user asks for: by `IP=` in CNI_ARGS, by the capability `ips`, by `args.cni.ips`. The old plugin
 * read them and gave out another one. Pure.
 * @module
 */

import { cidrFamily } from '../../cni/formats.ts'
import { type AddRequest, cniError } from '../../cni/index.ts'
import { contains, type Ip, parseCidr, parseIp } from '../../network/model/address.ts'
import type { Subnet } from '../../openstack/neutron/model.ts'

/** What is asked for on one network. */
export interface NetworkWish {
  readonly networkId: string
  /** Absent: one of each family that the network has. */
  readonly addresses: readonly { readonly subnetId: string; readonly address: Ip }[] | undefined
}

/** Every address that is asked for, once. Throws `environment-invalid`; the two other places are checked with their JSON. */
export function addressesAsked({ args, config }: Pick<AddRequest, 'args' | 'config'>): readonly Ip[] {
  const inArgs = (args.pairs.get('IP') ?? '').split(',').filter((text) => text !== '')
  const wrong = inArgs.find((text) => ipIn(text) === undefined)
  if (wrong !== undefined) {
    const expected = `IP=${wrong}: must be an IPv4 or IPv6 address, with or without a prefix length`
    throw cniError('environment-invalid', { name: 'CNI_ARGS', value: 'IP', expected })
  }
  const texts = [...inArgs, ...config.runtime.ips, ...config.args.ips]
  return [...new Set(texts.flatMap((text) => ipIn(text) ?? []))]
}

/**
 * Spreads addresses over the networks whose subnets they belong to. A network of which none is asked for gives what it
 * likes. Throws `neutron-address-foreign`.
 */
export function wishesFor(
  networks: ReadonlyMap<string, readonly Subnet[]>,
  asked: readonly Ip[],
): readonly NetworkWish[] {
  const subnets = [...networks.values()].flat()
  const placed = asked.map((address) => {
    const subnet = subnets.find(({ cidr }) => isWithin(cidr, address))
    if (subnet !== undefined) return { networkId: subnet.networkId, subnetId: subnet.id, address }
    throw cniError('neutron-address-foreign', {
      address,
      networks: [...networks.keys()].join(', '),
      subnets: subnets.map(({ cidr }) => cidr).join(', '),
    })
  })
  return [...networks.keys()].map((networkId) => {
    const own = placed.filter((one) => one.networkId === networkId)
    const addresses = own.map(({ subnetId, address }) => ({ subnetId, address }))
    return { networkId, addresses: addresses.length === 0 ? undefined : addresses }
  })
}

function ipIn(text: string): Ip | undefined {
  const address = text.includes('/') && cidrFamily(text) !== undefined ? text.slice(0, text.indexOf('/')) : text
  return parseIp(address)
}

function isWithin(cidr: string, address: Ip): boolean {
  const network = parseCidr(cidr)
  return network !== undefined && contains(network, address)
}
