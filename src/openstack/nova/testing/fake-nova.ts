/**
 * Nova's `os-interface` as the Compute API documents it, for one server. It knows the rules that matter to a caller, and no hypervisor.
 * @module
 */

export const SERVER = 'b6f1c1a3-6f0e-4d7c-9d50-7a6c5a2f0e11'
export const PORT = '2233c32a-4092-4d8b-b44d-1c54f666c507'

type Answer = Response | Promise<Response>

/** The server's interfaces. */
export class FakeNova {
  readonly attached = new Map<string, object>()
  /** How often a port is still shown after its DELETE was accepted. */
  lingering = 0
  /** Answers in place of the documented one. */
  instead: ((request: Request) => Answer | undefined) | undefined
  readonly asked: string[] = []
  #leaving = new Map<string, number>()

  readonly fetch = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    this.asked.push(`${request.method} ${pathname}`)
    const answer = await this.instead?.(request)
    if (answer !== undefined) return answer
    const [, port] = new RegExp(`^/v2\\.1/servers/${SERVER}/os-interface(?:/([^/]+))?$`).exec(pathname) ?? [undefined]
    if (!pathname.startsWith(`/v2.1/servers/${SERVER}/os-interface`)) return fault(404, 'itemNotFound')
    switch (request.method) {
      case 'GET':
        return port === undefined
          ? Response.json({ interfaceAttachments: [...this.attached.values()] })
          : this.#show(port)
      case 'POST':
        return this.#attach(await request.json())
      case 'DELETE':
        return this.#detach(port ?? '')
      default:
        return fault(405, 'badMethod')
    }
  }

  /** Plugs it in, as a POST does. */
  plug(port: string): object {
    const one = {
      port_state: 'ACTIVE',
      fixed_ips: [{ subnet_id: '5b0e2d3c-9a4f-4d25-8e6b-0f9e1a2b3c4d', ip_address: '203.0.113.2' }],
      net_id: '782ec9ac-44f9-4318-8c67-a2fed2ccca4f',
      port_id: port,
      mac_addr: 'FA:16:3E:00:00:05',
    }
    this.attached.set(port, one)
    return one
  }

  #attach(body: unknown): Response {
    const { interfaceAttachment } = body as { readonly interfaceAttachment?: Readonly<Record<string, unknown>> }
    const { port_id: port, net_id: network, fixed_ips: addresses } = interfaceAttachment ?? {}
    if (interfaceAttachment === undefined || (port !== undefined && network !== undefined))
      return fault(400, 'badRequest')
    if (addresses !== undefined && network === undefined) return fault(400, 'badRequest')
    if (typeof port !== 'string' || this.attached.has(port)) return fault(409, 'conflictingRequest')
    return Response.json({ interfaceAttachment: this.plug(port) })
  }

  #show(port: string): Response {
    const left = this.#leaving.get(port)
    if (left !== undefined) {
      this.#leaving.set(port, left - 1)
      if (left === 0) this.attached.delete(port)
    }
    const one = this.attached.get(port)
    return one === undefined ? fault(404, 'itemNotFound') : Response.json({ interfaceAttachment: one })
  }

  #detach(port: string): Response {
    if (!this.attached.has(port)) return fault(404, 'itemNotFound')
    this.#leaving.set(port, this.lingering)
    return new Response(null, { status: 202 })
  }
}

/** A refusal as Nova writes it. */
export function fault(status: number, name: string): Response {
  const headers = { 'x-compute-request-id': 'req-0b7f6a3c-52a5-4b0e-9d0a-5d2d0b5f1c11' }
  return Response.json({ [name]: { code: status, message: 'words with a secret' } }, { status, headers })
}
