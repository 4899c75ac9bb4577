/** What a real registry cannot be asked for: answers that are lost, and servers that are away at a chosen call. */
import { type Registry, RegistryError } from '../../../../registry/registry.ts'

type Store = Pick<Registry, 'get' | 'create' | 'update' | 'delete'>

/** What becomes of a call. */
export type Fault = 'away' | 'answer lost'

/** A registry some of whose calls fail, and which counts them. */
export class FaultyStore implements Store {
  readonly #store: Store
  readonly calls: string[] = []
  /** Asked for each call. */
  fault: (call: string) => Fault | undefined = () => undefined

  constructor(store: Store) {
    this.#store = store
  }

  get: Store['get'] = (kind, name) => this.#call(`get ${name}`, () => this.#store.get(kind, name))
  create: Store['create'] = (kind, name, value) =>
    this.#call(`create ${name}`, () => this.#store.create(kind, name, value))
  update: Store['update'] = (kind, name, value, revision) =>
    this.#call(`update ${name}`, () => this.#store.update(kind, name, value, revision))
  delete: Store['delete'] = (kind, name, revision) =>
    this.#call(`delete ${name}`, () => this.#store.delete(kind, name, revision))

  async #call<T>(text: string, act: () => Promise<T>): Promise<T> {
    this.calls.push(text)
    const fault = this.fault(text)
    if (fault === 'away') throw new RegistryError('REGISTRY_UNAVAILABLE', 'nobody answers')
    const answer = await act()
    if (fault === 'answer lost') throw new RegistryError('REGISTRY_UNAVAILABLE', 'the connection broke off')
    return answer
  }
}
