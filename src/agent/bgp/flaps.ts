/**
 * Sessions that come and go: each time they do routes come and go with them, and a single line about each would drown the rest.
 * @module
 */
import type { BgpSessionFact } from '../control/facts.ts'

/** A session that ended so often in so short a time, in seconds, comes and goes. */
const OFTEN = 5
const WITHIN = 600
/** When BIRD says that a session began is told in whole seconds, and taken from two clocks. */
const BLUR = 2
/** Sessions beyond are counted. */
const MANY = 3

interface Seen {
  readonly isUp: boolean
  readonly since: number
  /** When it ended, the latest times, oldest first. */
  readonly ends: readonly number[]
}

/** Remembers when sessions ended. Times in seconds since the epoch. */
export class Flaps {
  #seen: ReadonlyMap<string, Seen> = new Map()

  /** All sessions as they are. Those that are not among them are forgotten. */
  note(facts: readonly BgpSessionFact[], now: number): void {
    this.#seen = new Map(
      facts.map(({ name, isUp, since }) => {
        const before = this.#seen.get(name)
        // Between two looks it may have ended and come again.
        const hasEnded = before?.isUp === true && (!isUp || since > before.since + BLUR)
        const ends = [...(before?.ends ?? []), ...(hasEnded ? [now] : [])].slice(-OFTEN)
        return [name, { isUp, since, ends }]
      }),
    )
  }

  /** Whether a session comes and goes. */
  isFlapping(name: string, now: number): boolean {
    const { ends = [] } = this.#seen.get(name) ?? {}
    const [first] = ends
    return ends.length === OFTEN && first !== undefined && now - first <= WITHIN
  }

  /** One sentence for people about those that do; undefined when none does. */
  sentence(facts: readonly BgpSessionFact[], now: number): string | undefined {
    const flapping = facts.filter(({ name }) => this.isFlapping(name, now))
    if (flapping.length === 0) return undefined
    const each = flapping.slice(0, MANY).map(({ node, address, error }) => {
      const who = node === undefined ? address : `${node} (${address})`
      return error === undefined ? `with ${who}` : `with ${who} (${error})`
    })
    const more = flapping.length > MANY ? `, and ${flapping.length - MANY} more` : ''
    return `BGP sessions come and go, ${OFTEN} times within ${WITHIN / 60} min: ${each.join(', ')}${more}`
  }
}
