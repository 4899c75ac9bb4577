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
  /** Neutron does it, and something in front of it says that it failed. */
  | { readonly kind: 'lost'; readonly status: number }
  /** Neutron never hears of it, and the connection ends without a word. */
  | { readonly kind: 'cut' }
  /** Neutron does it, and the connection ends without a word. */
  | { readonly kind: 'cut-after' }
  /** Neutron does it, and the connection ends in the middle of the answer. */
  | { readonly kind: 'half' }

/** A request that came by. */
export interface Heard {
  readonly method: string
  readonly path: string
  readonly token: string
}

/** Headers that are about one connection, or a form of the body that it has here no longer. */
const OF_A_CONNECTION = new Set(['connection', 'content-encoding', 'content-length', 'host', 'transfer-encoding'])

/** A proxy on a loopback port. Always `stop()` it. */
export class NeutronProxy {
  /** What stands in a configuration as Neutron's endpoint. */
  readonly address: string
  readonly heard: Heard[] = []
  /** What happens to the next one. */
  mishap: (heard: Heard) => Mishap | undefined = () => undefined
  /** Requests that are not answered yet, whether somebody still waits for it or not. */
  pending = 0
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2.0`
  }

  /** Starts one in front of a Neutron: `http://127.0.0.1:port`, without a version. */
  static async start(target: string): Promise<NeutronProxy> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const proxy = new NeutronProxy(server)
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      proxy.pending += 1
      const ended = (): void => {
        proxy.pending -= 1
      }
      void proxy
        .#pass(target, request, response)
        .catch(() => request.socket.destroy())
        .finally(ended)
    })
    return proxy
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  async #pass(target: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', socket } = request
    const body = await textOf(request)
    const [path = '/'] = url.split('?')
    const heard = { method, path, token: String(request.headers['x-auth-token'] ?? '') }
    this.heard.push(heard)
    const mishap = this.mishap(heard)
    if (mishap?.kind === 'cut') return void socket.destroy()
    if (mishap?.kind === 'refused') return void response.writeHead(mishap.status).end()
    if (mishap?.kind === 'late') await Bun.sleep(mishap.by)
    const answer = await forward(`${target}${url}`, request, body)
    if (mishap?.kind === 'cut-after') return void socket.destroy()
    if (mishap?.kind === 'lost') return void response.writeHead(mishap.status).end()
    const bytes = Buffer.from(await answer.arrayBuffer())
    const headers = [...answer.headers].filter(([name]) => !OF_A_CONNECTION.has(name))
    const hasBody = answer.status !== 204
    response.writeHead(answer.status, [...headers, ...(hasBody ? [['content-length', `${bytes.length}`]] : [])].flat())
    if (mishap?.kind !== 'half') return void response.end(bytes)
    response.flushHeaders()
    response.write(bytes.subarray(0, bytes.length / 2), () => socket.destroy())
  }
}

function forward(url: string, { method = 'GET', headers }: IncomingMessage, body: string): Promise<Response> {
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || OF_A_CONNECTION.has(name) ? [] : [[name, String(value)] satisfies [string, string]],
  )
  const sent = method === 'GET' || method === 'DELETE' ? {} : { body }
  return fetch(url, { method, headers: kept, ...sent, keepalive: false, redirect: 'manual' })
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks).toString('utf8')
}
