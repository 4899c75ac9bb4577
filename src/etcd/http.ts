/**
 * One request to etcd and its answer: TLS, deadlines, and which of its members is asked.
 * @module
 */
import { Deadline } from '../registry/deadline.ts'
import type { EtcdConfig } from './config.ts'
import { EtcdError, ended, garbage, unavailable } from './errors.ts'

/** How requests behave. Times are in milliseconds. */
export interface EtcdHttpOptions {
  /** When a member without a complete answer is left for the next one. 5 s when absent. */
  readonly deadline?: number
  /** The longest answer in bytes. */
  readonly maxBody?: number
  readonly userAgent?: string
}

/** A request as etcd understands it. */
export interface EtcdRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Below the member's address, with its query. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Asking twice does no harm: another member may be asked after any failure. */
  readonly isSafe: boolean
  readonly signal?: AbortSignal | undefined
}

/** What a member answered. */
export interface EtcdAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** An answer that goes on. */
export interface EtcdStream {
  readonly headers: Headers
  readonly body: ReadableStream<Uint8Array>
}

const DEADLINE = 5_000
const MAX_BODY = 128 << 20
/** Nobody was reached with these. */
const UNSENT = /^(ECONNREFUSED|ConnectionRefused|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|FailedToOpenSocket)$/

/** Requests to the members of one etcd. Every failure is an EtcdError. */
export class EtcdHttp {
  readonly #endpoints: readonly string[]
  readonly #options: EtcdHttpOptions
  readonly #session: Bun.FetchSession
  /** The member that answered last: the others are asked when it does not. */
  #preferred = 0

  constructor(config: EtcdConfig, options: EtcdHttpOptions = {}) {
    this.#endpoints = config.endpoints
    this.#options = options
    const { cert, key } = config.credentials()
    this.#session = new Bun.FetchSession({
      tls: {
        ...(config.ca === undefined ? {} : { ca: config.ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        rejectUnauthorized: true,
      },
    })
  }

  /** Gives back idle connections. */
  close(): void {
    this.#session.close()
  }

  /** Another member is asked first from now on. */
  askAnother(): void {
    this.#preferred = (this.#preferred + 1) % this.#endpoints.length
  }

  /** What `read` makes of the first answer that is one. What it throws as `ETCD_UNAVAILABLE` is none. */
  call<T>(request: EtcdRequest, read: (answer: EtcdAnswer) => T): Promise<T> {
    return this.#first(request, async (endpoint, limit) => {
      const response = await this.#send(endpoint, request, limit)
      const text = await this.#text(endpoint, response, limit)
      return read({ status: response.status, headers: response.headers, text })
    })
  }

  /** The body of an answer that goes on, of the first member that has one. `refuse` tells what a refusal means. */
  stream(
    request: EtcdRequest & { readonly signal: AbortSignal },
    refuse: (answer: EtcdAnswer) => EtcdError,
  ): Promise<EtcdStream> {
    return this.#first(request, async (endpoint, limit) => {
      const response = await this.#send(endpoint, request, limit, request.signal)
      const { status, headers, body } = response
      if (status !== 200) throw refuse({ status, headers, text: await this.#text(endpoint, response, limit) })
      if (body === null) throw garbage('an empty answer')
      return { headers, body }
    })
  }

  async #first<T>(
    { isSafe, signal }: EtcdRequest,
    attempt: (endpoint: string, limit: Deadline) => Promise<T>,
  ): Promise<T> {
    const count = this.#endpoints.length
    const start = this.#preferred
    const failures: EtcdError[] = []
    for (let step = 0; step < count; step += 1) {
      const index = (start + step) % count
      const limit = new Deadline(signal, this.#options.deadline ?? DEADLINE)
      try {
        const answer = await attempt(this.#endpoints[index] ?? '', limit)
        this.#preferred = index
        return answer
      } catch (error) {
        if (signal?.aborted === true) throw ended()
        if (!(error instanceof EtcdError) || error.code !== 'ETCD_UNAVAILABLE') throw error
        failures.push(error)
        // The next request does not wait for this member once more.
        this.#preferred = (index + 1) % count
        if (!isSafe && !error.isUnsent) break
      } finally {
        limit.clear()
      }
    }
    throw together(failures)
  }

  async #send(
    endpoint: string,
    { method, path, headers = {}, body, signal }: EtcdRequest,
    limit: Deadline,
    bodySignal?: AbortSignal,
  ): Promise<Response> {
    try {
      return await this.#session.fetch(`${endpoint}${path}`, {
        method,
        headers: { accept: 'application/json', 'user-agent': this.#options.userAgent ?? 'weft', ...headers },
        ...(body === undefined ? {} : { body }),
        signal: limit.until(bodySignal),
        // Our credentials are for these members alone.
        redirect: 'manual',
        proxy: false,
        // Bun ends an answer that is quiet for six minutes; the deadlines here are our own.
        timeout: false,
      })
    } catch (cause) {
      if (signal?.aborted === true) throw ended()
      throw connectionError(endpoint, cause, limit)
    }
  }

  /** A body as text. Throws when it is larger than it may be, breaks off, or takes too long. */
  async #text(endpoint: string, response: Response, limit: Deadline): Promise<string> {
    if (response.body === null) return ''
    const { maxBody = MAX_BODY } = this.#options
    const chunks: Uint8Array[] = []
    let size = 0
    try {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        if (limit.signal.aborted) throw new Error('aborted')
        size += chunk.length
        if (size > maxBody) throw garbage('an answer without an end')
        chunks.push(chunk)
      }
    } catch (cause) {
      if (cause instanceof EtcdError) throw cause
      throw connectionError(endpoint, cause, limit)
    }
    return Buffer.concat(chunks).toString('utf8')
  }
}

function connectionError(endpoint: string, cause: unknown, limit: Deadline): EtcdError {
  if (limit.passed) return unavailable(`etcd at ${endpoint} did not answer in time`)
  const code = (cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown').slice(0, 80)
  const message = `the connection to etcd at ${endpoint} failed (${code})`
  const remedy = /CERT|SELF_SIGNED|TLS|SSL|ISSUER|ALTNAME/.test(code)
    ? 'check --etcd-cafile, and the names in the server’s certificate'
    : 'check that etcd runs, and its address in --etcd-endpoints'
  return new EtcdError('ETCD_UNAVAILABLE', message, remedy, { cause, isUnsent: UNSENT.test(code) })
}

/** What every member had to say, as one error. */
function together(failures: readonly EtcdError[]): EtcdError {
  const [first, ...others] = failures
  if (first === undefined) return unavailable('there is no etcd to ask')
  if (others.length === 0) return first
  const isUnsent = failures.every((failure) => failure.isUnsent)
  const messages = [...new Set(failures.map(({ message }) => message))].slice(0, 5)
  return new EtcdError('ETCD_UNAVAILABLE', messages.join('; '), first.remedy, { cause: first, isUnsent })
}
