/**
 * Keystone v3: one account's token. It is asked for once for all who wait for it, renewed before its end, and asked for
 * again when a service refuses it.
 * @module
 */
import { type CloudConfig, secretsOf } from '../config/model.ts'
import { OpenStackError } from '../errors.ts'
import { faultIn } from '../faults/fault.ts'
import type { OpenStackHttp } from '../http/http.ts'
import { tokenRequest } from './request.ts'
import { type Token, tokenIn } from './token.ts'

/** What it depends on beside Keystone. */
export interface KeystoneOptions {
  /** Milliseconds that only go forward. */
  readonly now?: () => number
}

/** Renewed this long before its end at the latest, or a tenth of its life. */
const LEAST_MARGIN = 60_000
/**
 * After a refusal nobody is asked for this long. Clouds lock an account that fails several times in a row
 * (`[security_compliance] lockout_failure_attempts`), and a hundred pods would do just that.
 */
const REST = 10_000

interface Held {
  readonly token: Token
  readonly renewAt: number
}

/** One account at one Keystone. */
export class Keystone {
  readonly #http: OpenStackHttp
  readonly #config: CloudConfig
  readonly #now: () => number
  #held: Held | undefined
  #pending: Promise<Token> | undefined
  #refused: { readonly error: OpenStackError; readonly until: number } | undefined

  constructor(http: OpenStackHttp, config: CloudConfig, { now = () => performance.now() }: KeystoneOptions = {}) {
    this.#http = http
    this.#config = config
    this.#now = now
  }

  /** A token that is good for a while yet. Every failure is an OpenStackError. */
  async token(): Promise<Token> {
    if (this.#held !== undefined && this.#now() < this.#held.renewAt) return this.#held.token
    this.#pending ??= this.#renew().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  /** A service refused this token: it is not given out again. Another one that came meanwhile stays. */
  refuse(token: Token): void {
    if (this.#held?.token === token) this.#held = undefined
  }

  async #renew(): Promise<Token> {
    if (this.#refused !== undefined && this.#now() < this.#refused.until) throw this.#refused.error
    const began = this.#now()
    try {
      const token = await this.#ask()
      const margin = Math.min(Math.max(LEAST_MARGIN, token.life / 10), token.life / 2)
      this.#held = { token, renewAt: began + token.life - margin }
      this.#refused = undefined
      return token
    } catch (error) {
      const isRefusal = error instanceof OpenStackError && error.code === 'OPENSTACK_UNAUTHORIZED'
      if (isRefusal) this.#refused = { error, until: this.#now() + REST }
      throw error
    }
  }

  async #ask(): Promise<Token> {
    const { authUrl } = this.#config
    const asked = { service: 'Keystone', doing: `give out a token at ${authUrl}`, isSafe: true } as const
    const answer = await this.#http.send({
      ...asked,
      method: 'POST',
      url: `${authUrl}/auth/tokens`,
      headers: {},
      body: tokenRequest(this.#config),
      // It is one call an hour, and small Keystones cut connections that are kept.
      keepAlive: false,
    })
    const error = faultIn(answer, { ...asked, secrets: secretsOf(this.#config) })
    if (error !== undefined) throw error
    return tokenIn(answer)
  }
}
