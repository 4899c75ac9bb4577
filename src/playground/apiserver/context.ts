/**
 * What every call works on.
 * @module
 */
import type { PodRuntime, ServedResource } from './contract.ts'
import type { Formats } from './formats.ts'
import type { Admission } from './objects/admission.ts'
import type { Resources } from './resources.ts'
import type { Store } from './store/store.ts'

/** The server's insides. */
export interface Context {
  readonly store: Store
  readonly resources: Resources
  readonly formats: Formats
  readonly admission: Admission
  readonly runtime: PodRuntime | undefined
  /** How often a quiet watch that allows it gets a bookmark, in milliseconds. */
  readonly bookmarkInterval: number
  readonly now: () => Date
  readonly uuid: () => string
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal
}

/** One call, taken apart. */
export interface Call {
  readonly method: string
  readonly resource: ServedResource
  /** Empty outside namespaces, and for a collection over all of them. */
  readonly namespace: string
  readonly name: string | undefined
  readonly subresource: string | undefined
  readonly query: URLSearchParams
  readonly accept: string
  readonly user: string
  readonly request: Request
}
