/**
 * One case on real switches: what the oracle says of every connection must be what becomes of its packets.
 * @module
 */
import { judge, partyOf } from '../../src/network/policy/oracle.ts'
import type { Connection, Party, Verdict } from '../../src/network/policy/verdict.ts'
import type { Order } from '../tables/policy/telling.ts'
import type { World } from '../tables/policy/world.ts'
import type { RealSwitches } from './real.ts'
import type { Call } from './rig.ts'

/** A case: connections in a world. */
export interface Trial {
  readonly name: string
  readonly world: World
  readonly connections: readonly Connection[]
}

/** What a packet was in its connection when engines disagreed about it. */
export type Moment = 'first packet' | 'answer' | 'later packet' | 'answer to a later packet'

/** Where real switches and the oracle are not of one mind. */
export interface Disagreement {
  readonly moment: Moment
  readonly connection: Connection
  readonly verdict: Verdict
  /** Whether the packet arrived. */
  readonly arrived: boolean
}

/** What came of a trial. */
export interface Outcome {
  readonly asked: number
  /** Answers and later packets that were tried besides. */
  readonly followed: number
  readonly disagreements: readonly Disagreement[]
  /** Arrived where nobody, or somebody else, was meant. */
  readonly strays: readonly string[]
  /** Lost once and not when asked for again: what a busy machine does. */
  readonly lostOnce: number
  /** Came when nobody waited any more, or elsewhere, and not again. */
  readonly late: number
  /** Went by flows that were no more, and not again: a busy switch finished what it had begun before they changed. */
  readonly outdated: number
}

/** Connections of every second trial that are answered, and go on into the next one. */
const STANDING = 48
/** How often what did not arrive is asked for again. What did arrive and should not have is asked for once more. */
const RETRIES = 2

/** Tries cases one after the other on the same switches. */
export class Court {
  readonly #real: RealSwitches
  #standing: readonly Call[] = []
  #tried = 0

  constructor(real: RealSwitches) {
    this.#real = real
  }

  /** Connections of trials before count no more. */
  clear(): void {
    this.#standing = []
  }

  /** Tries a case. What the switches knew before it goes on: their plans change by what is different. */
  async try({ world, connections }: Trial, order: Order = 'policies-first'): Promise<Outcome> {
    await this.#real.become(world, order)
    const findings = new Findings(world)
    await this.#follow(findings)
    const { allowed, strays, calls } = await this.#real.ask(connections)
    findings.strays.push(...strays)
    const { lost, astray } = findings.compare(connections, allowed)
    this.#tried += 1
    // Before anything is asked again: that forgets all connections.
    this.#standing = this.#tried % 2 === 0 ? [] : sample(calls)
    await this.#send(findings, this.#standing, 'answer', 'answer')
    await this.#askAgain(findings, lost)
    await this.#askOutdated(findings, astray)
    if (findings.strays.length > 0) await this.#lookAgain(findings, connections)
    return findings.outcome(connections.length)
  }

  /** Connections that stand since the last trial: their next packets are for this world to judge, both ways. */
  async #follow(findings: Findings): Promise<void> {
    const calls = this.#standing.flatMap((call) => {
      const connection = findings.sameParties(call.connection)
      return connection === undefined ? [] : [{ ...call, connection }]
    })
    await this.#send(findings, calls, 'later', 'later packet')
    await this.#send(findings, calls, 'answer', 'answer to a later packet')
  }

  async #send(findings: Findings, calls: readonly Call[], part: 'answer' | 'later', moment: Moment): Promise<void> {
    if (calls.length === 0) return
    findings.followed += calls.length
    const { arrived, strays } = await this.#real.rig.ship(calls, part)
    findings.strays.push(...strays)
    const { lost, astray } = findings.compare(
      calls.map(({ connection }) => connection),
      arrived,
    )
    const wrong = new Set([...lost, ...astray])
    if (wrong.size === 0) return
    if (astray.length > 0) await this.#real.settle()
    const again = calls.filter(({ connection }) => wrong.has(connection))
    const second = await this.#real.rig.ship(again, part)
    for (const [i, { connection }] of again.entries()) {
      findings.judgeAgain(moment, connection, second.arrived[i] === true)
    }
  }

  /** What arrived by flows that are no more does not do so again. */
  async #askOutdated(findings: Findings, astray: readonly Connection[]): Promise<void> {
    if (astray.length === 0) return
    this.#standing = []
    await this.#real.settle()
    const { allowed } = await this.#real.ask(astray)
    for (const [i, connection] of astray.entries()) findings.judgeAgain('first packet', connection, allowed[i] === true)
  }

  /** On a busy machine a packet may come after all markers, and be nobody's then. What is wrong is so again. */
  async #lookAgain(findings: Findings, connections: readonly Connection[]): Promise<void> {
    findings.late += findings.strays.splice(0).length
    this.#standing = []
    const { allowed, strays } = await this.#real.ask(connections)
    findings.strays.push(...strays)
    const { astray } = findings.compare(connections, allowed)
    await this.#askOutdated(findings, astray)
  }

  async #askAgain(findings: Findings, lost: readonly Connection[]): Promise<void> {
    let left = lost
    for (let i = 1; i <= RETRIES && left.length > 0; i += 1) {
      this.#standing = []
      // A busy switch may still drop by flows that are no more, as it may still let through.
      await this.#real.settle()
      const { allowed } = await this.#real.ask(left)
      findings.lostOnce += allowed.filter((one) => one).length
      left = left.filter((_, k) => allowed[k] !== true)
    }
    findings.insist('first packet', left)
  }
}

/** What a trial has found so far. */
class Findings {
  readonly strays: string[] = []
  followed = 0
  lostOnce = 0
  late = 0
  outdated = 0
  readonly #world: World
  readonly #disagreements: Disagreement[] = []

  constructor(world: World) {
    this.#world = world
  }

  /** What did not arrive and should have, and what arrived and should not have. */
  compare(
    connections: readonly Connection[],
    arrived: readonly boolean[],
  ): { readonly lost: readonly Connection[]; readonly astray: readonly Connection[] } {
    const wrong = connections.filter(
      (connection, i) => judge(this.#world, connection).allowed !== (arrived[i] === true),
    )
    const isAllowed = (connection: Connection): boolean => judge(this.#world, connection).allowed
    return { lost: wrong.filter(isAllowed), astray: wrong.filter((connection) => !isAllowed(connection)) }
  }

  /** A packet that was wrong has been sent once more. */
  judgeAgain(moment: Moment, connection: Connection, arrived: boolean): void {
    const verdict = judge(this.#world, connection)
    if (verdict.allowed !== arrived) this.#disagreements.push({ moment, connection, verdict, arrived })
    else if (arrived) this.lostOnce += 1
    else this.outdated += 1
  }

  /** Notes what never arrived. */
  insist(moment: Moment, connections: readonly Connection[]): void {
    for (const connection of connections) {
      this.#disagreements.push({ moment, connection, verdict: judge(this.#world, connection), arrived: false })
    }
  }

  /** The same connection in this world, unless somebody else has one of its addresses. */
  sameParties({ source, destination, ...rest }: Connection): Connection | undefined {
    const [from, to] = [partyOf(this.#world, source.address), partyOf(this.#world, destination.address)]
    return isSame(from, source) && isSame(to, destination) ? { ...rest, source: from, destination: to } : undefined
  }

  outcome(asked: number): Outcome {
    const { followed, strays, lostOnce, late, outdated } = this
    return { asked, followed, disagreements: this.#disagreements, strays, lostOnce, late, outdated }
  }
}

function isSame(a: Party, b: Party): boolean {
  if (a.type === 'pod' && b.type === 'pod') return a.pod.uid === b.pod.uid
  return a.type === b.type
}

/** Some of them, spread over the list. SCTP’s answers cannot be told from its questions. */
function sample(all: readonly Call[]): readonly Call[] {
  const calls = all.filter(({ connection }) => connection.protocol !== 'SCTP')
  const step = Math.max(1, Math.floor(calls.length / STANDING))
  return calls.filter((_, i) => i % step === 0).slice(0, STANDING)
}
