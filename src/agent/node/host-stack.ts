/**
 * The node's own stack as planned, applied by one after another: what is planned last is applied last, however many ask
 * and however long each takes.
 * @module
 */
import { type HostPlan, hostPlan } from '../../network/host.ts'
import type { IpRange } from '../../network/model/ip-range.ts'
import type { NodePlanner } from '../../network/planner.ts'

const NOWHERE: readonly IpRange[] = []

/** Keeps the node's own stack as planned. */
export class HostStack {
  readonly #apply: (plan: HostPlan) => Promise<void>
  readonly #hijacked: () => Promise<readonly IpRange[]>
  #queue: Promise<unknown> = Promise.resolve()
  /** What was published with, and where guests were led to; undefined before everything was applied once. */
  #applied:
    | { readonly changes: number; readonly hijacked: readonly IpRange[]; readonly takesDirect: boolean }
    | undefined

  /** What was applied last failed: how far it came nobody knows. */
  #isUnsure = false

  /**
   * `apply` makes the stack what a plan says, and rejects with what it cannot. `hijacked` is where an administrator leads
   * guests of the overlay; the same list as long as it says the same.
   */
  constructor(
    apply: (plan: HostPlan) => Promise<void>,
    hijacked: () => Promise<readonly IpRange[]> = async () => NOWHERE,
  ) {
    this.#apply = apply
    this.#hijacked = hijacked
  }

  /** Whether everything was set up as planned since the start. */
  get applied(): boolean {
    return this.#applied !== undefined
  }

  /** Whether packets of other nodes' pods are let in without a tunnel, as last applied. */
  get takesDirect(): boolean {
    return this.#applied?.takesDirect === true
  }

  /** Applies everything as planned when its turn comes; resolves with that plan. */
  apply(planner: NodePlanner): Promise<HostPlan> {
    return this.#enqueue(() => this.#applyNow(planner))
  }

  /**
   * Applies everything if what is to be published or hijacked changed, or what was applied last failed; nothing before the first
   * {@link apply}. Resolves with the plan that was applied, if any.
   */
  publish(planner: NodePlanner): Promise<HostPlan | undefined> {
    return this.#enqueue(async () => {
      if (this.#applied === undefined) return undefined
      const isSame = !this.#isUnsure && planner.publicationChanges === this.#applied.changes
      if (isSame && (await this.#hijacked()) === this.#applied.hijacked) return undefined
      return this.#applyNow(planner)
    })
  }

  async #applyNow(planner: NodePlanner): Promise<HostPlan> {
    const hijacked = await this.#hijacked()
    const changes = planner.publicationChanges
    const plan = hostPlan(planner.context, planner.publication(), hijacked)
    this.#isUnsure = true
    await this.#apply(plan)
    this.#isUnsure = false
    this.#applied = { changes, hijacked, takesDirect: plan.direct !== undefined }
    return plan
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work)
    this.#queue = result.catch(() => undefined)
    return result
  }
}
