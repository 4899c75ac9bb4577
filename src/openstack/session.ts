/**
 * Calls on Neutron in the name of one account: where it is, the token, and one more attempt with a new token when the old one
 * is refused.
 * @module
 */
import { neutronAddress } from './config/address.ts'
import { type CloudConfig, secretsOf } from './config/model.ts'
import { ended } from './errors.ts'
import { faultIn } from './faults/fault.ts'
import { type HttpAnswer, type HttpCall, type HttpOptions, OpenStackHttp } from './http/http.ts'
import { endpointIn } from './keystone/catalogue.ts'
import { Keystone, type KeystoneOptions } from './keystone/keystone.ts'
import type { Token } from './keystone/token.ts'

/** A call on Neutron. */
export interface NeutronCall extends Pick<HttpCall, 'doing' | 'method' | 'isSafe' | 'objects' | 'signal'> {
  /** Below `/v2.0`, with its query: `/ports?name=a`. */
  readonly path: string
  readonly body?: unknown
  /** The revision that the object has to have. */
  readonly revision?: number | undefined
}

/** How a session behaves. */
export interface SessionOptions extends HttpOptions, KeystoneOptions {}

/** One account on one cloud. */
export class OpenStackSession {
  readonly #config: CloudConfig
  readonly #http: OpenStackHttp
  readonly #keystone: Keystone

  constructor(config: CloudConfig, options: SessionOptions = {}) {
    this.#config = config
    this.#http = new OpenStackHttp(config.tls, options)
    this.#keystone = new Keystone(this.#http, config, options)
  }

  /** Gives back idle connections. */
  close(): void {
    this.#http.close()
  }

  /** The project that the token is for; undefined for other scopes. */
  async projectId(): Promise<string | undefined> {
    return (await this.#keystone.token()).projectId
  }

  /** Neutron's answer that says success. Every failure is an OpenStackError. */
  async neutron(call: NeutronCall): Promise<HttpAnswer> {
    const token = await orEnded(this.#keystone.token(), call)
    const answer = await this.#send(call, token)
    if (answer.status !== 401) return this.#judged(call, answer, token)
    // A refusal of the token is certain: nothing was done, whatever was asked.
    this.#keystone.refuse(token)
    const fresh = await orEnded(this.#keystone.token(), call)
    return this.#judged(call, await this.#send(call, fresh), fresh)
  }

  #send(call: NeutronCall, token: Token): Promise<HttpAnswer> {
    const { doing, method, isSafe, objects, signal, path, body, revision } = call
    return this.#http.send({
      service: 'Neutron',
      doing,
      method,
      isSafe,
      ...(objects === undefined ? {} : { objects }),
      signal,
      url: `${this.#address(token)}${path}`,
      headers: {
        'x-auth-token': token.id.reveal(),
        ...(revision === undefined ? {} : { 'if-match': `revision_number=${revision}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // What may not be done twice gets a connection of its own: one that was kept may be cut at the moment of its use.
      keepAlive: isSafe,
    })
  }

  #judged({ doing, isSafe }: NeutronCall, answer: HttpAnswer, token: Token): HttpAnswer {
    const secrets = [...secretsOf(this.#config), token.id]
    const error = faultIn(answer, { service: 'Neutron', doing, isSafe, secrets })
    if (error !== undefined) throw error
    return answer
  }

  #address({ catalogue, id }: Token): string {
    const { networkEndpoint, region, interface: side } = this.#config
    if (networkEndpoint !== undefined) return networkEndpoint
    const wanted = { type: 'network', interface: side, ...(region === undefined ? {} : { region }) } as const
    return neutronAddress(endpointIn(catalogue, wanted, [...secretsOf(this.#config), id]))
  }
}

/** A token is waited for by many: who gives up leaves the others waiting. */
function orEnded<T>(promise: Promise<T>, { signal, doing }: NeutronCall): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const end = (): void => reject(ended(doing))
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', end))
  })
}
