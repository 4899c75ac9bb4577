/**
 * What administrators open to machines outside, as the cluster has it: kept for the plan.
 * @module
 */
import type { BgpConfiguration, BgpRange } from '../../network/model/bgp.ts'
import type { OutsideWishes } from '../../network/outside-wishes.ts'
import type { Watcher } from './watcher.ts'

/** The BGPConfiguration that counts, and the IPPools. `changed` is called when they are others. */
export class OutsideInputs implements OutsideWishes {
  readonly configurations: Watcher<BgpConfiguration>
  readonly pools: Watcher<BgpRange>
  readonly #configurations = new Map<string, BgpConfiguration>()
  readonly #ranges = new Map<string, BgpRange>()
  readonly #listeners: (() => void)[]

  constructor(changed: () => void) {
    this.#listeners = [changed]
    const tell = (): void => {
      for (const listener of this.#listeners) listener()
    }
    this.configurations = watcherOf(this.#configurations, tell)
    this.pools = watcherOf(this.#ranges, tell)
  }

  /** Is called from now on, too, when they are others: what a node's BGP is made of is read once. */
  listen(changed: () => void): void {
    this.#listeners.push(changed)
  }

  /** Whether there is an object that counts. */
  has(kind: 'BgpConfiguration' | 'BgpRange', name: string): boolean {
    return kind === 'BgpRange' ? this.#ranges.has(name) : this.#configurations.has(name)
  }

  get configuration(): BgpConfiguration | undefined {
    return this.#configurations.get('default')
  }

  get ranges(): Iterable<BgpRange> {
    return this.#ranges.values()
  }
}

function watcherOf<T extends { readonly name: string }>(map: Map<string, T>, changed: () => void): Watcher<T> {
  return {
    put: (value) => {
      map.set(value.name, value)
      changed()
    },
    remove: (name) => {
      map.delete(name)
      changed()
    },
  }
}
