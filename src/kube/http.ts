/**
 * One request to the API server and its answer: TLS, credentials, deadlines, and who may be asked again.
 * @module
 */
import { sleep } from '../registry/backoff.ts'
import type { GivenOutOptions } from './account/given-out.ts'
import { Identity, isSameTls, type Proof, type TlsMaterial } from './account/identity.ts'
import { readBody, textOf } from './body.ts'
import { callOf, type OnCall, type RequestLine } from './call.ts'
import type { KubeConfig } from './config.ts'
import { connectionError, ended, isDistrust, unavailable } from './connection-error.ts'
import { Deadline } from './deadline.ts'
import { parseJson } from './decode.ts'
import { KubeError } from './errors.ts'
import type { Fields } from './fields.ts'
import { ListReader } from './list-reader.ts'
import { parseRetryAfter, statusError } from './status.ts'

/** How an {@link HttpTransport} behaves. Times are in milliseconds. */
export interface HttpOptions {
  /** When a call without a complete answer fails, waiting for the server's `Retry-After` included. 60 s when absent. */
  readonly deadline?: number
  /** The longest answer in bytes. Lists are read item by item and may be longer. */
  readonly maxBody?: number
  readonly userAgent?: string
  /** Is told of every request on a resource. */
  readonly onCall?: OnCall
  readonly now?: () => number
  readonly random?: () => number
  /** Runs a credential plugin and gives what it prints. */
  readonly runPlugin?: GivenOutOptions['run']
}

/** A request as the API understands it. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the server's address. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
  readonly contentType?: string
  readonly signal?: AbortSignal | undefined
}

const DEADLINE = 60_000
const MAX_BODY = 128 << 20
/** Of what is not kept as a whole: a million pods. */
const MAX_STREAM = 4 * 2 ** 30
/** How often a server that asks to be called again is. */
const MOST_ATTEMPTS = 4

/** Requests to one API server. Every failure is a KubeError. */
export class HttpTransport {
  readonly #config: KubeConfig
  readonly #options: HttpOptions
  readonly #identity: Identity
  #session: { readonly tls: TlsMaterial; readonly session: Bun.FetchSession } | undefined

  constructor(config: KubeConfig, options: HttpOptions) {
    this.#config = config
    this.#options = options
    const run = options.runPlugin === undefined ? {} : { run: options.runPlugin }
    this.#identity = new Identity(config, { now: () => this.#now(), ...run })
  }

  /** Gives back idle connections. */
  close(): void {
    this.#session?.session.close()
  }

  /** A JSON answer. Waits and asks again while the server says when, as far as the deadline reaches. */
  json(request: HttpRequest): Promise<unknown> {
    const { maxBody = MAX_BODY } = this.#options
    return this.#answer(request, async (body) => parseJson(await textOf(body(maxBody))))
  }

  /**
   * A list as {@link json}, without its items: `onItem` gets each of them as soon as it is there. It gets them anew when
   * `onStart` was called again.
   */
  items(request: HttpRequest, onStart: () => void, onItem: (item: unknown) => void): Promise<Fields> {
    return this.#answer(request, async (body) => {
      onStart()
      const reader = new ListReader(onItem)
      const decoder = new TextDecoder()
      for await (const chunk of body(MAX_STREAM)) reader.push(decoder.decode(chunk, { stream: true }))
      reader.push(decoder.decode())
      return reader.end()
    })
  }

  async #answer<T>(request: HttpRequest, use: (body: (most: number) => AsyncIterable<Uint8Array>) => Promise<T>) {
    const { deadline = DEADLINE, random = Math.random } = this.#options
    const end = this.#now() + deadline
    for (let attempt = 1; ; attempt += 1) {
      const limit = new Deadline(request.signal, Math.max(1, end - this.#now()))
      try {
        const response = await this.#authorized(request, limit)
        return await use((most) => readBody(response, most, limit))
      } catch (error) {
        const pause = pauseBefore(error, request.method)
        if (pause === undefined || attempt === MOST_ATTEMPTS || this.#now() + pause >= end) throw error
        // Not all of those who were told the same second in the same moment.
        await sleep(pause + random() * Math.min(1000, pause), request.signal ?? NEVER)
      } finally {
        limit.clear()
      }
    }
  }

  /** The body of an answer that goes on. Its head must come within the deadline; `signal` ends the body. */
  async stream(request: HttpRequest & { readonly signal: AbortSignal }): Promise<ReadableStream<Uint8Array>> {
    const limit = new Deadline(request.signal, this.#options.deadline ?? DEADLINE)
    try {
      const { body } = await this.#authorized(request, limit, request.signal)
      if (body === null) throw unavailable('the API server sent an empty answer')
      return body
    } finally {
      limit.clear()
    }
  }

  /** Asks once more where what proves who we are was replaced meanwhile. */
  async #authorized(request: HttpRequest, limit: Deadline, bodySignal?: AbortSignal): Promise<Response> {
    const proof = await this.#identity.current(limit.signal)
    const first = await this.#trusted(request, proof, limit, bodySignal)
    if (first.status !== 401) return this.#accepted(first, proof, limit)
    const renewed = await this.#identity.afterRefusal(proof, limit.signal)
    if (renewed === undefined) return this.#accepted(first, proof, limit)
    await first.body?.cancel().catch(() => undefined)
    return this.#accepted(await this.#send(request, renewed, limit, bodySignal), renewed, limit)
  }

  /** Asks once more where the authority that vouches for the server was replaced meanwhile. */
  async #trusted(request: HttpRequest, proof: Proof, limit: Deadline, bodySignal?: AbortSignal): Promise<Response> {
    try {
      return await this.#send(request, proof, limit, bodySignal)
    } catch (error) {
      const renewed = isDistrust(error) ? this.#identity.afterDistrust(proof) : undefined
      if (renewed === undefined) throw error
      return this.#send(request, renewed, limit, bodySignal)
    }
  }

  async #accepted(response: Response, proof: Proof, limit: Deadline): Promise<Response> {
    if (response.ok) return response
    throw await this.#failureOf(response, proof, limit)
  }

  async #send(
    { method, path, query = {}, body, contentType, signal }: HttpRequest,
    { token, tls }: Proof,
    limit: Deadline,
    bodySignal: AbortSignal | undefined,
  ): Promise<Response> {
    this.#tell({ method, path, query })
    const headers: Record<string, string> = {
      accept: 'application/json',
      'user-agent': this.#options.userAgent ?? 'weft',
    }
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`
    if (body !== undefined) headers['content-type'] = contentType ?? 'application/json'
    try {
      return await this.#sessionFor(tls).fetch(`${this.#config.server}${path}${queryText(query)}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: limit.until(bodySignal),
        ...(this.#config.socket === undefined ? {} : { unix: this.#config.socket }),
        // Our credentials are for this server alone.
        redirect: 'manual',
        proxy: this.#config.proxy === undefined ? false : { url: this.#config.proxy(), respectNoProxy: false },
        // Bun ends an answer that is quiet for six minutes; the deadlines here are our own.
        timeout: false,
      })
    } catch (cause) {
      if (signal?.aborted === true) throw ended()
      if (limit.passed) throw unavailable('the API server did not answer in time')
      throw connectionError(cause)
    }
  }

  #tell(request: RequestLine): void {
    const call = this.#options.onCall === undefined ? undefined : callOf(request)
    if (call !== undefined) this.#options.onCall?.(call)
  }

  async #failureOf(response: Response, { token }: Proof, limit: Deadline): Promise<KubeError> {
    const retryAfter = parseRetryAfter(response.headers.get('retry-after'), Date.now())
    const text = await textOf(readBody(response, 1 << 20, limit)).catch(() => '')
    const head = { status: response.status, retryAfter }
    // A server or a proxy may repeat what it was sent.
    const isSecret = (value: unknown): value is string => typeof value === 'string' && token !== undefined
    const masked = (_: string, value: unknown): unknown =>
      isSecret(value) ? value.replaceAll(token ?? '', '…') : value
    try {
      return statusError(JSON.parse(text, masked), head)
    } catch {
      return statusError(undefined, head)
    }
  }

  /** Connections that were made with what is no longer ours are not used again; calls on them finish. */
  #sessionFor(tls: TlsMaterial): Bun.FetchSession {
    if (this.#session !== undefined && isSameTls(this.#session.tls, tls)) return this.#session.session
    this.#session?.session.close()
    const { ca, cert, key } = tls
    const { serverName, insecure } = this.#config
    const session = new Bun.FetchSession({
      tls: {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(serverName === undefined ? {} : { serverName }),
        rejectUnauthorized: insecure !== true,
      },
    })
    this.#session = { tls, session }
    return session
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now()
  }
}

const NEVER = new AbortController().signal

/** How long to wait before asking again, or undefined when that is not for us to do. */
function pauseBefore(error: unknown, method: string): number | undefined {
  if (!(error instanceof KubeError) || error.retryAfter === undefined) return undefined
  // A server that says 429 has done nothing yet; of any other refusal only a read is sure not to be done twice.
  return error.status === 429 || (error.status === 503 && method === 'GET') ? error.retryAfter : undefined
}

function queryText(query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}
