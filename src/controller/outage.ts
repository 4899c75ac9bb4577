/**
 * A registry that does not answer is told once, however often it is asked, and once that it answers again.
 * @module
 */
import { RegistryError } from '../registry/registry.ts'
import type { ControllerLog } from './controller.ts'

/** Failures of one controller. */
export class Outage {
  readonly #log: ControllerLog
  readonly #told = new Set<string>()

  constructor(log: ControllerLog) {
    this.#log = log
  }

  /** Whether something failed since everything could be read and written. */
  get isOn(): boolean {
    return this.#told.size > 0
  }

  /** Something failed: `what` says what could not be done. Only defects of ours are told with their stack. */
  met(error: unknown, what: string): void {
    const known = error instanceof RegistryError
    const text = known ? `the registry fails: ${error.message}` : what
    if (this.#told.has(text)) return
    this.#told.add(text)
    if (known) this.#log.warn({ code: error.code }, text)
    else this.#log.error({ err: error }, text)
  }

  /** Everything could be read and written. */
  over(): void {
    if (this.#told.size > 0) this.#log.info({}, 'the registry answers again')
    this.#told.clear()
  }
}
