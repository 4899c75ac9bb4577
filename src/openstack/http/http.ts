/**
 * One call to a service over HTTP: TLS, time limits, a bounded answer, and another attempt where one does no harm. What an
 * answer means is for others.
 * @module
 */
import { Backoff, sleep } from '../../registry/backoff.ts'
import { Deadline } from '../../registry/deadline.ts'
import type { Tls } from '../config/model.ts'
import { ended, garbage, OpenStackError, type OpenStackService } from '../errors.ts'
import { type HttpLimits, LIMITS } from './limits.ts'
import { askedPause, type Failure, isUncertain, mayTryAgain } from './retry.ts'

/** A call. */
export interface HttpCall {
  readonly service: OpenStackService
  /** What it is for, as it follows "did not": `create a port on network …`. */
  readonly doing: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
  readonly body?: string
  /** How many objects it is about, where they are many: each has its time. */
  readonly objects?: number
  /** Doing it twice is as doing it once. */
  readonly isSafe: boolean
  /** Whether the connection is used again. Some servers cut it without a word, and a call that may not be repeated was lost. */
  readonly keepAlive?: boolean
  readonly signal?: AbortSignal | undefined
}

/** What a service answered, whatever its status. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** What calls depend on beside the server. */
export interface HttpOptions {
  readonly limits?: Partial<HttpLimits>
  readonly random?: () => number
  readonly userAgent?: string
  /** Pauses between attempts. */
  readonly firstPause?: number
}

/** Nobody was reached with these. */
const UNSENT = /^(ECONNREFUSED|ConnectionRefused|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|FailedToOpenSocket)$/

/** Calls under one TLS configuration. Every failure is an OpenStackError. */
export class OpenStackHttp {
  readonly #session: Bun.FetchSession
  readonly #limits: HttpLimits
  readonly #options: HttpOptions

  constructor({ ca, cert, key, verify }: Tls, options: HttpOptions = {}) {
    this.#options = options
    this.#limits = { ...LIMITS, ...options.limits }
    this.#session = new Bun.FetchSession({
      tls: {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key: key.reveal() }),
        rejectUnauthorized: verify,
      },
    })
  }

  /** Gives back idle connections. */
  close(): void {
    this.#session.close()
  }

  /** The answer to a call: the first one that no other attempt could better, or the last one. */
  async send(call: HttpCall): Promise<HttpAnswer> {
    const { total, attempts } = this.#limits
    const { random = Math.random, firstPause = 200 } = this.#options
    const backoff = new Backoff(random, { first: firstPause, most: 5_000 })
    const whole = new Deadline(call.signal, total + this.#moreFor(call))
    try {
      for (let attempt = 1; ; attempt += 1) {
        const { failure, outcome } = await this.#attempt(call, whole)
        if (failure === undefined) return outcome()
        const isLast = attempt >= attempts || whole.signal.aborted || !mayTryAgain(failure, call.isSafe)
        if (isLast) return outcome()
        const pause = backoff.next()
        await sleep(Math.max(pause, askedPause(failure, Date.now()) ?? 0), whole.signal)
        if (whole.signal.aborted) return outcome()
      }
    } finally {
      whole.clear()
    }
  }

  /** One attempt: whether it failed, and what comes of the call if it was the last one. */
  async #attempt(
    call: HttpCall,
    whole: Deadline,
  ): Promise<{ readonly failure?: Failure; readonly outcome: () => HttpAnswer }> {
    const limit = new Deadline(whole.signal, this.#limits.attempt + this.#moreFor(call))
    try {
      const response = await this.#fetch(call, limit)
      const text = await this.#text(response, call, limit)
      const { status, headers } = response
      const answer = { status, headers, text }
      const isPassing = status === 429 || status >= 500
      const failure = { status, retryAfter: headers.get('retry-after') }
      return isPassing ? { failure, outcome: () => answer } : { outcome: () => answer }
    } catch (cause) {
      if (cause instanceof OpenStackError) throw cause
      const failure = { isUnsent: UNSENT.test(codeOf(cause)) }
      const isOver = limit.passed || whole.passed
      return {
        failure,
        outcome: () => {
          const details = { cause, service: call.service, isUncertain: isUncertain(failure, call.isSafe) }
          if (call.signal?.aborted === true) throw ended(call.doing, details)
          throw connectionError(call, codeOf(cause), isOver, { ...details, ...failure })
        },
      }
    } finally {
      limit.clear()
    }
  }

  #moreFor({ objects = 1 }: HttpCall): number {
    return this.#limits.each * Math.max(0, objects - 1)
  }

  #fetch({ method, url, headers, body, keepAlive = true }: HttpCall, limit: Deadline): Promise<Response> {
    return this.#session.fetch(url, {
      method,
      headers: {
        accept: 'application/json',
        'user-agent': this.#options.userAgent ?? 'weft',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      signal: limit.signal,
      keepalive: keepAlive,
      // Our token is for this server alone.
      redirect: 'manual',
      proxy: false,
      // Bun ends an answer that is quiet for minutes; the limits here are our own.
      timeout: false,
    })
  }

  /** A body as text. Throws when it is larger than it may be, breaks off, or takes too long. */
  async #text(response: Response, { service, doing, isSafe }: HttpCall, limit: Deadline): Promise<string> {
    if (response.body === null) return ''
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      if (limit.signal.aborted) throw new Error('aborted')
      size += chunk.length
      if (size > this.#limits.body) {
        throw garbage(service, `an answer without an end to the attempt to ${doing}`, { isUncertain: !isSafe })
      }
      chunks.push(chunk)
    }
    return Buffer.concat(chunks).toString('utf8')
  }
}

function connectionError(
  { service, doing, url, isSafe }: HttpCall,
  code: string,
  isOver: boolean,
  details: { readonly cause: unknown; readonly isUnsent: boolean; readonly isUncertain: boolean },
): OpenStackError {
  const { host } = new URL(url)
  const did = details.isUncertain ? `it is not known whether ${service} did` : `${service} did not`
  const why = isOver ? `${host} gave no whole answer in time` : `the connection to ${host} failed (${code})`
  const remedy = /CERT|SELF_SIGNED|TLS|SSL|ISSUER|ALTNAME/.test(code)
    ? "give the authority's certificate (cacert, OS_CACERT), and check the names in the server's own"
    : `check that ${service} runs at ${host}, and that this machine reaches it`
  return new OpenStackError('OPENSTACK_UNAVAILABLE', `${did} ${doing}: ${why}`, remedy, {
    ...details,
    service,
    isUncertain: !isSafe && details.isUncertain,
  })
}

function codeOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
  return /^[\w.-]{1,80}$/.test(code) ? code : 'unknown'
}
