/**
 * The cluster's services with their slices of endpoints, as they were last heard of. A slice may come before its
 * service, and outlive it.
 * @module
 */
import { type EndpointSlice, type Service, serviceKey } from '../model/service.ts'

/** Services and slices, found by the service's `<namespace>/<name>`. */
export class Catalogue {
  readonly #services = new Map<string, Service>()
  readonly #slices = new Map<string, EndpointSlice>()
  readonly #slicesOf = new Map<string, Map<string, EndpointSlice>>()

  services(): Iterable<Service> {
    return this.#services.values()
  }

  service(key: string): Service | undefined {
    return this.#services.get(key)
  }

  slicesOf(key: string): readonly EndpointSlice[] {
    return [...(this.#slicesOf.get(key)?.values() ?? [])]
  }

  putService(service: Service): void {
    this.#services.set(serviceKey(service.namespace, service.name), service)
  }

  removeService(key: string): void {
    this.#services.delete(key)
  }

  /** Keys of the services that this changes: a slice may move from one to another. */
  putSlice(slice: EndpointSlice): readonly string[] {
    const name = serviceKey(slice.namespace, slice.name)
    const before = this.removeSlice(name)
    const key = serviceKey(slice.namespace, slice.service)
    this.#slices.set(name, slice)
    const siblings = this.#slicesOf.get(key)
    if (siblings === undefined) this.#slicesOf.set(key, new Map([[name, slice]]))
    else siblings.set(name, slice)
    return before.includes(key) ? before : [...before, key]
  }

  /** Keys of the services that this changes. `name` is the slice's `<namespace>/<name>`. */
  removeSlice(name: string): readonly string[] {
    const slice = this.#slices.get(name)
    if (slice === undefined) return []
    const key = serviceKey(slice.namespace, slice.service)
    this.#slices.delete(name)
    const siblings = this.#slicesOf.get(key)
    siblings?.delete(name)
    if (siblings?.size === 0) this.#slicesOf.delete(key)
    return [key]
  }
}
