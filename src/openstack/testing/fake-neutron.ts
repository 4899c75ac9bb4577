/**
 * A Neutron in memory that keeps the rules which ports, trunks and address pairs have, and fails as a test says: before or after the fact.
 * Only for what the real one cannot be asked to do at a given moment; that it does the same, test/openstack shows.
 * @module
 */
import { neutronError, PROJECT } from './fake-cloud.ts'

type Json = Record<string, unknown>

/** A port as it is kept. */
export interface FakePort extends Json {
  readonly id: string
  network_id: string
  fixed_ips: { subnet_id: string; ip_address: string }[]
  allowed_address_pairs: { ip_address: string; mac_address?: string }[]
  security_groups: string[]
  tags: string[]
  device_id: string
  revision_number: number
}

/** What becomes of a call: it is refused and nothing happens, or it happens and the answer says otherwise. */
export type Mishap = 'none' | 'before' | 'after'

/** Neutron's memory. */
export class FakeNeutron {
  readonly networks = new Map<string, Json>()
  readonly subnets = new Map<string, { id: string; network_id: string; prefix: string; size: number } & Json>()
  readonly ports = new Map<string, FakePort>()
  /** VLANs by port, by trunk. */
  readonly trunks = new Map<string, { port_id: string; subports: Map<string, number> }>()
  groups: { readonly id: string; readonly name: string; readonly project_id: string; readonly shared: boolean }[] = [
    { id: 'group-default', name: 'default', project_id: PROJECT, shared: false },
  ]
  readonly extensions = new Set(['tag-ports-during-bulk-creation', 'revision-if-match', 'trunk'])
  mostPairs = 10
  quota = -1
  /** Asked at every call that may change something, and every other one. */
  mishap: (request: Request, isWrite: boolean) => Mishap = () => 'none'
  /** Every call, as `POST /ports`. */
  readonly calls: string[] = []
  #serial = 0

  /** A network with a subnet `<prefix>.0/24`, or of less addresses. */
  addNetwork(id: string, prefix: string, size = 250): void {
    this.networks.set(id, {
      id,
      name: `${id}-name`,
      status: 'ACTIVE',
      admin_state_up: true,
      mtu: 1442,
      subnets: [`${id}-v4`],
    })
    this.subnets.set(`${id}-v4`, this.#subnet(`${id}-v4`, id, prefix, size))
  }

  #subnet(id: string, network_id: string, prefix: string, size: number) {
    const routes = [{ destination: '10.96.0.0/12', nexthop: `${prefix}.1` }]
    const cidr = { cidr: `${prefix}.0/24`, gateway_ip: `${prefix}.1`, ip_version: 4, enable_dhcp: false }
    return { id, network_id, prefix, size, name: id, ...cidr, dns_nameservers: ['10.0.0.2'], host_routes: routes }
  }

  /** A VM's port with its address. */
  addVm(id: string, network: string, address: string, trunk?: string): FakePort {
    const port = this.#port(
      network,
      [{ subnet_id: `${network}-v4`, ip_address: address }],
      { device_id: `vm-${id}` },
      id,
    )
    if (trunk !== undefined) this.trunks.set(trunk, { port_id: id, subports: new Map() })
    return port
  }

  /** Neutron's answer. */
  readonly answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url)
    const path = url.pathname.replace(/^\/v2\.0/, '')
    const isWrite = request.method !== 'GET'
    const text = await request.text()
    this.calls.push(`${request.method} ${path}`)
    const mishap = this.mishap(request, isWrite)
    if (mishap === 'before') return neutronError(503, 'ServiceUnavailable')
    const body = (text === '' ? {} : JSON.parse(text)) as Json
    let response: Response
    try {
      response = this.#handle(request, path, url.searchParams, body)
    } catch (error) {
      if (error instanceof Response) return error
      throw error
    }
    return mishap === 'after' ? neutronError(500, 'HTTPInternalServerError') : response
  }

  #handle(request: Request, path: string, query: URLSearchParams, body: Json): Response {
    const [, kind = '', id = '', action = ''] = path.split('/')
    if (kind === 'ports') return this.#ports(request, id, action, query, body)
    if (kind === 'trunks') return this.#trunks(id, action, query, body)
    if (kind === 'extensions') return Response.json({ extensions: [...this.extensions].map((alias) => ({ alias })) })
    if (kind === 'quotas')
      return Response.json({ quota: { port: { limit: this.quota, used: this.ports.size, reserved: 0 } } })
    if (kind === 'networks' && id !== '') {
      const network = this.networks.get(id)
      return network === undefined ? refused(404, 'NetworkNotFound') : Response.json({ network })
    }
    const name = query.get('name')
    if (kind === 'networks')
      return Response.json({ networks: [...this.networks.values()].filter((one) => one['name'] === name) })
    if (kind === 'subnets') {
      const of = query.get('network_id')
      return Response.json({ subnets: [...this.subnets.values()].filter(({ network_id }) => network_id === of) })
    }
    const group = this.groups.find((one) => one.id === id)
    if (id !== '') {
      return group === undefined ? refused(404, 'SecurityGroupNotFound') : Response.json({ security_group: group })
    }
    const asked = (['name', 'project_id', 'shared'] as const).filter((key) => query.has(key))
    const groups = this.groups.filter((one) => asked.every((key) => String(one[key]) === query.get(key)?.toLowerCase()))
    return Response.json({ security_groups: groups })
  }

  #ports(request: Request, id: string, action: string, query: URLSearchParams, body: Json): Response {
    const { method } = request
    if (id === '' && method === 'GET') return Response.json({ ports: this.#listed(query) })
    if (id === '') return this.#create(body)
    const port = this.ports.get(id)
    if (port === undefined) return refused(404, 'PortNotFound')
    if (action === 'tags') {
      port.tags = (body['tags'] as string[]) ?? []
      return Response.json({ tags: port.tags })
    }
    if (method === 'GET') return Response.json({ port: this.#shown(port) })
    if (method === 'PUT') return this.#update(port, body['port'] as Json, request.headers.get('if-match'))
    if ([...this.trunks.values()].some(({ subports }) => subports.has(id))) return refused(409, 'PortInUseAsSubPort')
    this.ports.delete(id)
    return new Response(null, { status: 204 })
  }

  #listed(query: URLSearchParams): readonly Json[] {
    const matches = (port: FakePort): boolean =>
      [...query].every(([key, value]) => {
        if (key === 'limit' || key === 'marker') return true
        if (key === 'id') return query.getAll('id').includes(port.id)
        if (key === 'tags') return value.split(',').every((tag) => port.tags.includes(tag))
        if (key !== 'fixed_ips') return port[key] === value
        const [what = '', wanted] = value.split('=')
        return port.fixed_ips.some((one) => (one as Json)[what] === wanted)
      })
    return [...this.ports.values()].filter(matches).map((port) => this.#shown(port))
  }

  #create(body: Json): Response {
    const specs = (Array.isArray(body['ports']) ? body['ports'] : [body['port']]) as Json[]
    if (this.quota >= 0 && this.ports.size + specs.length > this.quota) return refused(409, 'OverQuota')
    const made: FakePort[] = []
    try {
      for (const { network_id, fixed_ips, ...spec } of specs)
        made.push(this.#port(String(network_id), this.#free(String(network_id), fixed_ips as Json[] | undefined), spec))
    } catch (error) {
      for (const { id } of made) this.ports.delete(id)
      throw error
    }
    const shown = made.map((port) => this.#shown(port))
    return Response.json(Array.isArray(body['ports']) ? { ports: shown } : { port: shown[0] }, { status: 201 })
  }

  #port(network_id: string, fixed_ips: FakePort['fixed_ips'], spec: Json, id = this.#id()): FakePort {
    const mac = `fa:16:3e:00:${[this.#serial >> 8, this.#serial & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`
    const port: FakePort = {
      ...{ name: '', project_id: PROJECT, mac_address: mac, admin_state_up: true, status: 'DOWN', device_owner: '' },
      ...{ device_id: '', security_groups: ['group-default'], allowed_address_pairs: [], tags: [] },
      ...{ port_security_enabled: true, ...spec, id, network_id, fixed_ips, revision_number: 1 },
    }
    this.#serial += 1
    this.ports.set(id, port)
    return port
  }

  #free(network: string, wanted: Json[] | undefined): FakePort['fixed_ips'] {
    const asked = wanted ?? [{ subnet_id: `${network}-v4` }]
    const taken: FakePort['fixed_ips'] = []
    for (const { subnet_id, ip_address } of asked) {
      const subnet = this.subnets.get(String(subnet_id))
      if (subnet === undefined) throw refused(404, 'SubnetNotFound')
      const busy = new Set(
        [...[...this.ports.values()].flatMap((port) => port.fixed_ips), ...taken].map((one) => one.ip_address),
      )
      const all = Array.from({ length: subnet.size }, (_, i) => `${subnet.prefix}.${i + 2}`)
      const address = ip_address === undefined ? all.find((one) => !busy.has(one)) : String(ip_address)
      if (address === undefined) throw refused(409, 'IpAddressGenerationFailure')
      taken.push({ subnet_id: subnet.id, ip_address: address })
    }
    return taken
  }

  #update(port: FakePort, change: Json, ifMatch: string | null): Response {
    const pairs = change['allowed_address_pairs'] as FakePort['allowed_address_pairs'] | undefined
    if (pairs !== undefined && pairs.length > this.mostPairs) return refused(400, 'AllowedAddressPairExhausted')
    if (ifMatch !== null && ifMatch !== `revision_number=${port.revision_number}`)
      return refused(412, 'RevisionNumberConstraintFailed')
    const { fixed_ips, ...rest } = change as { fixed_ips?: Json[] } & Json
    if (fixed_ips !== undefined) {
      const before = port.fixed_ips
      port.fixed_ips = []
      try {
        const kept = fixed_ips.filter(({ ip_address }) => ip_address !== undefined) as FakePort['fixed_ips']
        port.fixed_ips = kept
        port.fixed_ips = [
          ...kept,
          ...this.#free(
            port.network_id,
            fixed_ips.filter(({ ip_address }) => ip_address === undefined),
          ),
        ]
      } catch (error) {
        port.fixed_ips = before
        throw error
      }
    }
    Object.assign(port, rest)
    port.revision_number += 1
    return Response.json({ port: this.#shown(port) })
  }

  #trunks(id: string, action: string, query: URLSearchParams, body: Json): Response {
    if (id === '') {
      const wanted = query.get('port_id')
      const found = [...this.trunks].filter(([, { port_id }]) => wanted === null || port_id === wanted)
      return Response.json({ trunks: found.map(([key]) => this.#trunk(key)) })
    }
    const trunk = this.trunks.get(id)
    if (trunk === undefined) return refused(404, 'TrunkNotFound')
    const asked = (body['sub_ports'] ?? []) as { port_id: string; segmentation_id: number }[]
    const { subports } = trunk
    if (action === 'add_subports') {
      const vlans = new Set(subports.values())
      if (asked.some((one) => vlans.has(one.segmentation_id))) return refused(409, 'DuplicateSubPort')
      if (asked.some((one) => (this.ports.get(one.port_id)?.device_id ?? 'none') !== ''))
        return refused(409, 'PortInUse')
      for (const one of asked) subports.set(one.port_id, one.segmentation_id)
    }
    if (action === 'remove_subports') {
      if (asked.some((one) => !subports.has(one.port_id))) return refused(404, 'SubPortNotFound')
      for (const one of asked) subports.delete(one.port_id)
    }
    return Response.json(action === 'get_subports' ? { sub_ports: this.#trunk(id)['sub_ports'] } : this.#trunk(id))
  }

  #trunk(id: string): Json {
    const { port_id = '', subports = new Map<string, number>() } = this.trunks.get(id) ?? {}
    const sub_ports = [...subports].map(([one, vlan]) => ({
      port_id: one,
      segmentation_type: 'vlan',
      segmentation_id: vlan,
    }))
    return { id, port_id, name: id, status: 'ACTIVE', admin_state_up: true, sub_ports }
  }

  #shown(port: FakePort): Json {
    const [trunk] = [...this.trunks].find(([, { port_id }]) => port_id === port.id) ?? []
    if (trunk === undefined) return port
    return { ...port, trunk_details: { trunk_id: trunk, sub_ports: this.#trunk(trunk)['sub_ports'] } }
  }

  #id(): string {
    return `00000000-0000-4000-8000-${String(this.#serial).padStart(12, '0')}`
  }
}

function refused(status: number, type: string): Response {
  return neutronError(status, type)
}
