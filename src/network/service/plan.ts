/**
 * What services mean for one node: a fragment each, kept current.
 * @module
 */
import type { NodeContext } from '../context.ts'
import { type Fragment, serviceFragmentKey } from '../fragments/fragment.ts'
import { serviceFragment } from '../fragments/service.ts'
import type { Ip } from '../model/address.ts'
import { type EndpointSlice, type Service, type ServicePort, serviceKey } from '../model/service.ts'
import { StableIds } from '../pipeline/stable-ids.ts'
import { Catalogue } from './catalogue.ts'

/** What services are planned with. */
export interface ServiceParts {
  context(): NodeContext
  /** The VNI of a namespace, or undefined while it has none. */
  vniOf(namespace: string): number | undefined
  set(key: string, fragment: Fragment | undefined): void
}

/** The catalogue of services, without the means to change it. */
export type ServiceCatalogue = Omit<Catalogue, 'putService' | 'removeService' | 'putSlice' | 'removeSlice'>

/** Services as one node needs them. */
export class ServicePlan {
  readonly #parts: ServiceParts
  readonly #catalogue: Catalogue
  readonly #groupIds = new StableIds()
  /** Numbers of the groups that each service has. */
  readonly #groups = new Map<string, readonly number[]>()

  /** A plan that starts with these services, and keeps the catalogue current from now on. */
  constructor(parts: ServiceParts, catalogue: Catalogue = new Catalogue()) {
    this.#parts = parts
    this.#catalogue = catalogue
  }

  get catalogue(): ServiceCatalogue {
    return this.#catalogue
  }

  putService(service: Service): void {
    for (const key of this.#catalogue.putService(service)) this.#plan(key)
  }

  /** Connections that stand go on. */
  removeService(key: string): void {
    for (const one of this.#catalogue.removeService(key)) this.#plan(one)
  }

  /** Keys of the services that this changes. */
  putSlice(slice: EndpointSlice): readonly string[] {
    const keys = this.#catalogue.putSlice(slice)
    for (const key of keys) this.#plan(key)
    return keys
  }

  /** Keys of the services that this changes. The slice goes by its `<namespace>/<name>`. */
  removeSlice(name: string): readonly string[] {
    const keys = this.#catalogue.removeSlice(name)
    for (const key of keys) this.#plan(key)
    return keys
  }

  /** A namespace has another VNI, or none. */
  tenantChanged(namespace: string): void {
    for (const key of this.#catalogue.inNamespace(namespace)) this.#plan(key)
  }

  /** The node's context is another. */
  replan(): void {
    for (const { namespace, name } of this.#catalogue.services()) this.#plan(serviceKey(namespace, name))
  }

  #plan(key: string): void {
    const service = this.#catalogue.service(key)
    const fragment = service === undefined ? undefined : this.#fragment(key, service)
    this.#parts.set(serviceFragmentKey(key), fragment)
    const kept = new Set(fragment?.groups.map(({ id }) => id))
    for (const id of this.#groups.get(key) ?? []) if (!kept.has(id)) this.#groupIds.release(id)
    if (fragment === undefined) this.#groups.delete(key)
    else this.#groups.set(key, [...kept])
  }

  #fragment(key: string, service: Service): Fragment {
    const inputs = {
      service,
      slices: this.#catalogue.slicesOf(key),
      vni: this.#parts.vniOf(service.namespace),
      has: (address: Ip, port: ServicePort) => this.#catalogue.has(key, address, port),
    }
    return serviceFragment(this.#parts.context(), inputs, this.#groupIds)
  }
}
