/**
 * Something that answers like Keystone and Neutron as a test says: only for what the real ones cannot be asked to do.
 * @module
 */
import type { CloudConfig } from '../config/model.ts'
import { Neutron } from '../neutron/neutron.ts'
import { Secret } from '../secret.ts'
import { OpenStackSession, type SessionOptions } from '../session.ts'

/** How it answers. */
export interface FakeCloudOptions {
  /** Absent: as it should. */
  readonly keystone?: (request: Request, nth: number) => Response | Promise<Response>
  readonly neutron?: (request: Request, nth: number) => Response | Promise<Response>
}

/** The password of its account. */
export const PASSWORD = 'zebra-hornet-quartz'

/** The project of its account. */
export const PROJECT = 'f0e1d2c3b4a5968778695a4b3c2d1e0f'

/** A fake cloud on a loopback port. */
export class FakeCloud {
  readonly url: string
  /** Requests by service. */
  readonly asked: { keystone: number; neutron: number } = { keystone: 0, neutron: 0 }
  readonly #server: ReturnType<typeof Bun.serve>

  constructor({ keystone, neutron }: FakeCloudOptions) {
    this.#server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      idleTimeout: 0,
      fetch: (request) => {
        if (!new URL(request.url).pathname.startsWith('/v3/')) {
          this.asked.neutron += 1
          return neutron?.(request, this.asked.neutron) ?? Response.json({}, { status: 404 })
        }
        this.asked.keystone += 1
        return keystone?.(request, this.asked.keystone) ?? this.token(`token-${this.asked.keystone}`)
      },
    })
    this.url = `http://127.0.0.1:${this.#server.port}`
  }

  /** Keystone's answer with a token. */
  token(id: string, life = 3_600_000): Response {
    const issued = Date.now()
    const date = (at: number): string => new Date(at).toISOString().replace('Z', '000Z')
    const endpoint = { interface: 'public', region_id: 'RegionOne', region: 'RegionOne', url: this.url }
    const token = {
      issued_at: date(issued),
      expires_at: date(issued + life),
      project: { id: PROJECT },
      catalog: [
        { type: 'network', name: 'neutron', endpoints: [endpoint] },
        { type: 'compute', name: 'nova', endpoints: [{ ...endpoint, url: `${this.url}/v2.1` }] },
      ],
    }
    return Response.json({ token }, { status: 201, headers: { 'x-subject-token': id } })
  }

  /** An account on it. */
  config(change: Partial<CloudConfig> = {}): CloudConfig {
    return {
      authUrl: `${this.url}/v3`,
      identity: { kind: 'password', user: { id: 'user' }, password: new Secret(PASSWORD) },
      scope: { kind: 'project', id: 'project' },
      interface: 'public',
      tls: { verify: true },
      warnings: [],
      ...change,
    }
  }

  client(options: SessionOptions = {}, change: Partial<CloudConfig> = {}): Neutron {
    return new Neutron(new OpenStackSession(this.config(change), { firstPause: 1, ...options }))
  }

  async stop(): Promise<void> {
    await this.#server.stop(true)
  }
}

/** A port as Neutron 21 sends it. */
export function portJson(change: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return {
    id: '2233c32a-4092-4d8b-b44d-1c54f666c507',
    name: '',
    network_id: '782ec9ac-44f9-4318-8c67-a2fed2ccca4f',
    tenant_id: '015058d74d1c444b871fc39dbd4442b8',
    project_id: '015058d74d1c444b871fc39dbd4442b8',
    mac_address: 'fa:16:3e:00:00:05',
    admin_state_up: true,
    status: 'DOWN',
    device_id: '',
    device_owner: '',
    fixed_ips: [{ subnet_id: '5b0e2d3c-9a4f-4d25-8e6b-0f9e1a2b3c4d', ip_address: '203.0.113.2' }],
    allowed_address_pairs: [],
    extra_dhcp_opts: [],
    security_groups: [],
    description: '',
    port_security_enabled: true,
    tags: [],
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    revision_number: 1,
    ...change,
  }
}

/** A refusal as Neutron writes it. */
export function neutronError(
  status: number,
  type: string,
  message = 'words',
  headers: Record<string, string> = {},
): Response {
  return Response.json({ NeutronError: { type, message, detail: '' } }, { status, headers })
}
