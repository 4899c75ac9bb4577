/**
 * Which network a registry serves: the name in the configuration decides where everything else is.
 *
 * It is decided once, when the configuration is first read: whoever changes the name would pull the ground from under
 * every node. Until there is one, what k8s-ovs's documents call it is taken.
 * @module
 */
import type { Entry, KeySpace } from '../../etcd/key-space.ts'
import { RegistryError } from '../../registry/registry.ts'
import { networkName } from './cluster-record.ts'
import { type GoObject, parseGoObject } from './go-object.ts'
import { DEFAULT_NAME, type Folders, foldersOf, type Layout } from './layout.ts'

/** The network of one registry. */
export class ServedNetwork {
  readonly #space: KeySpace
  readonly #layout: Layout
  #name: string | undefined
  /** How far etcd was, of which history, when the configuration was last seen. */
  #seen: { readonly revision: number; readonly history: number } | undefined

  constructor(space: KeySpace, layout: Layout) {
    this.#space = space
    this.#layout = layout
  }

  /** Where its records are now. Throws `REGISTRY_UNAVAILABLE` when that cannot be told, and what etcd throws. */
  async folders(): Promise<Folders> {
    const { revision, entry } = await this.#space.get(this.#layout.config)
    if (entry === undefined) this.#expectOwnHistory(revision)
    else this.note(entry, revision)
    return this.known()
  }

  /** Where its records are, as far as is known without asking. */
  known(): Folders {
    return this.#foldersOf(this.#name ?? DEFAULT_NAME)
  }

  /** Where they are, once that is decided: as long as etcd goes on from where it was, the configuration need not be read. */
  decided(): Folders | undefined {
    return this.#name === undefined ? undefined : this.known()
  }

  /** Whether an etcd at a revision goes on from where it was. */
  goesOn(revision: number): boolean {
    return this.#seen !== undefined && this.#space.history === this.#seen.history && revision >= this.#seen.revision
  }

  /** The configuration as it is at a revision. */
  note(entry: Entry, revision: number): void {
    this.#seen = { revision, history: this.#space.history }
    if (this.#name !== undefined) return
    const config = parseGoObject(entry.value)
    if (config === undefined) throw unavailable(`${entry.key} is not a JSON object`, 'correct it')
    this.#name = networkName(config)
  }

  /** Why a configuration does not count; undefined when it does. */
  objection(config: GoObject): { readonly problem: string; readonly remedy: string } | undefined {
    const name = networkName(config)
    if (name === this.#name || this.#name === undefined) return undefined
    const [said, ours] = [name, this.#name].map((text) => JSON.stringify(text.slice(0, 60)))
    return {
      problem: `says Name ${said}, while ${ours} is in use`,
      remedy: 'put it back; to move to another network, restart every program',
    }
  }

  /** An etcd that lost everything is no reason to take down what runs. */
  #expectOwnHistory(revision: number): void {
    if (this.#seen === undefined || this.goesOn(revision)) return
    // Others of its members may be of the right cluster.
    this.#space.askAnother()
    throw unavailable(
      `etcd has lost its history, and ${this.#layout.config} with it: everything is left as it is`,
      'restore etcd from a snapshot, or write the configuration anew',
    )
  }

  #foldersOf(name: string): Folders {
    const folders = foldersOf(this.#layout, name)
    if (folders !== undefined) return folders
    throw unavailable(`the Name in ${this.#layout.config} is no name of a folder`, 'choose another')
  }
}

function unavailable(message: string, remedy: string): RegistryError {
  return new RegistryError('REGISTRY_UNAVAILABLE', `${message} → ${remedy}`)
}
