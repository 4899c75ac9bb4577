/**
 * Subnets. Source: Networking API v2.0, "Subnets".
 * @module
 */
import { Decoder, type Fields } from '../decode.ts'
import { type NeutronCalls, pathId } from './call.ts'
import { type ObjectFilter, objectQuery } from './filter.ts'
import type { Subnet } from './model.ts'

const DECODER = new Decoder('Neutron', 'a subnet')

/** What a subnet is made of. */
export interface SubnetSpec {
  readonly networkId: string
  readonly name: string
  readonly cidr: string
  /** Absent: the first address. Null: none. */
  readonly gateway?: string | null
  /** Off for pods' subnets: a DHCP server takes an address, and gives pods' addresses to machines. */
  readonly hasDhcp: boolean
  readonly pools?: readonly { readonly start: string; readonly end: string }[]
  readonly nameservers?: readonly string[]
}

/** Subnets that an account sees. */
export class Subnets {
  readonly #calls: NeutronCalls

  constructor(calls: NeutronCalls) {
    this.#calls = calls
  }

  async get(id: string, signal?: AbortSignal): Promise<Subnet> {
    const path = `/subnets/${pathId(id, 'subnet')}`
    return subnetOf(await this.#calls.one({ method: 'GET', path, key: 'subnet', doing: `show subnet ${id}`, signal }))
  }

  async list(filter: ObjectFilter, signal?: AbortSignal): Promise<readonly Subnet[]> {
    const of = filter.networkId === undefined ? '' : ` of network ${filter.networkId}`
    const call = { path: '/subnets', key: 'subnets', query: objectQuery(filter), doing: `list subnets${of}`, signal }
    return (await this.#calls.list(call)).map(subnetOf)
  }

  async create({ networkId, name, cidr, gateway, hasDhcp, pools, nameservers }: SubnetSpec): Promise<Subnet> {
    const subnet = {
      network_id: networkId,
      name,
      cidr,
      ip_version: cidr.includes(':') ? 6 : 4,
      enable_dhcp: hasDhcp,
      ...(gateway === undefined ? {} : { gateway_ip: gateway }),
      ...(pools === undefined ? {} : { allocation_pools: pools }),
      ...(nameservers === undefined ? {} : { dns_nameservers: nameservers }),
    }
    const call = { method: 'POST', path: '/subnets', key: 'subnet', body: { subnet } } as const
    return subnetOf(await this.#calls.one({ ...call, doing: `create subnet ${cidr} on network ${networkId}` }))
  }

  /** False where it was gone already. */
  async delete(id: string): Promise<boolean> {
    return this.#calls.remove({ path: `/subnets/${pathId(id, 'subnet')}`, doing: `delete subnet ${id}` })
  }
}

function subnetOf(fields: Fields): Subnet {
  return {
    id: DECODER.id(fields, 'id'),
    name: DECODER.textIfThere(fields, 'name') ?? '',
    networkId: DECODER.id(fields, 'network_id'),
    family: DECODER.integer(fields, 'ip_version', 4, 6) === 6 ? 6 : 4,
    cidr: DECODER.cidr(fields, 'cidr'),
    gateway: DECODER.addressIfThere(fields, 'gateway_ip'),
    hasDhcp: DECODER.flag(fields, 'enable_dhcp'),
    nameservers: DECODER.listIfThere(fields, 'dns_nameservers').map((item) =>
      DECODER.address({ dns_nameservers: item }, 'dns_nameservers'),
    ),
    hostRoutes: DECODER.listIfThere(fields, 'host_routes').map((item) => {
      const route = DECODER.fields(item)
      return { destination: DECODER.cidr(route, 'destination'), nexthop: DECODER.address(route, 'nexthop') }
    }),
    pools: DECODER.listIfThere(fields, 'allocation_pools').map((item) => {
      const pool = DECODER.fields(item)
      return { start: DECODER.address(pool, 'start'), end: DECODER.address(pool, 'end') }
    }),
    ipv6AddressMode: DECODER.textIfThere(fields, 'ipv6_address_mode'),
    tags: DECODER.texts(fields, 'tags'),
    revision: DECODER.integerIfThere(fields, 'revision_number', 0, Number.MAX_SAFE_INTEGER),
  }
}
