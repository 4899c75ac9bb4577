/**
 * What is in the way, told without repeating it.
 * @module
 */
import type { FlannelLog } from './leases/manager.ts'

/** Sentences, each told when it comes and once. */
export class Told {
  readonly #log: FlannelLog
  #last: ReadonlySet<string> = new Set()

  constructor(log: FlannelLog) {
    this.#log = log
  }

  /** All that is in the way now. */
  tell(sentences: readonly string[]): void {
    for (const sentence of new Set(sentences)) if (!this.#last.has(sentence)) this.#log.warn({}, sentence)
    if (this.#last.size > 0 && sentences.length === 0) this.#log.info({}, 'nothing is in the way any more')
    this.#last = new Set(sentences)
  }
}
