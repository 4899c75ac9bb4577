/**
 * Between us and Neutron: hears what is said, and does to it what networks and busy servers do.
 * @module
 */

/** What happens to one request. */
export type Mishap =
  /** Milliseconds more. */
  | { readonly kind: 'late'; readonly by: number }
  /** Neutron never hears of it. */
  | { readonly kind: 'refused'; readonly status: number }
  /** Neutron does it, and nobody hears of that. */
  | { readonly kind: 'lost'; readonly status: number }

/** A request that came by. */
export interface Heard {
  readonly method: string
  readonly path: string
  readonly token: string
}

/** A proxy on a loopback port. */
export class NeutronProxy {
  /** What stands in a configuration as Neutron's endpoint. */
  readonly address: string
  readonly heard: Heard[] = []
  /** What happens to the next one. */
  mishap: (heard: Heard) => Mishap | undefined = () => undefined
  readonly #server: ReturnType<typeof Bun.serve>

  constructor(target: string) {
    this.#server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      idleTimeout: 0,
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url)
        const heard = { method: request.method, path: pathname, token: request.headers.get('x-auth-token') ?? '' }
        this.heard.push(heard)
        const mishap = this.mishap(heard)
        if (mishap?.kind === 'refused') return new Response('', { status: mishap.status })
        if (mishap?.kind === 'late') await Bun.sleep(mishap.by)
        const headers = new Headers(request.headers)
        headers.delete('host')
        const body = request.method === 'GET' || request.method === 'DELETE' ? {} : { body: await request.text() }
        const answer = await fetch(`${target}${pathname}${search}`, {
          method: request.method,
          headers,
          ...body,
          keepalive: false,
          redirect: 'manual',
        })
        if (mishap?.kind === 'lost') return new Response('', { status: mishap.status })
        const text = await answer.text()
        const kept = new Headers(answer.headers)
        for (const name of ['content-length', 'content-encoding', 'connection', 'transfer-encoding']) kept.delete(name)
        return new Response(answer.status === 204 ? null : text, { status: answer.status, headers: kept })
      },
    })
    this.address = `http://127.0.0.1:${this.#server.port}/v2.0`
  }

  async stop(): Promise<void> {
    await this.#server.stop(true)
  }
}
