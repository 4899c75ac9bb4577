/**
 * What this machine's kernel knows of the mesh: which of the machines it is, and by which link the others are reached.
 * @module
 */
import { addrList, hasErrno, type Link, linkList, type RtnlSocket, routeGet } from '../linux/index.ts'
import { type Ip, parseIp } from '../network/model/address.ts'
import type { MeshConfig, MeshHost } from './config.ts'
import { MeshError } from './errors.ts'
import type { OwnLink, Place, Places } from './plan.ts'

/** This machine, in the list. */
export interface Self {
  readonly host: MeshHost
  readonly link: OwnLink
}

/** Which machine this is. Throws MESH_NOT_A_HOST, and MESH_CONFIG where it is two of them. */
export function ownHost(rtnl: RtnlSocket, { hosts }: MeshConfig): Self {
  const links = new Map(linkList(rtnl).map(({ index, name, mtu }) => [index, { link: name, mtu }]))
  const own = new Map(
    addrList(rtnl).map(({ address, link }) => [parseIp(address.replace(/\/.*/, '')), links.get(link)]),
  )
  const found = hosts.filter(({ address }) => own.has(address))
  const [host, second] = found
  if (host === undefined) {
    const some = [...own.keys()].filter((one) => one !== undefined && !/^(127\.|::1$|fe80:)/.test(one))
    throw new MeshError(
      'MESH_NOT_A_HOST',
      `no machine of the list has an address of this one (${some.join(', ') || 'it has none'})`,
      'add this machine to hosts with its address, or give it that address',
    )
  }
  if (second !== undefined) {
    const names = found.map(({ name, address }) => `${name} (${address})`).join(' and ')
    throw new MeshError('MESH_CONFIG', `this machine is ${names}`, 'list each machine once, with one of its addresses')
  }
  // The link went between the two looks: what it had goes, too, and is looked at again.
  return { host, link: own.get(host.address) ?? { link: '', mtu: 0 } }
}

/** Where the kernel meets the others. Links of the mesh itself lead to nobody. */
export function placesOf(rtnl: RtnlSocket, { hosts, bridge, attach }: MeshConfig, self: MeshHost): Places {
  const links = new Map(linkList(rtnl).map((link) => [link.index, link]))
  const own: ReadonlySet<string> = new Set([bridge, attach, 'lo'])
  return new Map(
    hosts.flatMap(({ address }) => (address === self.address ? [] : [[address, place(rtnl, address, links, own)]])),
  )
}

function place(
  rtnl: RtnlSocket,
  address: Ip,
  links: ReadonlyMap<number, Link>,
  own: ReadonlySet<string>,
): Place | string {
  try {
    const { type, link: index, gateway, mtu } = routeGet(rtnl, address)
    const link = links.get(index ?? 0)
    if (type !== 'unicast' || link === undefined) return 'this machine has no way to it'
    if (own.has(link.name)) return `this machine leads it to ${link.name}`
    const found = { link: link.name, mtu: Math.min(link.mtu, mtu ?? link.mtu) }
    const by = gateway === undefined ? undefined : parseIp(gateway)
    return by === undefined ? found : { ...found, gateway: by }
  } catch (error) {
    if (hasErrno(error, 'ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL')) return 'this machine has no route to it'
    throw error
  }
}
