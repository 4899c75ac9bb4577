/**
 * What namespaces ask for all their pods on a node together.
 * @module
 */
import { type Bandwidth, sameBandwidth, UNLIMITED } from '../../network/model/bandwidth.ts'
import type { Namespace } from '../../network/model/pod.ts'
import type { NamespaceWatcher } from '../cluster/watcher.ts'

/** What namespaces ask for. */
export class NamespaceTotals implements NamespaceWatcher {
  readonly #onChange: () => void
  readonly #totals = new Map<string, Bandwidth>()
  #isRead = false

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** What was asked for a namespace; undefined before namespaces have been read. */
  wantedFor(namespace: string): Bandwidth | undefined {
    return this.#isRead ? (this.#totals.get(namespace) ?? UNLIMITED) : undefined
  }

  put({ name, totals = UNLIMITED }: Pick<Namespace, 'name' | 'totals'>): void {
    const before = this.#totals.get(name) ?? UNLIMITED
    if (Object.keys(totals).length === 0) this.#totals.delete(name)
    else this.#totals.set(name, totals)
    if (this.#isRead && !sameBandwidth(before, totals)) this.#onChange()
  }

  remove(name: string): void {
    this.put({ name })
  }

  /** All of them have been told. */
  read(): void {
    this.#isRead = true
    this.#onChange()
  }
}
