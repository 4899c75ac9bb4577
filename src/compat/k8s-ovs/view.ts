/**
 * A kind's objects as a watcher knows them, and what a change of records does to them.
 * @module
 */
import type { Batch, Entry, KeyEvent } from '../../etcd/key-space.ts'
import type { Change, Stored } from '../../registry/registry.ts'
import { type Reader, type Reading, readRecord, winnerOf } from './readings.ts'
import type { OvsKind } from './record.ts'

/** What hears how a view's records are. */
export interface RecordWitness<K extends OvsKind> {
  /** `counts`: no later record speaks of the same object. */
  read(reading: Reading<K>, counts: boolean): void
  gone(key: string, revision: number): void
}

/** The objects that records make. */
export class View<K extends OvsKind> {
  readonly #reader: Reader<K>
  readonly #witness: RecordWitness<K>
  readonly #readings = new Map<string, Reading<K>>()
  /** The keys of the records of a name. */
  readonly #keys = new Map<string, Set<string>>()

  constructor(reader: Reader<K>, entries: Iterable<Entry>, witness: RecordWitness<K>) {
    this.#reader = reader
    this.#witness = witness
    for (const entry of entries) this.#put(entry)
    for (const reading of this.#readings.values()) this.#tell(reading)
  }

  /** The records that this is made of. */
  get entries(): readonly Entry[] {
    return [...this.#readings.values()].map(({ entry }) => entry)
  }

  /** Every object. */
  objects(): readonly Stored<K>[] {
    return [...this.#keys.keys()].flatMap((name) => this.get(name) ?? [])
  }

  get(name: string): Stored<K> | undefined {
    return this.winner(name)?.object
  }

  /** The record that counts for a name. */
  winner(name: string): Reading<K> | undefined {
    return winnerOf(this.of(name))
  }

  /** Every record of a name. */
  of(name: string): readonly Reading<K>[] {
    return [...(this.#keys.get(name) ?? [])].flatMap((key) => this.#readings.get(key) ?? [])
  }

  at(key: string): Reading<K> | undefined {
    return this.#readings.get(key)
  }

  /** What everything that happened at one revision means: changes of objects, or a bookmark. */
  apply({ revision, events }: Batch): readonly Change<K>[] {
    const before = new Map<string, Stored<K> | undefined>()
    const note = (reading: Reading<K> | undefined): void => {
      const name = reading?.object?.name
      if (name !== undefined && !before.has(name)) before.set(name, this.get(name) ?? reading?.object)
    }
    // All of them first: what was is the state before any of them.
    for (const event of events) note(this.#was(event))
    const after = new Set(before.keys())
    for (const event of events) {
      if (event.type === 'delete') this.#remove(event.key)
      else {
        const name = this.#put(event.entry).object?.name
        if (name !== undefined) after.add(name)
      }
    }
    this.#tellOf(events, after, revision)
    const changes = [...after].flatMap((name) => this.#change(name, before.get(name), revision))
    return changes.length === 0 ? [{ type: 'bookmark', revision }] : changes
  }

  #tellOf(events: Batch['events'], names: Iterable<string>, revision: number): void {
    for (const event of events) {
      const reading = event.type === 'put' ? this.#readings.get(event.entry.key) : undefined
      if (reading !== undefined) this.#tell(reading)
      else if (event.type === 'delete') this.#witness.gone(event.key, revision)
    }
    // One that counts now may not have counted before.
    for (const name of names) {
      const winner = this.winner(name)
      if (winner !== undefined) this.#tell(winner)
    }
  }

  #tell(reading: Reading<K>): void {
    const name = reading.object?.name
    this.#witness.read(reading, name === undefined || this.winner(name) === reading)
  }

  #change(name: string, before: Stored<K> | undefined, revision: number): readonly Change<K>[] {
    const object = this.get(name)
    const gone: readonly Change<K>[] =
      before === undefined ? [] : [{ type: 'delete', object: Object.freeze({ ...before, revision }) }]
    if (object === undefined) return gone
    if (object.revision === revision) return [{ type: 'put', object }]
    // A later record went, an earlier one is left.
    return before === undefined || before.revision === object.revision ? [] : [...gone, { type: 'put', object }]
  }

  /** What was at an event's key, as far as it is known here or etcd tells. */
  #was(event: KeyEvent): Reading<K> | undefined {
    const key = event.type === 'put' ? event.entry.key : event.key
    const known = this.#readings.get(key)
    if (known !== undefined || event.type === 'put' || event.last === undefined) return known
    return readRecord(this.#reader, event.last)
  }

  #put(entry: Entry): Reading<K> {
    this.#drop(entry.key)
    const reading = readRecord(this.#reader, entry)
    this.#readings.set(entry.key, reading)
    const name = reading.object?.name
    if (name !== undefined) this.#keys.set(name, (this.#keys.get(name) ?? new Set()).add(entry.key))
    return reading
  }

  #remove(key: string): void {
    this.#drop(key)
    this.#reader.memory.forget(key)
  }

  #drop(key: string): void {
    const name = this.#readings.get(key)?.object?.name
    this.#readings.delete(key)
    if (name === undefined) return
    const keys = this.#keys.get(name)
    keys?.delete(key)
    if (keys?.size === 0) this.#keys.delete(name)
  }
}
