/**
 * Proxies between the playground's programs and its API server: they write down who asked for what and what was
 * delivered, and do with answers what no server can be asked to do.
 * @module
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Server, Socket } from 'node:net'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { parse, stringify } from 'yaml'
import type { Layout } from '../../src/playground/layout.ts'
import { eventually, type Lab } from './lab.ts'

/** A request that came by, and what was delivered to whoever sent it. Times are `performance.now()`. */
export interface Passage {
  at: number
  /** `GET /api/v1/services?watch=true…` */
  readonly line: string
  /** The plural of what was asked for. */
  readonly resource: string
  /** `part` looks whether the server is at a revision: a list of one object. */
  readonly verb: 'list' | 'part' | 'watch' | 'other'
  /** A watch's events. */
  readonly events: { readonly at: number; readonly type: string }[]
  closedAt: number | undefined
}

/** What becomes of a request and of its answer. */
export type Fault =
  | { readonly kind: 'none' }
  /** The request goes no further: these bytes are the answer, and then the connection ends. */
  | { readonly kind: 'answer'; readonly bytes: () => Uint8Array }
  /** What the server sends, so many bytes at a time. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly every: number }
  /** Nothing arrives until there is another fault; nothing is lost either. */
  | { readonly kind: 'hold' }
  /** What the server sends, changed. */
  | { readonly kind: 'change'; readonly change: (chunk: Buffer) => Uint8Array }
  /** Every answer ends after so many bytes. */
  | { readonly kind: 'cut'; readonly after: number }
  /** The request arrives with another token. */
  | { readonly kind: 'token' }
  /** Another one for every request. */
  | { readonly kind: 'each'; readonly next: () => Fault }

/** A proxy of one program. */
export class ApiProxy {
  readonly path: string
  readonly passages: Passage[] = []
  #fault: Fault = { kind: 'none' }
  readonly #sockets = new Set<Socket>()
  readonly #links = new Set<Link>()
  readonly #server: Server

  /** Listens on `path` and leads to the server of a playground. */
  constructor(path: string, { apiSocket, apiDir }: Layout) {
    this.path = path
    rmSync(path, { force: true })
    const [cert, key, ca] = ['server.crt', 'server.key', 'ca.crt'].map((name) => readFileSync(join(apiDir, name)))
    this.#server = createServer({ cert, key }, (client) => {
      const upstream = connect({ path: apiSocket, ca, servername: 'localhost' })
      const link = new Link(client, upstream, this.passages, () => this.#fault)
      this.#links.add(link)
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket)
        socket.on('close', () => this.#sockets.delete(socket))
      }
      client.on('close', () => this.#links.delete(link))
    })
    this.#server.listen(path)
  }

  /** For requests to come and for answers under way. */
  set fault(fault: Fault) {
    this.#fault = fault
    for (const link of this.#links) link.deliver()
  }

  /** Breaks every connection off. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Watches that are open. */
  get watches(): readonly Passage[] {
    return this.passages.filter(({ verb, closedAt }) => verb === 'watch' && closedAt === undefined)
  }

  close(): void {
    this.#server.close()
    this.cut()
    rmSync(this.path, { force: true })
  }
}

/** Puts a proxy between the API server and each of these roles; they are started again with its address. */
export async function throughProxies(lab: Lab, roles: readonly string[]): Promise<ReadonlyMap<string, ApiProxy>> {
  const { runDir, socketKubeconfig, kubeconfig: common } = lab.layout
  const config = parse(readFileSync(socketKubeconfig, 'utf8'))
  const proxies = new Map<string, ApiProxy>()
  for (const role of roles) {
    const proxy = new ApiProxy(join(runDir, `${role}-api.sock`), lab.layout)
    const kubeconfig = join(runDir, `${role}.kubeconfig`)
    config.clusters[0].cluster['proxy-url'] = `unix://${proxy.path}`
    writeFileSync(kubeconfig, stringify(config), { mode: 0o600 })
    proxies.set(role, proxy)
    const argv = [...lab.commandOf(role)]
    const option = argv.indexOf('--kubeconfig') + 1
    if (option > 0) argv[option] = kubeconfig
    // The daemon reads the playground's own file, once.
    else await whileReplaced(common, kubeconfig, () => again(lab, role, argv, proxy))
    if (option > 0) await again(lab, role, argv, proxy)
  }
  return proxies
}

async function again(lab: Lab, role: string, argv: readonly string[], { passages }: ApiProxy): Promise<void> {
  lab.kill(role)
  lab.start(role, argv)
  await eventually(`${role} asks for something`, () => passages.length > 0)
}

async function whileReplaced(path: string, by: string, work: () => Promise<void>): Promise<void> {
  const before = readFileSync(path)
  writeFileSync(path, readFileSync(by))
  try {
    await work()
  } finally {
    writeFileSync(path, before)
  }
}

/** One connection. HTTP/1.1 without pipelining: a request begins a chunk. */
class Link {
  readonly #client: Socket
  readonly #common: () => Fault
  /** This request's own, as long as every request has one. */
  #own: Fault | undefined
  readonly #waiting: Buffer[] = []
  #passage: Passage | undefined
  #delivered = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(client: Socket, upstream: Socket, passages: Passage[], fault: () => Fault) {
    this.#client = client
    this.#common = fault
    client.on('data', (chunk: Buffer) => {
      const head = /^([A-Z]+ (\S+)) HTTP\/1\.1\r\n/.exec(chunk.subarray(0, 4096).toString('latin1'))
      if (head !== null) {
        this.#delivered = 0
        this.#end()
        this.#passage = passageOf(head[1] ?? '', head[2] ?? '')
        passages.push(this.#passage)
        const common = fault()
        this.#own = common.kind === 'each' ? common.next() : undefined
      }
      const now = this.#fault()
      if (now.kind === 'answer') client.end(now.bytes())
      else upstream.write(now.kind === 'token' ? withoutToken(chunk) : chunk)
    })
    upstream.on('data', (chunk: Buffer) => {
      this.#waiting.push(chunk)
      this.deliver()
    })
    upstream.on('close', () => {
      if (this.#waiting.length === 0) client.end()
    })
    client.on('close', () => {
      clearTimeout(this.#timer)
      this.#end()
      upstream.destroy()
    })
    for (const socket of [client, upstream]) socket.on('error', () => client.destroy())
  }

  /** Passes on what waits, as the present fault has it. */
  deliver(): void {
    const fault = this.#fault()
    if (fault.kind === 'hold') return
    if (fault.kind === 'drip') {
      this.#timer ??= setTimeout(() => this.#drip(), fault.every)
      return
    }
    for (const chunk of this.#waiting.splice(0)) this.#pass(chunk, fault)
  }

  #fault(): Fault {
    const common = this.#common()
    return common.kind === 'each' ? (this.#own ?? { kind: 'none' }) : common
  }

  #drip(): void {
    this.#timer = undefined
    const fault = this.#fault()
    const [chunk] = this.#waiting
    if (fault.kind === 'drip' && chunk !== undefined) {
      this.#waiting.shift()
      if (chunk.length > fault.bytes) this.#waiting.unshift(chunk.subarray(fault.bytes))
      this.#pass(chunk.subarray(0, fault.bytes), fault)
    }
    if (this.#waiting.length > 0) this.deliver()
  }

  #pass(chunk: Buffer, fault: Fault): void {
    this.#delivered += chunk.length
    if (fault.kind === 'cut' && this.#delivered > fault.after) {
      this.#client.end(chunk.subarray(0, Math.max(0, chunk.length - (this.#delivered - fault.after))))
      return
    }
    this.#note(chunk)
    this.#client.write(fault.kind === 'change' ? fault.change(chunk) : chunk)
  }

  #note(chunk: Buffer): void {
    if (this.#passage?.verb !== 'watch') return
    for (const [, type = ''] of chunk.toString('latin1').matchAll(/\{"type":"([A-Z]+)","object"/g)) {
      this.#passage.events.push({ at: performance.now(), type })
    }
  }

  #end(): void {
    if (this.#passage !== undefined) this.#passage.closedAt = performance.now()
  }
}

function passageOf(line: string, target: string): Passage {
  const { pathname, searchParams } = new URL(target, 'http://api')
  const resource = /\/([a-z]+)$/.exec(pathname)?.[1] ?? ''
  const isCollection = /^\/(api|apis\/[^/]+)\/[^/]+\/(namespaces\/[^/]+\/)?[a-z]+$/.test(pathname)
  const isRead = line.startsWith('GET ') && isCollection
  const reading = searchParams.has('watch') ? 'watch' : searchParams.get('limit') === '1' ? 'part' : 'list'
  const verb = isRead ? reading : 'other'
  return { at: performance.now(), line, resource, verb, events: [], closedAt: undefined }
}

function withoutToken(chunk: Buffer): Buffer {
  return Buffer.from(
    chunk.toString('latin1').replace(/^(authorization: bearer )\S/im, (_, head) => `${head}x`),
    'latin1',
  )
}
