/**
 * What becomes of a connection when both of its ends are taken together.
 * @module
 */
import type { Direction } from '../../network/model/policy.ts'
import type { Decision } from '../../network/policy/verdict.ts'
import { joined, merged, type PortSpan, type Step, TRANSPORTS, type Turn } from './steps.ts'
import type { Outcome } from './subjects.ts'

/** A change of what is allowed, for the same reason at all of these ports. Equal ones are the same object. */
export interface Change {
  readonly id: number
  readonly to: 'denied' | 'allowed'
  /** At which end the decision turned. */
  readonly direction: Direction
  readonly before: Decision
  readonly after: Decision
  readonly ports: readonly PortSpan[]
}

const NOTHING: readonly Change[] = []
const FREE: Decision = { allowed: true, because: 'not-a-pod' }

/** What is said of connections by an end that no policies speak of. */
export const UNJUDGED: Outcome = {
  id: 0,
  shape: 0,
  steps: TRANSPORTS.map(({ protocol, first, last }): Step => {
    return { protocol, from: first, to: last, before: FREE, after: FREE }
  }),
  differs: false,
}

/** Which ends turn, at some ports or other. */
type Turning = 'neither' | 'egress' | 'ingress' | 'both'

/**
 * Puts what both ends say together; equal questions get the same answer object. Most pairs are of ends whose decisions
 * differ in nothing but the policies that are named: of an end that does not turn only the shape counts.
 */
export class Turns {
  readonly #turning = new Map<number, Turning>()
  readonly #known = {
    egress: new Map<number, Known>(),
    ingress: new Map<number, Known>(),
    both: new Map<number, Known>(),
  }
  readonly #changes = new Map<string, Change>()
  readonly #numbers = new Map<Decision, number>()

  of(egress: Outcome, ingress: Outcome): readonly Change[] {
    if (!egress.differs && !ingress.differs) return NOTHING
    const shapes = pairKey(egress.shape, ingress.shape)
    const turning = this.#turning.get(shapes) ?? turningOf(egress, ingress)
    this.#turning.set(shapes, turning)
    if (turning === 'neither') return NOTHING
    const known = this.#known[turning]
    const key = pairKey(
      turning === 'ingress' ? egress.shape : egress.id,
      turning === 'egress' ? ingress.shape : ingress.id,
    )
    const changes = known.get(key) ?? this.#compare(egress, ingress)
    known.set(key, changes)
    return changes
  }

  #compare(egress: Outcome, ingress: Outcome): readonly Change[] {
    const found = new Map<string, { readonly turn: Omit<Change, 'id' | 'ports'>; readonly spans: PortSpan[] }>()
    const pieces = joined(egress.steps, ingress.steps, (span, out, into) => ({ span, turn: turnOf(out, into) }))
    for (const { span, turn } of pieces) {
      if (turn === undefined) continue
      const key = [turn.to, turn.direction, this.#numberOf(turn.before), this.#numberOf(turn.after)].join(' ')
      const known = found.get(key)
      if (known === undefined) found.set(key, { turn, spans: [span] })
      else known.spans.push(span)
    }
    return [...found].map(([key, { turn, spans }]) => this.#same(key, { ...turn, ports: merged(spans) }))
  }

  #same(reason: string, change: Omit<Change, 'id'>): Change {
    const key = JSON.stringify([reason, change.ports])
    const known = this.#changes.get(key) ?? { ...change, id: this.#changes.size }
    this.#changes.set(key, known)
    return known
  }

  #numberOf(decision: Decision): number {
    const number = this.#numbers.get(decision) ?? this.#numbers.size
    this.#numbers.set(decision, number)
    return number
  }
}

type Known = readonly Change[]

/** One number for two, each below 2^26. */
function pairKey(a: number, b: number): number {
  return a * 2 ** 26 + b
}

function turningOf(egress: Outcome, ingress: Outcome): Turning {
  const turns = joined(egress.steps, ingress.steps, (_, out, into) => turnOf(out, into)?.direction)
  const [out, into] = [turns.includes('egress'), turns.includes('ingress')]
  if (out && into) return 'both'
  return out ? 'egress' : into ? 'ingress' : 'neither'
}

/** The sender's end is asked first: when both turn, it is the one that is told. */
function turnOf(egress: Turn, ingress: Turn): Omit<Change, 'id' | 'ports'> | undefined {
  const before = egress.before.allowed && ingress.before.allowed
  const after = egress.after.allowed && ingress.after.allowed
  if (before === after) return undefined
  const isEgress = egress.before.allowed !== egress.after.allowed
  const turn = isEgress ? egress : ingress
  const direction = isEgress ? 'egress' : 'ingress'
  return { to: after ? 'allowed' : 'denied', direction, before: turn.before, after: turn.after }
}
