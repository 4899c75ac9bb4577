/**
 * A registry behind a unix socket.
 * @module
 */
import { readLines } from './lines.ts'
import {
  type Change,
  type Kind,
  type Kinds,
  type Listing,
  type Registry,
  RegistryError,
  type Stored,
} from './registry.ts'
import {
  BOOKMARK_INTERVAL,
  changeFromWire,
  collectionOf,
  errorFromWire,
  garbage,
  listingFromWire,
  pathOf,
  storedFromWire,
} from './wire.ts'

/** How a {@link RegistryClient} behaves. Times are in milliseconds. */
export interface RegistryClientOptions {
  /** When a call without an answer fails. 10 s when absent. */
  readonly deadline?: number
  /** When a watch on which nothing arrives, bookmarks included, fails. Three missed bookmarks when absent. */
  readonly silence?: number
}

/**
 * A registry behind a unix socket. Does not repeat a call: `REGISTRY_UNAVAILABLE` after a write means that nobody
 * knows whether it was made, and compare-and-swap tells when it is tried again.
 */
export class RegistryClient implements Registry {
  readonly #path: string
  readonly #deadline: number
  readonly #silence: number

  constructor(path: string, options: RegistryClientOptions = {}) {
    this.#path = path
    this.#deadline = options.deadline ?? 10_000
    this.#silence = options.silence ?? 3 * BOOKMARK_INTERVAL
  }

  async get<K extends Kind>(kind: K, name: string): Promise<Stored<K> | undefined> {
    try {
      return storedFromWire(kind, await this.#call('GET', pathOf(kind, name)))
    } catch (error) {
      if (error instanceof RegistryError && error.code === 'REGISTRY_NOT_FOUND') return undefined
      throw error
    }
  }

  async list<K extends Kind>(kind: K, _atLeast?: number, name?: string): Promise<Listing<K>> {
    return listingFromWire(kind, await this.#call('GET', collectionOf(kind, name)))
  }

  async create<K extends Kind>(kind: K, name: string, value: Kinds[K]): Promise<Stored<K>> {
    return storedFromWire(kind, await this.#call('POST', pathOf(kind, name), value))
  }

  async update<K extends Kind>(kind: K, name: string, value: Kinds[K], revision: number): Promise<Stored<K>> {
    return storedFromWire(kind, await this.#call('PUT', `${pathOf(kind, name)}?revision=${revision}`, value))
  }

  async delete(kind: Kind, name: string, revision?: number): Promise<void> {
    await this.#call('DELETE', pathOf(kind, name) + (revision === undefined ? '' : `?revision=${revision}`))
  }

  /** Throws `REGISTRY_UNAVAILABLE` when the connection is lost or silent for too long. */
  async *watch<K extends Kind>(
    kind: K,
    after: number,
    signal: AbortSignal,
    name?: string,
  ): AsyncGenerator<Change<K>, void> {
    const ended = new AbortController()
    const both = AbortSignal.any([signal, ended.signal])
    try {
      const response = await this.#fetch('GET', collectionOf(kind, name, after), {
        signal: both,
        within: this.#silence,
      })
      if (!response.ok || response.body === null) throw await failureOf(response)
      for await (const line of readLines(response.body, { signal: both, silence: this.#silence })) {
        yield changeFromWire(kind, parseLine(line))
      }
      if (!signal.aborted) throw unavailable('the registry ended the watch')
    } catch (error) {
      if (!signal.aborted) throw error instanceof RegistryError ? error : unavailable('the watch broke off', error)
    } finally {
      ended.abort()
    }
  }

  async #call(method: string, path: string, value?: unknown): Promise<unknown> {
    const signal = AbortSignal.timeout(this.#deadline)
    const body = value === undefined ? undefined : JSON.stringify(value)
    const response = await this.#fetch(method, path, { signal, body })
    if (!response.ok) throw await failureOf(response)
    return await response.json().catch((cause: unknown) => {
      throw garbage(cause)
    })
  }

  async #fetch(method: string, path: string, init: FetchInit): Promise<Response> {
    const connecting = new AbortController()
    const timer = init.within === undefined ? undefined : setTimeout(() => connecting.abort(), init.within)
    try {
      return await fetch(`http://registry${path}`, {
        method,
        unix: this.#path,
        // Bun ends a response that is quiet for six minutes; our own deadlines are shorter and know about bookmarks.
        timeout: false,
        signal: AbortSignal.any([init.signal, connecting.signal]),
        ...(init.body === undefined ? {} : { body: init.body }),
      })
    } catch (cause) {
      throw unavailable(`nothing answers at ${this.#path} → is weft registry running?`, cause)
    } finally {
      clearTimeout(timer)
    }
  }
}

interface FetchInit {
  readonly signal: AbortSignal
  readonly body?: string | undefined
  /** Time for the answer's head to arrive. */
  readonly within?: number
}

async function failureOf(response: Response): Promise<RegistryError> {
  // The server answers this before our code sees the request, without a body of ours.
  if (response.status === 413) return new RegistryError('REGISTRY_INVALID', 'the object is too large')
  return errorFromWire(await response.json().catch(() => ({})))
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw garbage(cause)
  }
}

function unavailable(message: string, cause?: unknown): RegistryError {
  return new RegistryError('REGISTRY_UNAVAILABLE', message, { cause })
}
