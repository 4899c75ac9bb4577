/**
 * Which tunnels carry: whom to ask when, and what an answer, or none, says. Pure: time and chance come from outside.
 *
 * A node asks at most {@link QUESTIONS_PER_SECOND} questions, however many machines there are: each of them every two
 * seconds where they are few, every minute where they are a thousand. Who does not answer is asked again at once, and is down
 * after three questions of a second each. Every fifth question is as large as a packet of a pod may be.
 * @module
 */
import type { Ip } from '../../network/model/address.ts'
import type { TunnelFact } from '../control/facts.ts'

export const QUESTIONS_PER_SECOND = 20
/** An answer is waited for so long before it counts as missing. One that comes later still says that the tunnel carries. */
export const PATIENCE_MS = 1_000
/** So long a late answer is known as one. */
const MEMORY_MS = 10_000
const LEAST_INTERVAL_MS = 2_000
/** Of what may be asked, so much is for those that have just not answered. */
const REGULAR_SHARE = 0.8
const MISSES = 3
const FULL_EVERY = 5

/** A machine that a tunnel leads to. */
export interface TunnelEnd {
  readonly node: string
  readonly end: Ip
  /** Its agent says that it is set up: then it should answer. */
  readonly isReady: boolean
}

/** A question to send. */
export interface Question {
  readonly end: Ip
  readonly nonce: bigint
  /** As of a pod's packet; absent: small. */
  readonly bytes?: number
}

interface Sent {
  readonly node: string
  readonly end: Ip
  readonly at: number
  readonly bytes: number | undefined
}

interface Peer {
  end: Ip
  isReady: boolean
  /** The question that is waited for. */
  waiting: bigint | undefined
  nextAt: number
  state: TunnelFact['state']
  since: number
  missed: number
  /** When the first of those that are missing was asked. */
  missingSince: number
  roundTripMs: number | undefined
  untilFull: number
  fullMissed: number
  full: { readonly passes: boolean; readonly since: number } | undefined
}

/** What is known of tunnels. All times are milliseconds of one clock that never goes back. */
export class TunnelHealth {
  readonly #random: () => number
  readonly #nonce: () => bigint
  readonly #peers = new Map<string, Peer>()
  readonly #sent = new Map<bigint, Sent>()
  #fullBytes: number | undefined

  /** `random` gives from 0 to below 1; `nonce` 64 bits that nobody can guess. */
  constructor({ random, nonce }: { readonly random: () => number; readonly nonce: () => bigint }) {
    this.#random = random
    this.#nonce = nonce
  }

  /** The machines there are, and the largest packet of a pod in bytes. */
  set(ends: Iterable<TunnelEnd>, fullBytes: number, now: number): void {
    const gone = new Set(this.#peers.keys())
    for (const { node, end, isReady } of ends) {
      gone.delete(node)
      const peer = this.#peers.get(node)
      if (peer?.end === end) peer.isReady = isReady
      else this.#peers.set(node, newPeer(end, isReady, now))
    }
    for (const node of gone) this.#peers.delete(node)
    if (this.#fullBytes === fullBytes) return
    this.#fullBytes = fullBytes
    for (const peer of this.#peers.values()) Object.assign(peer, { full: undefined, fullMissed: 0, untilFull: 0 })
  }

  /** What to ask now, at most `budget` questions; what was not answered in time counts as missing. */
  due(now: number, budget: number): readonly Question[] {
    for (const [nonce, sent] of this.#sent) {
      const peer = this.#peers.get(sent.node)
      if (peer?.waiting === nonce && now - sent.at >= PATIENCE_MS) this.#missing(peer, sent, now)
      if (now - sent.at >= MEMORY_MS) this.#sent.delete(nonce)
    }
    const due = [...this.#peers].filter(([, { waiting, nextAt }]) => waiting === undefined && nextAt <= now)
    return due
      .sort(([, a], [, b]) => a.nextAt - b.nextAt)
      .slice(0, budget)
      .map(([node, peer]) => this.#ask(node, peer, now))
  }

  /** Nobody can be asked, or could answer, for the time being: what was asked counts for nothing. */
  pause(): void {
    this.#sent.clear()
    for (const peer of this.#peers.values()) peer.waiting = undefined
  }

  /** An answer came. Returns whether it is one to a question of ours. */
  answered(nonce: bigint, now: number): boolean {
    const sent = this.#sent.get(nonce)
    const peer = sent === undefined ? undefined : this.#peers.get(sent.node)
    // That the tunnel to where the machine was carries says nothing of where it is.
    if (sent === undefined || peer?.end !== sent.end) return false
    this.#sent.delete(nonce)
    if (peer.waiting === nonce) peer.waiting = undefined
    if (peer.state !== 'up') Object.assign(peer, { state: 'up', since: now })
    peer.missed = 0
    peer.roundTripMs = now - sent.at
    if (sent.bytes !== undefined) this.#passes(peer, sent.bytes === this.#fullBytes, now)
    else this.#smallOneCame(peer, now)
    return true
  }

  /** What is known of each machine. Times as of the clock, to be turned by the caller. */
  facts(): ReadonlyMap<string, TunnelFact & { readonly end: Ip; readonly isReady: boolean }> {
    const bytes = this.#fullBytes ?? 0
    return new Map(
      [...this.#peers].map(([node, { end, isReady, state, since, roundTripMs, full }]) => [
        node,
        {
          end,
          isReady,
          state,
          since,
          ...(roundTripMs === undefined || state !== 'up' ? {} : { roundTripMs }),
          ...(full === undefined || state !== 'up' ? {} : { full: { bytes, ...full } }),
        },
      ]),
    )
  }

  /** Between two questions to the same machine. */
  get intervalMs(): number {
    return Math.max(LEAST_INTERVAL_MS, (1000 * this.#peers.size) / (QUESTIONS_PER_SECOND * REGULAR_SHARE))
  }

  #ask(node: string, peer: Peer, now: number): Question {
    const isFull = peer.state === 'up' && peer.missed === 0 && peer.untilFull <= 0
    const bytes = isFull ? this.#fullBytes : undefined
    const nonce = this.#nonce()
    this.#sent.set(nonce, { node, end: peer.end, at: now, bytes })
    Object.assign(peer, { waiting: nonce, untilFull: isFull ? FULL_EVERY - 1 : peer.untilFull - 1 })
    return { end: peer.end, nonce, ...(bytes === undefined ? {} : { bytes }) }
  }

  #missing(peer: Peer, { at, bytes }: Sent, now: number): void {
    // Before those that wait for their turn: who is missing is told soon, however many there are.
    Object.assign(peer, { waiting: undefined, nextAt: now - this.intervalMs })
    // A large one that is missing says nothing before a small one came.
    if (bytes !== undefined) {
      if (bytes === this.#fullBytes) peer.fullMissed += 1
      return
    }
    if (peer.missed === 0) peer.missingSince = at
    peer.missed += 1
    if (peer.missed < MISSES) return
    peer.nextAt = this.#later(now)
    if (peer.state === 'up')
      Object.assign(peer, { state: 'down', since: peer.missingSince, fullMissed: 0, full: undefined })
    else if (peer.state === 'asked') Object.assign(peer, { state: 'never', since: peer.missingSince })
  }

  #smallOneCame(peer: Peer, now: number): void {
    // Only between two small ones that came is a large one missing because it is large.
    if (peer.full === undefined || peer.full.passes) {
      if (peer.fullMissed >= MISSES) peer.full = { passes: false, since: now }
      else if (peer.fullMissed > 0 || peer.full === undefined) peer.untilFull = 0
    }
    peer.nextAt = peer.untilFull > 0 || peer.full?.passes === false ? this.#later(now) : now
  }

  #passes(peer: Peer, isOfNow: boolean, now: number): void {
    peer.fullMissed = 0
    if (isOfNow && peer.full?.passes !== true) peer.full = { passes: true, since: now }
    peer.nextAt = this.#later(now)
  }

  /** Not all at once. */
  #later(now: number): number {
    return now + this.intervalMs * (0.9 + 0.2 * this.#random())
  }
}

function newPeer(end: Ip, isReady: boolean, now: number): Peer {
  return {
    end,
    isReady,
    waiting: undefined,
    nextAt: now,
    state: 'asked',
    since: now,
    missed: 0,
    missingSince: now,
    roundTripMs: undefined,
    untilFull: 0,
    fullMissed: 0,
    full: undefined,
  }
}
