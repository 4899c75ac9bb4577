/**
 * One request to the API server and its answer: TLS, credentials, deadlines, and who may be asked again.
 * @module
 */
import { sleep } from '../registry/backoff.ts'
import { callOf, type OnCall, type RequestLine } from './call.ts'
import { type KubeConfig, readTokenFile } from './config.ts'
import { Deadline } from './deadline.ts'
import { parseJson } from './decode.ts'
import { KubeError } from './errors.ts'
import { parseRetryAfter, statusError } from './status.ts'

/** How an {@link HttpTransport} behaves. Times are in milliseconds. */
export interface HttpOptions {
  /** When a call without a complete answer fails, waiting for the server's `Retry-After` included. 60 s when absent. */
  readonly deadline?: number
  /** The longest answer in bytes, of a page of a list too. */
  readonly maxBody?: number
  readonly userAgent?: string
  /** Is told of every request on a resource. */
  readonly onCall?: OnCall
  readonly now?: () => number
  readonly random?: () => number
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
/** How often a server that asks to be called again is. */
const MOST_ATTEMPTS = 4
/** How old a token from a file may be. */
const TOKEN_AGE = 10_000

/** Requests to one API server. Every failure is a KubeError. */
export class HttpTransport {
  readonly #config: KubeConfig
  readonly #options: HttpOptions
  readonly #session: Bun.FetchSession
  #token: { readonly text: string; readonly readAt: number } | undefined

  constructor(config: KubeConfig, options: HttpOptions) {
    this.#config = config
    this.#options = options
    const { cert, key } = config.credentials()
    this.#session = new Bun.FetchSession({
      tls: {
        ...(config.ca === undefined ? {} : { ca: config.ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(config.serverName === undefined ? {} : { serverName: config.serverName }),
        rejectUnauthorized: config.insecure !== true,
      },
    })
  }

  /** Gives back idle connections. */
  close(): void {
    this.#session.close()
  }

  /** A JSON answer. Waits and asks again while the server says when, as far as the deadline reaches. */
  async json(request: HttpRequest): Promise<unknown> {
    const { deadline = DEADLINE, maxBody = MAX_BODY, random = Math.random } = this.#options
    const end = this.#now() + deadline
    for (let attempt = 1; ; attempt += 1) {
      const limit = new Deadline(request.signal, Math.max(1, end - this.#now()))
      try {
        const response = await this.#authorized(request, limit)
        return parseJson(await readText(response, maxBody, limit))
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

  /** Asks once more with a fresh token where an old one was refused. */
  async #authorized(request: HttpRequest, limit: Deadline, bodySignal?: AbortSignal): Promise<Response> {
    const used = this.#tokenText(TOKEN_AGE)
    const response = await this.#send(request, used, limit, bodySignal)
    if (response.ok) return response
    if (response.status === 401 && this.#config.tokenFile !== undefined) {
      const fresh = this.#tokenText(0)
      if (fresh !== used) {
        await response.body?.cancel().catch(() => undefined)
        const second = await this.#send(request, fresh, limit, bodySignal)
        if (second.ok) return second
        throw await this.#failureOf(second, limit)
      }
    }
    throw await this.#failureOf(response, limit)
  }

  async #send(
    { method, path, query = {}, body, contentType, signal }: HttpRequest,
    token: string | undefined,
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
      return await this.#session.fetch(`${this.#config.server}${path}${queryText(query)}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: limit.until(bodySignal),
        ...(this.#config.socket === undefined ? {} : { unix: this.#config.socket }),
        // Our credentials are for this server alone.
        redirect: 'manual',
        proxy: false,
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

  async #failureOf(response: Response, limit: Deadline): Promise<KubeError> {
    const retryAfter = parseRetryAfter(response.headers.get('retry-after'), Date.now())
    const text = await readText(response, 1 << 20, limit).catch(() => '')
    const head = { status: response.status, retryAfter }
    try {
      return statusError(JSON.parse(text), head)
    } catch {
      return statusError(undefined, head)
    }
  }

  #tokenText(maxAge: number): string | undefined {
    const { tokenFile, credentials } = this.#config
    if (tokenFile === undefined) return credentials().token
    const now = this.#now()
    if (this.#token === undefined || now - this.#token.readAt >= maxAge) {
      this.#token = { text: readTokenFile(tokenFile), readAt: now }
    }
    return this.#token.text
  }

  #now(): number {
    return this.#options.now?.() ?? performance.now()
  }
}

const NEVER = new AbortController().signal

/** A body as text. Throws when it is larger than `most` bytes, breaks off, or takes too long. */
async function readText(response: Response, most: number, limit: Deadline): Promise<string> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      if (limit.signal.aborted) throw new Error('aborted')
      size += chunk.length
      if (size > most) throw unavailable('the API server sent an answer without an end')
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof KubeError) throw cause
    if (limit.passed) throw unavailable('the API server did not answer in time')
    throw limit.signal.aborted ? ended() : connectionError(cause)
  }
  return Buffer.concat(chunks).toString('utf8')
}

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

function connectionError(cause: unknown): KubeError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
  const remedy = /CERT|SELF_SIGNED|TLS|SSL|ISSUER/.test(code)
    ? 'check the certificate authority and the server name in the kubeconfig'
    : 'check that the API server runs and that its address in the kubeconfig is right'
  return new KubeError('KUBE_UNAVAILABLE', `the connection to the API server failed (${code.slice(0, 80)})`, remedy, {
    cause,
  })
}

function ended(): KubeError {
  return new KubeError('KUBE_UNAVAILABLE', 'the call was ended before its answer came', 'nothing: it was asked for')
}

function unavailable(message: string): KubeError {
  return new KubeError('KUBE_UNAVAILABLE', message, 'try again later; if it stays, look at the log of the API server')
}
