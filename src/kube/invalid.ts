/**
 * Who is told of objects that mean nothing, and how often.
 * @module
 */
import type { Kind } from '../registry/registry.ts'

/** An object that means nothing in its kind. */
export interface InvalidObject {
  readonly kind: Kind
  readonly name: string
  readonly revision: number
  /** What is wrong and what to do, for people. */
  readonly problem: string
}

/** Is told of an object that means nothing. */
export type OnInvalid = (invalid: InvalidObject) => void

/** More objects than this are not remembered: the oldest may be reported again. */
const MOST = 10_000

/** Reports every revision of an object once, however often it is read. */
export class InvalidObjects {
  readonly #onInvalid: OnInvalid
  readonly #reported = new Map<string, number>()

  constructor(onInvalid: OnInvalid) {
    this.#onInvalid = onInvalid
  }

  /** Tells of an object unless this revision of it was told of. */
  report(invalid: InvalidObject): void {
    const key = `${invalid.kind} ${invalid.name}`
    if (this.#reported.get(key) === invalid.revision) return
    this.#reported.delete(key)
    this.#reported.set(key, invalid.revision)
    const [oldest] = this.#reported.keys()
    if (this.#reported.size > MOST && oldest !== undefined) this.#reported.delete(oldest)
    this.#onInvalid(invalid)
  }
}
