/**
 * The registry's objects as this process sees them, with the last changes: what watchers read from.
 *
 * A row carries the revision of its last write, a deleted one carries nothing. The server may tell of several writes at
 * once, and does so after a reconnect: then every deletion takes one of the numbers that no row took. What somebody deletes
 * by hand took no number: it waits until one is taken for it (`takeNumber`).
 * @module
 */
import type { Change, Kind, Stored } from '../../registry/registry.ts'
import type { OvnKind, OvnRecord } from './records.ts'

/** A change of one of the kinds. */
export interface Entry {
  readonly kind: OvnKind
  readonly type: Exclude<Change<Kind>['type'], 'bookmark'>
  readonly object: Stored<OvnKind>
}

/** What one message of the server says. */
export interface Batch {
  /** Rows that came or changed. */
  readonly present: readonly OvnRecord[]
  /** Rows that went. */
  readonly gone: readonly string[]
  /** The count of revisions; undefined where its row is gone. */
  readonly ledger: number | undefined
}

/** How a {@link View} is made. */
export interface ViewOptions {
  /** Changes that a watcher may lag behind. */
  readonly history: number
  /** Asked for when a deletion has no number. */
  readonly takeNumber: () => void
}

/** The registry's objects. */
export class View {
  readonly #options: ViewOptions
  /** By the row's UUID. */
  readonly #rows = new Map<string, OvnRecord>()
  #log: Entry[] = []
  #oldest = 0
  #revision = 0
  #era = 0
  #unnumbered: Entry[] = []
  readonly #waiting = new Set<() => void>()

  constructor(options: ViewOptions) {
    this.#options = options
  }

  /** The revision up to which all is known. */
  get revision(): number {
    return this.#revision
  }

  /** Counts how often the history was lost: no watch survives that. */
  get era(): number {
    return this.#era
  }

  /** The objects of a kind. */
  list<K extends OvnKind>(kind: K): readonly Stored<K>[] {
    return [...this.#rows.values()].flatMap((record) =>
      record.kind === kind && record.object !== undefined ? [record.object as Stored<K>] : [],
    )
  }

  /** Whether every change after this revision is still here. */
  reaches(after: number): boolean {
    return after >= this.#oldest && after <= this.#revision
  }

  /** The changes after a revision, in order. */
  after(revision: number): readonly Entry[] {
    const at = this.#log.findIndex(({ object }) => object.revision > revision)
    return at < 0 ? [] : this.#log.slice(at)
  }

  /** Takes all there is as the beginning of a history. */
  load(batch: Batch): void {
    this.#rows.clear()
    for (const record of batch.present) this.#rows.set(record.uuid, record)
    this.#restart(highest(batch, this.#rows.values()))
  }

  /** Follows the server by one message. */
  apply(batch: Batch): void {
    const now = Math.max(batch.ledger ?? this.#revision, ...batch.present.map(({ revision }) => revision))
    if (now < this.#revision) {
      // Somebody put an older copy of the database in place of this one.
      this.#move(batch)
      this.#restart(now)
      return
    }
    const puts = batch.present.filter((record) => this.#isNew(record))
    const named = new Set(puts.map(({ kind, name }) => `${kind}/${name}`))
    const lost = [...this.#unnumbered, ...this.#move(batch)]
    // What is there again was changed: a deletion told after that would be of the new one.
    const deletions = lost.filter(({ kind, object }) => !named.has(`${kind}/${object.name}`))
    const taken = new Set(puts.map(({ revision }) => revision))
    const fresh = puts.flatMap(({ kind, object }): Entry[] =>
      object === undefined ? [] : [{ kind, type: 'put', object }],
    )
    for (let revision = this.#revision + 1; revision <= now && deletions.length > 0; revision += 1) {
      if (taken.has(revision)) continue
      const deletion = deletions.shift()
      if (deletion !== undefined) fresh.push({ ...deletion, object: Object.freeze({ ...deletion.object, revision }) })
    }
    this.#unnumbered = deletions
    this.#record(fresh, now)
    if (deletions.length > 0) this.#options.takeNumber()
  }

  /** Resolves with the next change, or when `signal` aborts. */
  nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake)
        this.#waiting.delete(wake)
        resolve()
      }
      if (signal.aborted) return resolve()
      signal.addEventListener('abort', wake)
      this.#waiting.add(wake)
    })
  }

  #isNew(record: OvnRecord): boolean {
    const known = this.#rows.get(record.uuid)
    return record.revision > this.#revision && known?.revision !== record.revision
  }

  /** Takes the rows over. Returns what went with them. */
  #move({ present, gone }: Batch): readonly Entry[] {
    const lost = gone.flatMap((uuid): Entry[] => {
      const record = this.#rows.get(uuid)
      this.#rows.delete(uuid)
      return record?.object === undefined ? [] : [{ kind: record.kind, type: 'delete', object: record.object }]
    })
    for (const record of present) {
      // What is there under its old revision was changed by hand, or by OVN's side of the row: it is what it was.
      if (this.#rows.get(record.uuid)?.revision !== record.revision) this.#rows.set(record.uuid, record)
    }
    return lost
  }

  #record(entries: readonly Entry[], revision: number): void {
    this.#revision = revision
    this.#log.push(...entries.toSorted((a, b) => a.object.revision - b.object.revision))
    const excess = this.#log.length - this.#options.history
    if (excess > 0) {
      this.#oldest = this.#log[excess - 1]?.object.revision ?? this.#oldest
      this.#log = this.#log.slice(excess)
    }
    this.#wake()
  }

  #restart(revision: number): void {
    this.#era += 1
    this.#log = []
    this.#unnumbered = []
    this.#oldest = revision
    this.#revision = revision
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
  }
}

function highest({ ledger }: Batch, records: Iterable<OvnRecord>): number {
  return Math.max(ledger ?? 0, ...[...records].map(({ revision }) => revision))
}
