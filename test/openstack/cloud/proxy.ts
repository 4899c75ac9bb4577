/**
 * Between us and Neutron: hears what is said, and does to it what networks and busy servers do.
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What happens to one request. */
export type Mishap =
  /** Milliseconds more. */
  | { readonly kind: 'late'; readonly by: number }
  /** Neutron never hears of it. */
  | { readonly kind: 'refused'; readonly status: number }
  /** Neutron does it, and nobody hears of that. */
  | { readonly kind: 'lost'; readonly status: number }
  /** The connection ends without an answer, before Neutron hears of it or when it has done it. */
  | { readonly kind: 'cut'; readonly when: 'before' | 'after' }
  /** Half of Neutron's answer, and the end of the connection. */
  | { readonly kind: 'torn' }

/** A request that came by. */
export interface Heard {
  readonly method: string
  readonly path: string
  readonly token: string
}

/** A proxy on a loopback port. */
export class NeutronProxy {
  readonly heard: Heard[] = []
  /** What happens to the next one. */
  mishap: (heard: Heard) => Mishap | undefined = () => undefined
  /** Requests that are not answered yet, whoever still waits for it. */
  pending = 0
  readonly #target: string
  readonly #server: Server

  constructor(target: string) {
    this.#target = target
    this.#server = createServer((request, response) => {
      this.pending += 1
      const done = (): void => {
        this.pending -= 1
      }
      // Who asked may have gone.
      void this.#serve(request, response)
        .catch(() => response.destroy())
        .finally(done)
    })
    this.#server.listen(0, '127.0.0.1')
  }

  /** What stands in a configuration as Neutron's endpoint. */
  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v2.0`
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request
    const body = await bodyOf(request)
    const token = headers['x-auth-token']
    const heard = { method, path: url.replace(/\?.*$/, ''), token: typeof token === 'string' ? token : '' }
    this.heard.push(heard)
    const mishap = this.mishap(heard)
    if (mishap?.kind === 'cut' && mishap.when === 'before') return void response.destroy()
    if (mishap?.kind === 'refused') return void response.writeHead(mishap.status).end()
    if (mishap?.kind === 'late') await Bun.sleep(mishap.by)
    const answer = await fetch(`${this.#target}${url}`, {
      method,
      headers: passed(headers),
      ...(body.length === 0 ? {} : { body }),
      keepalive: false,
      redirect: 'manual',
    })
    const text = await answer.text()
    if (mishap?.kind === 'cut') return void response.destroy()
    if (mishap?.kind === 'lost') return void response.writeHead(mishap.status).end()
    response.statusCode = answer.status
    for (const [name, value] of answer.headers) if (!OF_CONNECTIONS.has(name)) response.setHeader(name, value)
    response.setHeader('content-length', Buffer.byteLength(text))
    if (mishap?.kind !== 'torn') return void response.end(text)
    response.write(text.slice(0, text.length / 2), () => response.destroy())
  }
}

const OF_CONNECTIONS = new Set(['content-length', 'content-encoding', 'connection', 'transfer-encoding', 'host'])

function passed(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' && !OF_CONNECTIONS.has(name) ? [[name, value]] : [],
    ),
  )
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
