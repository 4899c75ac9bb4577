/**
 * The fragments of a plan, and which of them changed since somebody last asked.
 * @module
 */
import { type Fragment, NO_TABLES, type SwitchTables } from './fragments/fragment.ts'

/** A fragment that changed: what it had in the switch and what it should have. */
export interface FragmentChange {
  readonly key: string
  readonly before: SwitchTables
  readonly after: SwitchTables
}

/** Fragments by key. */
export class FragmentSet {
  readonly #fragments = new Map<string, Fragment>()
  /** Fragments as they were when last taken, for those that were touched since. */
  readonly #touched = new Map<string, SwitchTables>()

  /** A fragment is so from now on; undefined: it is gone. */
  set(key: string, fragment: Fragment | undefined): void {
    if (fragment === undefined && !this.#fragments.has(key)) return
    if (!this.#touched.has(key)) this.#touched.set(key, this.#fragments.get(key) ?? NO_TABLES)
    if (fragment === undefined) this.#fragments.delete(key)
    else this.#fragments.set(key, fragment)
  }

  values(): Iterable<Fragment> {
    return this.#fragments.values()
  }

  /** Whether anything was touched since the last call of {@link take}. */
  get isTouched(): boolean {
    return this.#touched.size > 0
  }

  /** What changed since the last call. */
  take(): FragmentChange[] {
    const changes = [...this.#touched].map(([key, before]) => ({
      key,
      before,
      after: this.#fragments.get(key) ?? NO_TABLES,
    }))
    this.#touched.clear()
    return changes
  }
}
