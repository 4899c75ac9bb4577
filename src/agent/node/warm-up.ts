/**
 * A node's first moments: the ways to other machines are made known before pods are attached.
 * @module
 */
import type { NodePlanner } from '../../network/planner.ts'
import { sleep } from '../../registry/backoff.ts'
import type { ColdEnds } from './outer-neighbours.ts'

/** What a warm-up works with. */
export interface WarmUpParts {
  /** Sends a packet to every tunnel end. */
  readonly warm: (planner: NodePlanner) => Promise<void>
  readonly cold: ColdEnds
  readonly signal: AbortSignal
}

/** A dead machine never answers: after this many rounds the rest do not wait for it any longer. */
const ROUNDS = 40
const ROUND_MS = 100

/** Happens once in an agent's life. */
export class WarmUp {
  readonly #parts: WarmUpParts
  /** Machines that have not answered; undefined before the first look. */
  #cold: readonly string[] | undefined
  #run: Promise<void> | undefined
  #isOver = false

  constructor(parts: WarmUpParts) {
    this.#parts = parts
  }

  /** Whether the wait is over, for all or for those that answer. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** The machines to which the way is not known. */
  get cold(): readonly string[] {
    return this.#cold ?? []
  }

  /** Warms up, the first time it is called; resolves when it is over. */
  run(planner: NodePlanner): Promise<void> {
    this.#run ??= this.#warm(planner).finally(() => {
      this.#isOver = true
    })
    return this.#run
  }

  async #warm(planner: NodePlanner): Promise<void> {
    const { warm, cold, signal } = this.#parts
    for (let round = 0; round < ROUNDS && !signal.aborted; round += 1) {
      const ends = [...planner.tunnelEnds()]
      const missing = new Set(await cold(ends.map(({ end }) => end)))
      this.#cold = ends.flatMap(({ peer, end }) => (missing.has(end) ? [peer.node] : []))
      if (missing.size === 0) return
      if (round % 10 === 0) await warm(planner)
      await sleep(ROUND_MS, signal)
    }
  }
}
