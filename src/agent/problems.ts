/**
 * What goes wrong at the moment, by the part it concerns: logged when it changes, told in `weft status`.
 * @module
 */
import type { AgentLog } from './log.ts'

/** The parts of the agent that can fail and go on trying. */
export type Part =
  | 'plan'
  | 'flows'
  | 'status'
  | 'registry'
  | 'links'
  | 'probe'
  | 'filters'
  | 'cni-config'
  | 'host-ports'
  | 'bandwidth'
  | 'names'
  | 'networks'
  | 'wires'
  | 'ports'
  | 'bridges'
  | 'guests'
  | 'uplink'
  | 'bgp'
  | 'bgp-objects'
  | 'neutron'

/** Present problems. */
export class Problems {
  readonly #log: AgentLog
  readonly #texts = new Map<Part, string>()

  constructor(log: AgentLog) {
    this.#log = log
  }

  /** A part failed. The same failure again is not logged again. */
  failed(part: Part, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error)
    if (this.#texts.get(part) !== text) this.#log.warn(error instanceof Error ? { err: error, part } : { part }, text)
    this.#texts.set(part, text)
  }

  /** A part works. */
  solved(part: Part): void {
    if (this.#texts.delete(part)) this.#log.info({ part }, 'works again')
  }

  /** Runs what a part has to do now. */
  watch(part: Part, work: () => void): void {
    try {
      work()
      this.solved(part)
    } catch (error) {
      this.failed(part, error)
    }
  }

  of(part: Part): string | undefined {
    return this.#texts.get(part)
  }

  texts(): readonly string[] {
    return [...this.#texts.values()]
  }
}
