/**
 * Asks the other machines through the tunnel whether it carries, as long as the agent runs. What is found out is told, and
 * changes nothing else: packets go where the plan leads them.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { Ip } from '../../network/model/address.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { TunnelFact } from '../control/facts.ts'
import type { AgentLog } from '../log.ts'
import type { Problems } from '../problems.ts'
import { answeredNonce, questionFrame } from './frame.ts'
import { QUESTIONS_PER_SECOND, TunnelHealth } from './health.ts'
import { type ToldTunnel, tunnelProblem, tunnelProblems } from './words.ts'

/** What is needed of the agent. */
export interface TunnelWatchParts {
  readonly problems: Pick<Problems, 'failed' | 'solved'>
  readonly log: AgentLog
  planner(): NodePlanner | undefined
  /** Sends frames through the tunnel; undefined while the switch is away or does not hold the plan. */
  sender(): Pick<TunnelSender, 'sendThroughTunnel'> | undefined
}

/** Who can send frames through the tunnel. */
export interface TunnelSender {
  /** Rejects where the switch refuses it. */
  sendThroughTunnel(frame: Uint8Array, ends: readonly Ip[]): Promise<void>
}

const TICK_MS = 250
const BUDGET = Math.ceil((QUESTIONS_PER_SECOND * TICK_MS) / 1000)
/** How often it is looked whether machines came or went. */
const LOOK_MS = 1_000
/** What is wrong is logged no more often. */
const LOG_MS = 5_000

/** Whether tunnels carry. */
export class TunnelWatch implements Disposable {
  readonly #parts: TunnelWatchParts
  readonly #health = new TunnelHealth({ random: Math.random, nonce: () => randomBytes(8).readBigUInt64BE() })
  readonly #ticking: ReturnType<typeof setInterval>
  #lookedAt = Number.NEGATIVE_INFINITY
  #planner: NodePlanner | undefined
  #logged: { readonly text: string; readonly at: number } = { text: '', at: Number.NEGATIVE_INFINITY }

  constructor(parts: TunnelWatchParts) {
    this.#parts = parts
    this.#ticking = setInterval(() => this.#tick(), TICK_MS)
  }

  /** A frame came that a flow says answers a probe. */
  heard(frame: Uint8Array): void {
    const nonce = answeredNonce(frame)
    if (nonce !== undefined) this.#health.answered(nonce, performance.now())
  }

  /** What is known, by machine. */
  facts(planner: NodePlanner): ReadonlyMap<string, TunnelFact> {
    const { encapsulation } = planner.context.cluster
    return new Map(
      this.#told().map((tunnel) => {
        const { node, end: _end, isReady: _isReady, ...fact } = tunnel
        const problem = tunnelProblem(tunnel, encapsulation)
        return [node, problem === undefined ? fact : { ...fact, problem }]
      }),
    )
  }

  /** What is wrong, in few sentences. */
  problems(): readonly string[] {
    const planner = this.#parts.planner()
    return planner === undefined ? [] : tunnelProblems(this.#told(), planner.context.cluster.encapsulation)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#ticking)
  }

  #tick(): void {
    const planner = this.#parts.planner()
    const sender = this.#parts.sender()
    if (planner === undefined || sender === undefined) {
      this.#health.pause()
      return
    }
    const now = performance.now()
    if (planner !== this.#planner || now - this.#lookedAt >= LOOK_MS) this.#look(planner, now)
    this.#ask(sender, now).then(
      () => this.#parts.problems.solved('probe'),
      (error: unknown) => this.#parts.problems.failed('probe', error),
    )
  }

  async #ask(sender: Pick<TunnelSender, 'sendThroughTunnel'>, now: number): Promise<void> {
    const sent = this.#health
      .due(now, BUDGET)
      .map(({ end, nonce, bytes }) => sender.sendThroughTunnel(questionFrame(nonce, bytes), [end]))
    await Promise.all(sent)
  }

  #look(planner: NodePlanner, now: number): void {
    this.#planner = planner
    this.#lookedAt = now
    const ends = [...planner.tunnelEnds()].map(({ peer, end }) => {
      return { node: peer.node, end, isReady: peer.status?.ready === true }
    })
    this.#health.set(ends, planner.context.tunnelMtu, now)
    this.#tell(now)
  }

  #tell(now: number): void {
    const text = this.problems().join('; ')
    const { text: before, at } = this.#logged
    if (text === before || now - at < LOG_MS) return
    this.#logged = { text, at: now }
    if (text === '') this.#parts.log.info({ part: 'tunnels' }, 'every tunnel carries again')
    else this.#parts.log.warn({ part: 'tunnels' }, text)
  }

  #told(): readonly ToldTunnel[] {
    const zero = Date.now() - performance.now()
    const seconds = (at: number): number => Math.floor((zero + at) / 1000)
    return [...this.#health.facts()].map(([node, { full, ...fact }]) => ({
      ...fact,
      node,
      since: seconds(fact.since),
      ...(full === undefined ? {} : { full: { ...full, since: seconds(full.since) } }),
    }))
  }
}
