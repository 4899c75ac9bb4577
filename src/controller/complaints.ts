/**
 * What goes wrong again and again, said once.
 * @module
 */
import type { ControllerLog } from './controller.ts'
import { textOf } from './events.ts'

/** Texts that are remembered; with more all are forgotten: they name objects, and anybody makes those. */
const MOST = 1_000

/** Logs errors, each text once until {@link clear}. */
export class Complaints {
  readonly #log: Pick<ControllerLog, 'warn'>
  readonly #told = new Set<string>()

  constructor(log: Pick<ControllerLog, 'warn'>) {
    this.#log = log
  }

  say(what: string, error: unknown): void {
    const text = `${what}: ${textOf(error)}`
    if (this.#told.has(text)) return
    if (this.#told.size >= MOST) this.#told.clear()
    this.#told.add(text)
    this.#log.warn({}, text)
  }

  /** Things go well again: from now on everything is news. */
  clear(): void {
    this.#told.clear()
  }
}
