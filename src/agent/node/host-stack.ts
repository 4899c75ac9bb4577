/**
 * The node's own stack as planned, applied by one after another: what is planned last is applied last, however many ask
 * and however long each takes.
 * @module
 */
import { type HostPlan, hostPlan } from '../../network/host.ts'
import type { NodePlanner } from '../../network/planner.ts'

/** Keeps the node's own stack as planned. */
export class HostStack {
  readonly #apply: (plan: HostPlan) => Promise<void>
  #queue: Promise<unknown> = Promise.resolve()
  /** As of when services are published; undefined before everything was applied once. */
  #published: number | undefined

  /** `apply` makes the stack what a plan says, and rejects with what it cannot. */
  constructor(apply: (plan: HostPlan) => Promise<void>) {
    this.#apply = apply
  }

  /** Whether everything was set up as planned since the start. */
  get applied(): boolean {
    return this.#published !== undefined
  }

  /** Applies everything as planned when its turn comes; resolves with that plan. */
  apply(planner: NodePlanner): Promise<HostPlan> {
    return this.#enqueue(() => this.#applyNow(planner))
  }

  /** Applies everything if what is to be published changed; nothing before the first {@link apply}. */
  publish(planner: NodePlanner): Promise<void> {
    return this.#enqueue(async () => {
      if (this.applied && planner.publicationChanges !== this.#published) await this.#applyNow(planner)
    })
  }

  async #applyNow(planner: NodePlanner): Promise<HostPlan> {
    const changes = planner.publicationChanges
    const plan = hostPlan(planner.context, planner.publication())
    await this.#apply(plan)
    this.#published = changes
    return plan
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work)
    this.#queue = result.catch(() => undefined)
    return result
  }
}
