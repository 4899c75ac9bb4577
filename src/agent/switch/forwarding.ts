/**
 * Keeps the switch's flow tables equal to the plan: as a whole when the connection is new or from time to time, and by
 * the fragments that changed in between. All changes of one turn of the event loop travel in one bundle.
 * @module
 */
import type { Flow, Group, Meter } from '../../flow/flow.ts'
import { bundles, diffSwitch, type SwitchDiff, together } from '../../network/diff.ts'
import type { SwitchTables } from '../../network/fragments/fragment.ts'
import type { FragmentChange, NodePlanner } from '../../network/planner.ts'
import { diffMeters, type MeterDiff } from '../../network/qos/meters.ts'
import type { Backend } from '../../network/service/backends.ts'
import { type CalledAt, deadEnds, retagged } from '../../network/service/stale.ts'
import type { InstalledFlow } from '../control/facts.ts'

/** What forwarding needs of an OpenFlow connection. */
export interface FlowTables {
  /** Every flow of the bridge. */
  dump(): Promise<readonly InstalledFlow[]>
  /** Every group of the bridge. */
  dumpGroups(): Promise<readonly Group[]>
  /** Every meter of the bridge. */
  dumpMeters(): Promise<readonly Meter[]>
  /** Changes meters, one after the other: no bundle takes them. Removing one removes the flows that name it. */
  changeMeters(diff: MeterDiff): Promise<void>
  /** Removes somebody else's flows that our language cannot say, by what can be named of them. */
  removeOpaque(flows: readonly InstalledFlow[]): Promise<void>
  /** Applies a change atomically; resolves when the switch has it, rejects when nothing of it was done. */
  apply(diff: SwitchDiff, confirm?: Confirm): Promise<void>
  /** Has clients that were led to these UDP endpoints choose anew. */
  forgetUdp(backends: readonly Backend[]): Promise<void>
  /** Has connections to these services choose anew. */
  forgetCalls(services: readonly CalledAt[]): Promise<void>
}

/**
 * When a bundle is confirmed. `before` its commit: all or nothing whatever happens, at two round trips. `afterwards`: one
 * round trip; when the switch refuses a part, the rest may be in place, and the whole plan is applied next.
 */
export type Confirm = 'before' | 'afterwards'

/** What the flow tables are to be, and what changed of it. */
export type FlowPlan = Pick<NodePlanner, 'take' | 'flows' | 'groups' | 'meters'>

interface Waiter {
  readonly confirm: Confirm
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** The flow tables of the bridge, kept equal to a plan. */
export class Forwarding {
  readonly #tables: FlowTables
  readonly #failed: () => void
  #planner: FlowPlan | undefined
  /** Everything that changes the switch goes through here, one after another. */
  #queue: Promise<void> = Promise.resolve()
  #scheduled = false
  #waiters: Waiter[] = []
  #synced = false
  #fullSyncs = 0
  /** The switch's meters, as long as it is synchronised. */
  #meters: readonly Meter[] = []

  /** `failed` is called when a flush did not go through, whoever waited for it: only {@link sync} makes it good. */
  constructor(tables: FlowTables, failed: () => void = () => undefined) {
    this.#tables = tables
    this.#failed = failed
  }

  /** Whether the switch held the whole plan when last looked at, and every change since went through. */
  get synced(): boolean {
    return this.#synced
  }

  get fullSyncs(): number {
    return this.#fullSyncs
  }

  /** From now on this plan rules. Nothing is sent before {@link sync}. */
  follow(planner: FlowPlan): void {
    if (planner === this.#planner) return
    this.#planner = planner
    this.#synced = false
  }

  /** The connection is gone: what the switch holds is unknown until the next {@link sync}. */
  lost(): void {
    this.#synced = false
  }

  /** Reads what the switch holds and makes it the plan. */
  sync(): Promise<void> {
    return this.#enqueue(async () => {
      try {
        await this.#syncNow()
      } catch (error) {
        this.#synced = false
        throw error
      }
    })
  }

  /** Sends what changed in the plan; resolves when the switch holds it. Calls of one turn share a bundle. */
  flush({ confirm = 'before' }: { readonly confirm?: Confirm } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ confirm, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      setImmediate(() => this.#enqueue(() => this.#flushNow()).catch(() => undefined))
    })
  }

  async #flushNow(): Promise<void> {
    this.#scheduled = false
    const waiters = this.#waiters
    this.#waiters = []
    try {
      const changes = this.#planner?.take() ?? []
      // Before the first sync the switch gets the whole plan anyway.
      const confirm = waiters.every((waiter) => waiter.confirm === 'afterwards') ? 'afterwards' : 'before'
      if (this.#synced) await this.#applyChanges(changes, confirm)
      else await this.#syncNow()
      for (const { resolve } of waiters) resolve()
    } catch (error) {
      this.#synced = false
      for (const { reject } of waiters) reject(error)
      this.#failed()
    }
  }

  async #applyChanges(changes: readonly FragmentChange[], confirm: Confirm): Promise<void> {
    const before = together(changes.map((change) => change.before))
    const after = together(changes.map((change) => change.after))
    const meters = this.#planner?.meters() ?? []
    await this.#withMeters(meters, () => this.#apply(diffSwitch(before, after), confirm))
    await this.#forget(before, after)
  }

  async #syncNow(): Promise<void> {
    const planner = this.#planner
    if (planner === undefined) throw new Error('the node has no plan yet')
    const installed = await this.#tables.dump()
    const groups = await this.#tables.dumpGroups()
    this.#meters = await this.#tables.dumpMeters()
    // The plan as of now, not as of the request: changes planned meanwhile are part of it.
    planner.take()
    const foreign = installed.filter(({ opaque }) => opaque !== undefined)
    if (foreign.length > 0) await this.#tables.removeOpaque(foreign)
    const readable = installed.filter(({ opaque }) => opaque === undefined)
    const actual = { flows: flowsOf(readable), groups }
    const desired = { flows: planner.flows(), groups: planner.groups() }
    await this.#withMeters(planner.meters(), () => this.#apply(diffSwitch(actual, desired)))
    await this.#forget(actual, desired)
    this.#synced = true
    this.#fullSyncs += 1
  }

  /** Changes flows between the meters that they begin to name and those that they no longer do. */
  async #withMeters(meters: readonly Meter[], changeFlows: () => Promise<void>): Promise<void> {
    const { add, modify, remove } = diffMeters(this.#meters, meters)
    if (add.length + modify.length > 0) await this.#tables.changeMeters({ add, modify, remove: [] })
    await changeFlows()
    if (remove.length > 0) await this.#tables.changeMeters({ add: [], modify: [], remove })
    this.#meters = meters
  }

  async #forget(before: SwitchTables, after: SwitchTables): Promise<void> {
    await this.#tables.forgetUdp(deadEnds(before, after))
    await this.#tables.forgetCalls(retagged(before, after))
  }

  async #apply(diff: SwitchDiff, confirm: Confirm = 'before'): Promise<void> {
    for (const part of bundles(diff)) await this.#tables.apply(part, confirm)
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(work)
    this.#queue = result.catch(() => undefined)
    return result
  }
}

function flowsOf(installed: readonly InstalledFlow[]): Flow[] {
  return installed.map(({ flow }) => flow)
}
