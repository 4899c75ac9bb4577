/**
 * A controller whose registry is as unkind as one can be: answers come late or not at all, writes take effect after they
 * were given up, watches lag behind each other or lose their history, others write in between, and the controller dies.
 * @module
 */
import type { Entry } from '../../registry/history.ts'
import { MemoryRegistry } from '../../registry/memory.ts'
import { type Kind, RegistryError, type Stored } from '../../registry/registry.ts'
import { ControllerState, INPUTS, type Input } from '../state.ts'
import { applyWrite, type Write } from '../write.ts'

/** What becomes of a write that is on its way. */
export type Fate = 'answered' | 'lost before' | 'lost after' | 'late'

interface Underway {
  readonly write: Write
  /** Undefined while nobody knows: the controller looks what is there. */
  readonly answer: Stored<Kind> | RegistryError | 'none' | undefined
}

/** A registry, and a controller that is driven step by step. */
export class Adversary {
  readonly registry: MemoryRegistry
  readonly #random: () => number
  readonly #told: { readonly [K in Input]: Entry[] } = {
    Cluster: [],
    Node: [],
    NodeNetwork: [],
    Namespace: [],
    Tenant: [],
  }
  #state: ControllerState
  #underway: Underway[] = []
  /** Writes that were given up and have not reached the registry yet. */
  #late: Write[] = []

  constructor(random: () => number) {
    this.#random = random
    this.#state = new ControllerState(random)
    this.registry = new MemoryRegistry({
      onCommit: (entry) => {
        if (isInput(entry.kind)) this.#told[entry.kind].push(entry)
      },
    })
  }

  /**
   * A new controller, which reads everything. What was on its way is forgotten: an update that its predecessor gave up is
   * kept from it by the terms of leaders, not by the controller. A node's network that is created late does no harm even now.
   */
  async restart(): Promise<void> {
    this.#state = new ControllerState(this.#random)
    this.#underway = []
    this.#late = this.#late.filter(({ kind, op }) => kind === 'NodeNetwork' && op === 'create')
    for (const kind of INPUTS) await this.relist(kind)
  }

  /** A watch begins anew with a listing; what it had not told yet it never will. */
  async relist<K extends Input>(kind: K): Promise<void> {
    this.#state.listed(kind, await this.registry.list(kind))
    this.#told[kind].length = 0
  }

  /** A watch tells some of what it has. */
  hear(kind: Input, count: number): void {
    for (const entry of this.#told[kind].splice(0, count)) {
      this.#state.heard(kind, { type: entry.type, object: entry.object as Stored<never> })
    }
  }

  /** The controller sets out on its next write. */
  async start(fate: Fate): Promise<void> {
    const write = this.#state.next()
    if (write === undefined) return
    if (fate === 'late') this.#late.push(write)
    const answer = fate === 'answered' || fate === 'lost after' ? await this.#apply(write) : undefined
    this.#underway.push({ write, answer: fate === 'answered' ? answer : undefined })
  }

  /** The controller hears what became of the oldest write on its way, or looks. */
  async answer(): Promise<void> {
    const first = this.#underway.shift()
    if (first === undefined) return
    const { write, answer } = first
    if (answer === undefined) {
      this.#state.found(write, await this.registry.get(write.kind, write.name), 'unknown')
      this.#state.retry(write)
    } else if (answer instanceof RegistryError) {
      this.#state.found(write, await this.registry.get(write.kind, write.name), 'refused')
      this.#state.retry(write)
    } else this.#state.made(write, answer === 'none' ? undefined : answer)
  }

  /** A write that was given up takes effect after all. */
  async arrive(): Promise<void> {
    const write = this.#late.shift()
    if (write !== undefined) await this.#apply(write)
  }

  /** Everything that is on its way arrives and is told; the controller writes until nothing is left to do. */
  async settle(): Promise<void> {
    while (this.#late.length > 0) await this.arrive()
    for (let steps = 0; ; steps += 1) {
      if (steps > 500) throw new Error('the controller never comes to rest')
      while (this.#underway.length > 0) await this.answer()
      for (const kind of INPUTS) this.hear(kind, Number.POSITIVE_INFINITY)
      await this.start('answered')
      if (this.#underway.length === 0) return
    }
  }

  async #apply(write: Write): Promise<Stored<Kind> | RegistryError | 'none'> {
    try {
      return (await applyWrite(this.registry, write as never)) ?? 'none'
    } catch (error) {
      if (error instanceof RegistryError) return error
      throw error
    }
  }
}

function isInput(kind: Kind): kind is Input {
  return (INPUTS as readonly Kind[]).includes(kind)
}
