/**
 * Ports. Source: Networking API v2.0, "Ports".
 * @module
 */
import { garbage, invalid } from '../errors.ts'
import { type NeutronCalls, pathId } from './call.ts'
import { type AddressPair, MOST_IDS, type Port, type PortChange, type PortFilter, type PortSpec } from './model.ts'
import { portOf } from './port-decode.ts'
import { checkedTag } from './tags.ts'

/** Ports of a cloud, as far as an account sees them. */
export class Ports {
  readonly #calls: NeutronCalls

  constructor(calls: NeutronCalls) {
    this.#calls = calls
  }

  async get(id: string, signal?: AbortSignal): Promise<Port> {
    const path = `/ports/${pathId(id, 'port')}`
    return portOf(await this.#calls.one({ method: 'GET', path, key: 'port', doing: `show port ${id}`, signal }))
  }

  /** Throws for a filter that is empty: nobody means all ports of everybody. */
  async list(filter: PortFilter, signal?: AbortSignal): Promise<readonly Port[]> {
    const call = {
      path: '/ports',
      key: 'ports',
      query: queryOf(filter),
      doing: `list ports by ${wordsOf(filter)}`,
      signal,
    }
    return (await this.#calls.list(call)).map(portOf)
  }

  /** An error with `isUncertain` leaves open whether the port is there: look by what was asked for before asking again. */
  async create(spec: PortSpec, signal?: AbortSignal): Promise<Port> {
    const asked = (spec.fixedIps ?? []).flatMap(({ address }) => address ?? [])
    const addresses = asked.length === 0 ? '' : ` with address ${asked.slice(0, 4).join(', ')}`
    const doing = `create port ${spec.name}${addresses} on network ${spec.networkId}`
    const body = { port: bodyOf(spec) }
    return portOf(await this.#calls.one({ method: 'POST', path: '/ports', key: 'port', body, doing, signal }))
  }

  /** All or none of them, in the order asked for. As for one, an error with `isUncertain` leaves open whether they are there. */
  async createMany(specs: readonly PortSpec[], signal?: AbortSignal): Promise<readonly Port[]> {
    if (specs.length === 0) return []
    const networks = [...new Set(specs.map(({ networkId }) => networkId))]
    const doing = `create ${specs.length} ports on ${networks.length === 1 ? 'network' : 'networks'} ${networks.slice(0, 3).join(', ')}`
    const body = { ports: specs.map(bodyOf) }
    const objects = specs.length
    const call = { method: 'POST', path: '/ports', key: 'ports', body, objects, doing, signal } as const
    const ports = (await this.#calls.many(call)).map(portOf)
    if (ports.length === specs.length) return ports
    throw garbage('Neutron', 'another number of ports than it was asked to make', { isUncertain: true })
  }

  /** With a revision it fails with `OPENSTACK_REVISION` where somebody else was faster. */
  async update(id: string, change: PortChange, revision?: number, signal?: AbortSignal): Promise<Port> {
    const path = `/ports/${pathId(id, 'port')}`
    const body = { port: bodyOf(change) }
    const call = { method: 'PUT', path, key: 'port', body, revision, doing: `update port ${id}`, signal } as const
    return portOf(await this.#calls.one(call))
  }

  /** False where it was gone already. */
  async delete(id: string, revision?: number, signal?: AbortSignal): Promise<boolean> {
    return this.#calls.remove({ path: `/ports/${pathId(id, 'port')}`, revision, doing: `delete port ${id}`, signal })
  }
}

function bodyOf(spec: PortSpec | PortChange): Readonly<Record<string, unknown>> {
  const { networkId, tags } = spec as Partial<PortSpec>
  return Object.fromEntries(
    Object.entries({
      network_id: networkId,
      name: spec.name,
      device_id: spec.deviceId,
      device_owner: spec.deviceOwner,
      description: spec.description,
      mac_address: spec.mac,
      fixed_ips: spec.fixedIps?.map(({ subnetId, address }) => ({
        ...(subnetId === undefined ? {} : { subnet_id: subnetId }),
        ...(address === undefined ? {} : { ip_address: address }),
      })),
      security_groups: spec.securityGroups,
      port_security_enabled: spec.hasPortSecurity,
      allowed_address_pairs: spec.addressPairs?.map(pairBody),
      tags: tags?.map(checkedTag),
      'binding:host_id': spec.hostId,
      'binding:profile': spec.profile,
    }).filter(([, value]) => value !== undefined),
  )
}

function pairBody({ address, mac }: AddressPair): Readonly<Record<string, string>> {
  return { ip_address: address, ...(mac === undefined ? {} : { mac_address: mac }) }
}

/** Filters as Neutron writes them. An empty value would be dropped on the way, and with it the filter. */
function queryOf(filter: PortFilter): readonly (readonly [string, string])[] {
  const { ids, tags = [], address, subnetId } = filter
  if (ids !== undefined && (ids.length === 0 || ids.length > MOST_IDS))
    throw invalid(`a list of ports was asked for by ${ids.length} ids`, `name 1 to ${MOST_IDS}`)
  const plain: readonly (readonly [string, string | undefined])[] = [
    ...(ids ?? []).map((id) => ['id', id] as const),
    ['name', filter.name],
    ['network_id', filter.networkId],
    ['device_id', filter.deviceId],
    ['device_owner', filter.deviceOwner],
    ['mac_address', filter.mac],
    ['project_id', filter.projectId],
    ['fixed_ips', address === undefined ? undefined : `ip_address=${address}`],
    ['fixed_ips', subnetId === undefined ? undefined : `subnet_id=${subnetId}`],
    ['tags', tags.length === 0 ? undefined : tags.map(checkedTag).join(',')],
  ]
  const query = plain.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))
  const isEmpty = query.length === 0 || query.some(([, value]) => value === '' || value.endsWith('='))
  if (isEmpty) throw invalid('a list of ports was asked for by an empty filter', 'name what the ports have in common')
  return query
}

function wordsOf(filter: PortFilter): string {
  return Object.entries(filter)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${Array.isArray(value) ? value.join(' ') : String(value)}`)
    .join(', ')
    .slice(0, 300)
}
