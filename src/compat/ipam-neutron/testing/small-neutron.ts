/**
 * As much of Neutron as pods' ports need, in memory: for what the real one cannot be asked to do at a certain moment.
 * @module
 */
import { FakeCloud, neutronError, portJson } from '../../../openstack/testing/fake-cloud.ts'

/** The network of the document. */
export const NETWORK = '782ec9ac-44f9-4318-8c67-a2fed2ccca4f'
/** Another one, with both families. */
export const DUAL = '11111111-44f9-4318-8c67-a2fed2ccca4f'
/** One without subnets. */
export const BARE = '22222222-44f9-4318-8c67-a2fed2ccca4f'
const SUBNET = '5b0e2d3c-9a4f-4d25-8e6b-0f9e1a2b3c4d'

/** What happens to a request. */
export type Trouble =
  | { readonly kind: 'refused'; readonly answer: () => Response }
  /** It is done, and the answer is another one. */
  | { readonly kind: 'lost'; readonly answer: () => Response }
  /** It is done so many milliseconds after its refusal. */
  | { readonly kind: 'late'; readonly by: number; readonly answer: () => Response }
  | { readonly kind: 'hangs' }
  /** It is done, and nothing is said. */
  | { readonly kind: 'silent' }

type Json = Readonly<Record<string, unknown>>
interface FakePort extends Json {
  readonly id: string
  readonly network_id: string
  readonly tags: readonly string[]
}

const SUBNETS: readonly Json[] = [
  subnet(SUBNET, NETWORK, '203.0.113.0/24', '203.0.113.1'),
  subnet('5b0e2d3c-0000-4d25-8e6b-000000000004', DUAL, '198.51.100.0/24', null),
  subnet('5b0e2d3c-0000-4d25-8e6b-000000000006', DUAL, '2001:db8::/64', '2001:db8::1'),
]

/** A Neutron with three networks. */
export class SmallNeutron {
  readonly ports = new Map<string, FakePort>()
  readonly heard: string[] = []
  /** What happens to the next request, by `POST /ports`. */
  trouble: (call: string, nth: number) => Trouble | undefined = () => undefined
  /** Keystone's answer, where it is not a token. */
  keystone: (() => Response) | undefined
  readonly cloud: FakeCloud
  #given = 0

  constructor() {
    this.cloud = new FakeCloud({
      keystone: () => this.keystone?.() ?? this.cloud.token('token-1'),
      neutron: (request) => this.#serve(request),
    })
  }

  /** A port that is there already. */
  put(fields: Readonly<Record<string, unknown>>): string {
    return this.#make({ network_id: NETWORK, ...fields })['id']
  }

  stop(): Promise<void> {
    return this.cloud.stop()
  }

  async #serve(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const path = pathname.replace('/v2.0', '')
    const call = `${request.method} ${path.replace(/\/[0-9a-f-]{36}/, '/ID')}`
    this.heard.push(call)
    const trouble = this.trouble(call, this.heard.filter((one) => one === call).length)
    const body = request.method === 'POST' ? ((await request.json()) as Json) : {}
    if (trouble?.kind === 'hangs') return new Promise(() => undefined)
    if (trouble?.kind === 'refused') return trouble.answer()
    if (trouble?.kind === 'late') {
      setTimeout(() => this.#answer(request.method, path, searchParams, body), trouble.by)
      return trouble.answer()
    }
    const answer = this.#answer(request.method, path, searchParams, body)
    if (trouble?.kind === 'silent') return new Promise(() => undefined)
    return trouble?.kind === 'lost' ? trouble.answer() : answer
  }

  #answer(method: string, path: string, query: URLSearchParams, body: Json): Response {
    const [, kind = '', id = ''] = path.split('/')
    switch (`${method} ${kind}`) {
      case 'GET ports':
        return Response.json({ ports: [...this.ports.values()].filter((port) => fits(port, query)) })
      case 'POST ports':
        return Response.json({ port: this.#make(body['port'] as Json) }, { status: 201 })
      case 'DELETE ports':
        return this.ports.delete(id) ? new Response(null, { status: 204 }) : neutronError(404, 'PortNotFound')
      case 'GET subnets':
        return Response.json({ subnets: SUBNETS.filter((one) => one['network_id'] === query.get('network_id')) })
      case 'GET networks':
        if (![NETWORK, DUAL, BARE].includes(id)) return neutronError(404, 'NetworkNotFound')
        return Response.json({ network: { id, name: 'n', subnets: [], status: 'ACTIVE', admin_state_up: true } })
      case 'GET security-groups':
        return Response.json({ security_groups: GROUPS.filter(({ name }) => name === query.get('name')) })
      case 'GET quotas':
        return Response.json({ quota: { port: { limit: 3, used: this.ports.size, reserved: 0 } } })
      default:
        return neutronError(404, 'HTTPNotFound')
    }
  }

  #make(fields: Json): FakePort {
    this.#given += 1
    const network_id = String(fields['network_id'])
    const port: FakePort = {
      ...portJson(),
      fixed_ips: SUBNETS.filter((one) => one['network_id'] === network_id).map((one) => ({
        subnet_id: one['id'],
        ip_address: String(one['cidr']).replace(/0\/24$|\/64$/, (end) =>
          end === '/64' ? this.#given.toString(16) : `${((this.#given - 1) % 253) + 2}`,
        ),
      })),
      ...fields,
      id: `00000000-0000-4000-8000-${String(this.#given).padStart(12, '0')}`,
      network_id,
      tags: (fields['tags'] as readonly string[] | undefined) ?? [],
    }
    this.ports.set(port.id, port)
    return port
  }
}

const GROUPS = ['one', 'two', 'two'].map((name, at) => ({
  id: `33333333-0000-4000-8000-00000000000${at}`,
  name,
  description: '',
  tags: [],
}))

function subnet(id: string, network_id: string, cidr: string, gateway_ip: string | null): Json {
  return {
    ...{ id, network_id, cidr, gateway_ip, name: '', ip_version: cidr.includes(':') ? 6 : 4, enable_dhcp: false },
    ...{ dns_nameservers: [], host_routes: [], allocation_pools: [], tags: [] },
  }
}

/** As Neutron's database compares: without regard to capitals. */
function fits(port: FakePort, query: URLSearchParams): boolean {
  const same = (one: unknown, other: string): boolean => String(one).toLowerCase() === other.toLowerCase()
  return [...query].every(([key, value]) => {
    if (key === 'limit' || key === 'marker') return true
    if (key === 'tags') return value.split(',').every((tag) => port.tags.some((one) => same(one, tag)))
    return same(port[key], value)
  })
}
