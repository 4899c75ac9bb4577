/**
 * What the server serves at the moment: built-in resources and those that CustomResourceDefinitions define.
 * @module
 */
import { apiVersionOf } from '../../kube/object.ts'
import type { ServedResource } from './contract.ts'
import type { Formats } from './formats.ts'
import { type Change, collectionOf, objectOf } from './store/change.ts'
import type { Index, Store } from './store/store.ts'

/** The served resources. Kept in step with the store's CustomResourceDefinitions. */
export class Resources implements Index {
  readonly #formats: Formats
  readonly #store: Store
  readonly #builtin: readonly ServedResource[]
  readonly #custom = new Map<string, readonly ServedResource[]>()
  #byPath = new Map<string, ServedResource>()
  #byKind = new Map<string, ServedResource>()
  #all: readonly ServedResource[] = []

  constructor(store: Store, formats: Formats) {
    this.#store = store
    this.#formats = formats
    this.#builtin = [...formats.builtinResources().filter(({ plural }) => plural !== CRDS), formats.crdResource]
  }

  /** Where CustomResourceDefinitions are kept. */
  get crds(): string {
    return collectionOf(this.#formats.crdResource)
  }

  /** Every resource in every version; the array is another when anything changed. */
  all(): readonly ServedResource[] {
    return this.#all
  }

  find(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`)
  }

  /** By what an object or an owner reference says of itself. */
  ofKind(apiVersion: string, kind: string): ServedResource | undefined {
    return this.#byKind.get(`${apiVersion}/${kind}`)
  }

  /** The first version of what is kept in a collection. */
  ofCollection(collection: string): ServedResource | undefined {
    return this.#all.find((resource) => collectionOf(resource) === collection)
  }

  reset(): void {
    this.#custom.clear()
    for (const entry of this.#store.collection(this.crds).slice('')) {
      this.#custom.set(entry.name, this.#formats.resourcesOf(objectOf(entry)))
    }
    this.#rebuild()
  }

  apply(change: Change): void {
    if (change.collection !== this.crds) return
    const { entry } = change
    if (change.type === 'DELETED') this.#custom.delete(entry.name)
    else this.#custom.set(entry.name, this.#formats.resourcesOf(objectOf(entry)))
    this.#rebuild()
  }

  #rebuild(): void {
    // What is built in cannot be defined away.
    const all = [...[...this.#custom.values()].flat(), ...this.#builtin]
    this.#byPath = new Map(all.map((resource) => [`${apiPath(resource)}/${resource.plural}`, resource]))
    this.#byKind = new Map(all.map((resource) => [`${apiVersionOf(resource)}/${resource.kind}`, resource]))
    this.#all = [...this.#byPath.values()]
  }
}

const CRDS = 'customresourcedefinitions'

function apiPath({ group, version }: ServedResource): string {
  return `${group}/${version}`
}
