/**
 * All names of the cluster, kept up to date object by object; a look-up does not depend on how many there are.
 * @module
 */

import type { Data } from '../../dns/message.ts'
import type { KubeObject } from '../../kube/object.ts'
import { serviceRecords } from './records.ts'

/** The label of a slice that names its service. */
const SERVICE_LABEL = 'kubernetes.io/service-name'

/** The names of services. */
export class ClusterZone {
  readonly domain: string
  readonly #services = new Map<string, KubeObject>()
  /** Slices by service, then by name. */
  readonly #slices = new Map<string, Map<string, KubeObject>>()
  /** The names that each service has written. */
  readonly #written = new Map<string, ReadonlySet<string>>()
  /** Records by name, with the services that wrote them. */
  readonly #names = new Map<string, Map<string, readonly Data[]>>()
  /** How many names with records are at a name or below it. */
  readonly #below = new Map<string, number>()

  constructor(domain: string) {
    this.domain = domain.toLowerCase().replace(/\.$/, '')
  }

  /** A service is there, or has changed. */
  setService(service: KubeObject): void {
    const key = keyOf(service)
    this.#services.set(key, service)
    this.#renew(key)
  }

  removeService(service: KubeObject): void {
    const key = keyOf(service)
    this.#services.delete(key)
    this.#renew(key)
  }

  /** A slice is there, or has changed; its service never does. */
  setSlice(slice: KubeObject): void {
    const key = ownerOf(slice)
    if (key === undefined) return
    const slices = this.#slices.get(key) ?? new Map<string, KubeObject>()
    this.#slices.set(key, slices.set(slice.metadata.name, slice))
    this.#renew(key)
  }

  removeSlice(slice: KubeObject): void {
    const key = ownerOf(slice)
    const slices = key === undefined ? undefined : this.#slices.get(key)
    if (key === undefined || slices === undefined) return
    slices.delete(slice.metadata.name)
    if (slices.size === 0) this.#slices.delete(key)
    this.#renew(key)
  }

  /** What a name says; empty when it only has names below; undefined when there is no such name. */
  find(name: string): readonly Data[] | undefined {
    const written = this.#names.get(name)
    if (written !== undefined) return [...written.values()].flat()
    return this.#below.has(name) ? [] : undefined
  }

  #renew(key: string): void {
    const service = this.#services.get(key)
    const slices = [...(this.#slices.get(key)?.values() ?? [])]
    const next = service === undefined ? [] : serviceRecords(service, slices, this.domain)
    // A service without endpoints has a name all the same: no data is not no name.
    const names = Map.groupBy(next, ([name]) => name)
    if (service !== undefined) {
      const own = `${service.metadata.name}.${service.metadata.namespace}.svc.${this.domain}`
      if (!names.has(own)) names.set(own, [])
    }
    for (const name of this.#written.get(key) ?? []) if (!names.has(name)) this.#unset(name, key)
    for (const [name, records] of names)
      this.#set(
        name,
        key,
        records.map(([, data]) => data),
      )
    if (service === undefined) this.#written.delete(key)
    else this.#written.set(key, new Set(names.keys()))
  }

  #set(name: string, key: string, data: readonly Data[]): void {
    const writers = this.#names.get(name)
    if (writers !== undefined) {
      writers.set(key, data)
      return
    }
    this.#names.set(name, new Map([[key, data]]))
    for (const one of ancestors(name)) this.#below.set(one, (this.#below.get(one) ?? 0) + 1)
  }

  #unset(name: string, key: string): void {
    const writers = this.#names.get(name)
    if (writers === undefined || !writers.delete(key) || writers.size > 0) return
    this.#names.delete(name)
    for (const one of ancestors(name)) {
      const left = (this.#below.get(one) ?? 0) - 1
      if (left > 0) this.#below.set(one, left)
      else this.#below.delete(one)
    }
  }
}

function keyOf({ metadata: { namespace = '', name } }: KubeObject): string {
  return `${namespace}/${name}`
}

function ownerOf({ metadata }: KubeObject): string | undefined {
  const service = metadata.labels?.[SERVICE_LABEL]
  return service === undefined ? undefined : `${metadata.namespace ?? ''}/${service}`
}

function ancestors(name: string): readonly string[] {
  const labels = name.split('.')
  return labels.map((_, index) => labels.slice(index).join('.'))
}
