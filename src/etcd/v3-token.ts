/**
 * The token that a user's password is exchanged for. It ends after some minutes without use, with a restart of etcd, and
 * when somebody changes an account: whoever is refused asks for a new one.
 * @module
 */

import type { EtcdCredentials } from './config.ts'
import { textOf } from './decode.ts'
import { EtcdError } from './errors.ts'
import type { EtcdHttp } from './http.ts'
import { v3Fields } from './v3-decode.ts'

/** One account's token. */
export class V3Token {
  readonly #http: EtcdHttp
  readonly #credentials: () => EtcdCredentials
  #text: string | undefined
  #pending: Promise<string | undefined> | undefined

  constructor(http: EtcdHttp, credentials: () => EtcdCredentials) {
    this.#http = http
    this.#credentials = credentials
  }

  /** The headers of a request; without an account none. */
  async headers(): Promise<Readonly<Record<string, string>>> {
    if (this.#credentials().username === undefined) return {}
    this.#text ??= await this.#authenticate()
    return this.#text === undefined ? {} : { authorization: this.#text }
  }

  /** Makes a call, and once more with a new token when the old one is refused. */
  async with<T>(call: (headers: Readonly<Record<string, string>>) => Promise<T>): Promise<T> {
    const headers = await this.headers()
    try {
      return await call(headers)
    } catch (error) {
      const isRefused = error instanceof EtcdError && error.code === 'ETCD_UNAUTHORIZED'
      if (!isRefused || this.#credentials().username === undefined) throw error
      if (this.#text === headers['authorization']) this.#text = undefined
      return call(await this.headers())
    }
  }

  /** One at a time, however many wait for it. */
  #authenticate(): Promise<string | undefined> {
    this.#pending ??= this.#ask().finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #ask(): Promise<string | undefined> {
    const { username: name, password = '' } = this.#credentials()
    const body = JSON.stringify({ name, password })
    const request = { method: 'POST', path: '/v3/auth/authenticate', body, isSafe: true } as const
    return this.#http.call(request, (answer) => {
      // Who names a user to an etcd that asks for none is let in.
      if (answer.status === 412 || /authentication is not enabled/.test(answer.text)) return undefined
      const token = textOf(v3Fields(answer)['token'], 'a token')
      if (!/^[\x21-\x7e]{1,65536}$/.test(token))
        throw new EtcdError('ETCD_UNAUTHORIZED', 'etcd gave no token', 'try again')
      return token
    })
  }
}
