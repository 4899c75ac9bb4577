/**
 * Networks. Source: Networking API v2.0, "Networks", "Network IP availability".
 * @module
 */
import { Decoder, type Fields } from '../decode.ts'
import { type NeutronCalls, pathId } from './call.ts'
import { type ObjectFilter, objectQuery } from './filter.ts'
import type { Network } from './model.ts'

const DECODER = new Decoder('Neutron', 'a network')
const AVAILABILITY = new Decoder('Neutron', "a network's free addresses")

/** What a network is made of. What only an administrator may say is not here but for the kind of network. */
export interface NetworkSpec {
  readonly name: string
  /** Tags come with a second call: what has to be known from the first moment is said here. */
  readonly description?: string
  readonly mtu?: number
  readonly hasPortSecurity?: boolean
  readonly provider?: { readonly type: string; readonly physicalNetwork?: string; readonly segment?: number }
}

/** Addresses of a subnet. */
export interface Availability {
  readonly subnetId: string
  readonly total: bigint
  readonly used: bigint
}

/** Networks that an account sees. */
export class Networks {
  readonly #calls: NeutronCalls

  constructor(calls: NeutronCalls) {
    this.#calls = calls
  }

  async get(id: string, signal?: AbortSignal): Promise<Network> {
    const path = `/networks/${pathId(id, 'network')}`
    return networkOf(
      await this.#calls.one({ method: 'GET', path, key: 'network', doing: `show network ${id}`, signal }),
    )
  }

  async list(filter: ObjectFilter, signal?: AbortSignal): Promise<readonly Network[]> {
    const query = objectQuery(filter)
    const call = { path: '/networks', key: 'networks', query, doing: 'list networks', signal }
    return (await this.#calls.list(call)).map(networkOf)
  }

  async create({ name, description, mtu, hasPortSecurity, provider }: NetworkSpec): Promise<Network> {
    const network = {
      name,
      admin_state_up: true,
      ...(description === undefined ? {} : { description }),
      ...(mtu === undefined ? {} : { mtu }),
      ...(hasPortSecurity === undefined ? {} : { port_security_enabled: hasPortSecurity }),
      ...(provider === undefined ? {} : { 'provider:network_type': provider.type }),
      ...(provider?.physicalNetwork === undefined ? {} : { 'provider:physical_network': provider.physicalNetwork }),
      ...(provider?.segment === undefined ? {} : { 'provider:segmentation_id': provider.segment }),
    }
    const call = { method: 'POST', path: '/networks', key: 'network', body: { network } } as const
    return networkOf(await this.#calls.one({ ...call, doing: `create network ${name}` }))
  }

  /** False where it was gone already. */
  async delete(id: string): Promise<boolean> {
    return this.#calls.remove({ path: `/networks/${pathId(id, 'network')}`, doing: `delete network ${id}` })
  }

  /** How many addresses are used. Administrators may ask it, others only where the policy says so. */
  async availability(id: string): Promise<readonly Availability[]> {
    const key = 'network_ip_availability'
    const path = `/network-ip-availabilities/${pathId(id, 'network')}`
    const doing = `show the free addresses of network ${id}`
    const fields = await this.#calls.one({ method: 'GET', path, key, doing })
    return AVAILABILITY.listIfThere(fields, 'subnet_ip_availability').map((item) => {
      const subnet = AVAILABILITY.fields(item)
      return {
        subnetId: AVAILABILITY.id(subnet, 'subnet_id'),
        total: countIn(subnet, 'total_ips'),
        used: countIn(subnet, 'used_ips'),
      }
    })
  }
}

function networkOf(fields: Fields): Network {
  return {
    id: DECODER.id(fields, 'id'),
    name: DECODER.textIfThere(fields, 'name') ?? '',
    projectId: DECODER.idIfThere(fields, 'project_id') ?? DECODER.idIfThere(fields, 'tenant_id'),
    subnets: DECODER.ids(fields, 'subnets'),
    mtu: DECODER.integerIfThere(fields, 'mtu', 0, 1 << 20),
    status: DECODER.text(fields, 'status'),
    isAdminUp: DECODER.flag(fields, 'admin_state_up'),
    isShared: DECODER.flagIfThere(fields, 'shared') ?? false,
    isExternal: DECODER.flagIfThere(fields, 'router:external') ?? false,
    hasPortSecurity: DECODER.flagIfThere(fields, 'port_security_enabled'),
    description: DECODER.textIfThere(fields, 'description') ?? '',
    tags: DECODER.texts(fields, 'tags'),
    revision: DECODER.integerIfThere(fields, 'revision_number', 0, Number.MAX_SAFE_INTEGER),
  }
}

/** A /64 has more addresses than a number of JSON is exact about: near is good enough. */
function countIn(fields: Fields, key: string): bigint {
  const value = fields[key]
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return BigInt(Math.floor(value))
  return BigInt(AVAILABILITY.integer(fields, key, 0, Number.MAX_SAFE_INTEGER))
}
