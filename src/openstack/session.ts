/**
 * Calls on Neutron and Nova in the name of one account: where they are, the token, and one more attempt with a new token when the old one
 * is refused.
 * @module
 */
import { neutronAddress, serviceAddress } from './config/address.ts'
import { type CloudConfig, secretsOf } from './config/model.ts'
import { ended, type OpenStackService } from './errors.ts'
import { faultIn } from './faults/fault.ts'
import { type HttpAnswer, type HttpCall, type HttpOptions, OpenStackHttp } from './http/http.ts'
import { elsewhereIn, endpointIn, type Wanted } from './keystone/catalogue.ts'
import { Keystone, type KeystoneOptions } from './keystone/keystone.ts'
import type { Token } from './keystone/token.ts'

/** A call on a service. */
export interface ServiceCall extends Pick<HttpCall, 'doing' | 'method' | 'isSafe' | 'objects' | 'signal'> {
  /** Below the address of the service's API, with its query: `/ports?name=a`. */
  readonly path: string
  readonly body?: unknown
}

/** A call on Neutron. */
export interface NeutronCall extends ServiceCall {
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
  neutron({ revision, ...call }: NeutronCall): Promise<HttpAnswer> {
    return this.#call('Neutron', call, revision === undefined ? {} : { 'if-match': `revision_number=${revision}` })
  }

  /** The same of Nova. */
  nova(call: ServiceCall): Promise<HttpAnswer> {
    return this.#call('Nova', call, {})
  }

  async #call(service: Service, call: ServiceCall, headers: Headers): Promise<HttpAnswer> {
    const token = await orEnded(this.#keystone.token(), call)
    const answer = await this.#send(service, call, headers, token)
    if (answer.status !== 401) return this.#judged(service, call, answer, token)
    // A refusal of the token is certain: nothing was done, whatever was asked.
    this.#keystone.refuse(token)
    const fresh = await orEnded(this.#keystone.token(), call)
    return this.#judged(service, call, await this.#send(service, call, headers, fresh), fresh)
  }

  #send(service: Service, call: ServiceCall, headers: Headers, token: Token): Promise<HttpAnswer> {
    const { doing, method, isSafe, objects, signal, path, body } = call
    return this.#http.send({
      service,
      doing,
      method,
      isSafe,
      ...(objects === undefined ? {} : { objects }),
      signal,
      url: `${this.#address(service, token)}${path}`,
      headers: { 'x-auth-token': token.id.reveal(), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // What may not be done twice gets a connection of its own: one that was kept may be cut at the moment of its use.
      keepAlive: isSafe,
    })
  }

  #judged(service: Service, { doing, isSafe }: ServiceCall, answer: HttpAnswer, token: Token): HttpAnswer {
    const secrets = [...secretsOf(this.#config), token.id]
    const place = this.#place(service)
    const elsewhere = typeof place === 'string' ? undefined : elsewhereIn(token.catalogue, place, secrets)
    const error = faultIn(answer, { service, doing, isSafe, secrets, elsewhere })
    if (error !== undefined) throw error
    return answer
  }

  #address(service: Service, { catalogue, id }: Token): string {
    const place = this.#place(service)
    if (typeof place === 'string') return place
    return SERVICES[service].address(endpointIn(catalogue, place, [...secretsOf(this.#config), id]))
  }

  /** The address that is configured, else what is looked for in the catalogue. */
  #place(service: Service): string | Wanted {
    const { networkEndpoint, region, interface: side } = this.#config
    if (service === 'Neutron' && networkEndpoint !== undefined) return networkEndpoint
    return { type: SERVICES[service].type, interface: side, ...(region === undefined ? {} : { region }) }
  }
}

type Service = Exclude<OpenStackService, 'Keystone'>
type Headers = Readonly<Record<string, string>>

/** What a service is called in the catalogue, and the address of its API as it is written there. */
const SERVICES = {
  Neutron: { type: 'network', address: neutronAddress },
  Nova: { type: 'compute', address: (text: string) => serviceAddress(text, "Nova's address") },
} as const

/** A token is waited for by many: who gives up leaves the others waiting. */
function orEnded<T>(promise: Promise<T>, { signal, doing }: ServiceCall): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const end = (): void => reject(ended(doing))
    if (signal.aborted) end()
    signal.addEventListener('abort', end)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', end))
  })
}
