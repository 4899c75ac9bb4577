/**
 * What an API server has: its version, and which resources it serves in which group and version.
 * @module
 */
import { KubeError } from './errors.ts'
import { isFields } from './fields.ts'
import { apiVersionOf, type Resource } from './object.ts'

/** What a server says of itself. */
export interface ServerVersion {
  readonly major: number
  readonly minor: number
  /** As it is written: `v1.32.13`. */
  readonly text: string
}

/** Reads a document of the server, below its address. Throws a KubeError. */
export type ReadDocument = (path: string, signal?: AbortSignal) => Promise<unknown>

/** What a server has, asked for once. What it did not have is asked for again: somebody may install it. */
export class Discovery {
  readonly #read: ReadDocument
  /** By group and version, the plurals that are served, parts of objects included: `pods/eviction`. */
  readonly #served = new Map<string, Promise<ReadonlySet<string>>>()
  #version: Promise<ServerVersion> | undefined

  constructor(read: ReadDocument) {
    this.#read = read
  }

  /** Throws a KubeError. */
  version(): Promise<ServerVersion> {
    this.#version ??= this.#kept(this.#read('/version').then(decodeVersion), () => {
      this.#version = undefined
    })
    return this.#version
  }

  /** Whether a resource is served, in this version. Throws a KubeError. */
  async serves(resource: Pick<Resource, 'group' | 'version' | 'plural'>): Promise<boolean> {
    const isServed = (await this.#plurals(resource)).has(resource.plural)
    if (!isServed) this.forget(resource)
    return isServed
  }

  /** A collection was not there: what is known of its group is out of date. */
  forget(resource: Pick<Resource, 'group' | 'version'>): void {
    this.#served.delete(apiVersionOf(resource))
  }

  #plurals(resource: Pick<Resource, 'group' | 'version'>): Promise<ReadonlySet<string>> {
    const key = apiVersionOf(resource)
    const known = this.#served.get(key)
    if (known !== undefined) return known
    const asked = this.#kept(this.#ask(resource), () => this.#served.delete(key))
    this.#served.set(key, asked)
    return asked
  }

  async #ask(resource: Pick<Resource, 'group' | 'version'>): Promise<ReadonlySet<string>> {
    try {
      return decodePlurals(await this.#read(`${resource.group === '' ? '/api' : '/apis'}/${apiVersionOf(resource)}`))
    } catch (error) {
      if (error instanceof KubeError && error.code === 'KUBE_NOT_FOUND') return new Set()
      throw error
    }
  }

  /** A failure is nobody's knowledge. */
  #kept<T>(answer: Promise<T>, drop: () => void): Promise<T> {
    answer.catch(drop)
    return answer
  }
}

/** Versions of other makes have a `+` behind the number. */
function decodeVersion(input: unknown): ServerVersion {
  const { major, minor, gitVersion } = isFields(input) ? input : {}
  const numbers = [major, minor].map((text) => /^(\d{1,4})\+?$/.exec(String(text))?.[1])
  const [first, second] = numbers
  if (first === undefined || second === undefined) throw strange('a version that is none')
  return { major: Number(first), minor: Number(second), text: typeof gitVersion === 'string' ? gitVersion : '' }
}

function decodePlurals(input: unknown): ReadonlySet<string> {
  const resources = isFields(input) ? input['resources'] : undefined
  if (!Array.isArray(resources)) throw strange('no list of resources')
  const names = resources.map((entry: unknown) => (isFields(entry) ? entry['name'] : undefined))
  return new Set(names.filter((name) => typeof name === 'string'))
}

function strange(what: string): KubeError {
  const remedy = 'check that the server address in the kubeconfig is that of a Kubernetes API'
  return new KubeError('KUBE_UNAVAILABLE', `the API server sent ${what}`, remedy)
}
