/**
 * The store's file: current objects, their last changes, and the revision after which each resource's changes are known.
 * @module
 */
import { Database as Sqlite, type Statement } from 'bun:sqlite'
import { type Change, type Entry, keyOf, type TraitsOf } from './change.ts'
import { Collection } from './collection.ts'

/** What a file held. */
export interface Loaded {
  readonly revision: number
  /** Where this store began. */
  readonly start: number
  readonly gaps: readonly Gap[]
  readonly collections: Map<string, Collection>
}

/** Revisions between two that this file never counted. */
export interface Gap {
  readonly after: number
  readonly until: number
}

/** More openings than these are not remembered. */
const MOST_GAPS = 1000

/** A file in SQLite's write-ahead mode: whatever ends the process, every commit is there whole or not at all. */
export class Database {
  readonly #db: Sqlite
  readonly #put: Statement
  readonly #remove: Statement
  readonly #record: Statement
  readonly #forget: Statement
  readonly #floor: Statement
  readonly #meta: Statement

  /** Opens the file and goes on from `revision`, unless it is further already; or makes one that begins there. */
  constructor(path: string, revision: number) {
    this.#db = new Sqlite(path, { create: true, strict: true })
    this.#db.run('PRAGMA journal_mode = WAL')
    // A commit survives the end of this process, which is what is promised; not that of the machine.
    this.#db.run('PRAGMA synchronous = NORMAL')
    this.#db.run('PRAGMA busy_timeout = 2000')
    this.#db.run(SCHEMA)
    const insert = this.#db.query('INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)')
    insert.run('revision', revision)
    insert.run('start', revision)
    this.#goOnFrom(revision)
    this.#put = this.#db.query('INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)')
    this.#remove = this.#db.query('DELETE FROM objects WHERE collection = ? AND namespace = ? AND name = ?')
    this.#record = this.#db.query('INSERT INTO changes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#forget = this.#db.query('DELETE FROM changes WHERE collection = ? AND revision <= ?')
    this.#floor = this.#db.query('INSERT OR REPLACE INTO floors VALUES (?, ?)')
    this.#meta = this.#db.query('UPDATE meta SET value = ? WHERE name = ?')
  }

  /** Reads everything. */
  load(traitsOf: TraitsOf): Loaded {
    const start = this.#number('start')
    const collections = new Map<string, Collection>()
    const floors = new Map(
      this.#db
        .query<{ collection: string; revision: number }, []>('SELECT * FROM floors')
        .all()
        .map(({ collection, revision }) => [collection, revision]),
    )
    const entries = Map.groupBy(this.#readObjects(traitsOf), ([collection]) => collection)
    const changes = Map.groupBy(this.#readChanges(traitsOf), ({ collection }) => collection)
    for (const name of new Set([...floors.keys(), ...entries.keys(), ...changes.keys()])) {
      const collection = new Collection(floors.get(name) ?? start)
      collection.load(
        (entries.get(name) ?? []).map(([, entry]) => entry),
        changes.get(name) ?? [],
      )
      collections.set(name, collection)
    }
    const gaps = this.#db.query<Gap, []>('SELECT * FROM gaps').all()
    return { revision: this.#number('revision'), start, gaps, collections }
  }

  /** Writes changes, all or none. */
  commit(changes: readonly Change[]): void {
    this.#db.transaction(() => {
      for (const change of changes) this.#write(change)
      const last = changes.at(-1)
      if (last !== undefined) this.#meta.run(last.revision, 'revision')
    })()
  }

  /** Forgets a resource's changes up to this revision. */
  compact(collection: string, floor: number): void {
    this.#db.transaction(() => {
      this.#forget.run(collection, floor)
      this.#floor.run(collection, floor)
    })()
  }

  close(): void {
    this.#db.close()
  }

  #write({ type, revision, at, collection, entry, previous }: Change): void {
    const { namespace, name, text } = entry
    const before = previous === undefined ? [null, null] : [previous.text, previous.revision]
    this.#record.run(revision, collection, at, type, namespace, name, text, ...before)
    if (type === 'DELETED') this.#remove.run(collection, namespace, name)
    else this.#put.run(collection, namespace, name, revision, text)
  }

  #goOnFrom(revision: number): void {
    const after = this.#number('revision')
    if (after >= revision) return
    this.#db.transaction(() => {
      this.#db.query('INSERT OR REPLACE INTO gaps VALUES (?, ?)').run(after, revision)
      this.#db
        .query('DELETE FROM gaps WHERE after NOT IN (SELECT after FROM gaps ORDER BY after DESC LIMIT ?)')
        .run(MOST_GAPS)
      this.#db.query('UPDATE meta SET value = ? WHERE name = ?').run(revision, 'revision')
    })()
  }

  #number(name: string): number {
    const row = this.#db.query<{ value: number }, [string]>('SELECT value FROM meta WHERE name = ?').get(name)
    return row?.value ?? 0
  }

  #readObjects(traitsOf: TraitsOf): [string, Entry][] {
    const rows = this.#db.query<ObjectRow, []>('SELECT * FROM objects').all()
    return rows.map((row) => [row.collection, entryOf(traitsOf, row)])
  }

  #readChanges(traitsOf: TraitsOf): Change[] {
    const rows = this.#db.query<ChangeRow, []>('SELECT * FROM changes ORDER BY revision').all()
    return rows.map((row) => ({
      type: row.type,
      revision: row.revision,
      at: row.at,
      collection: row.collection,
      entry: entryOf(traitsOf, row),
      previous:
        row.before === null
          ? undefined
          : entryOf(traitsOf, { ...row, text: row.before, revision: row.before_revision ?? 0 }),
    }))
  }
}

interface ObjectRow {
  readonly collection: string
  readonly namespace: string
  readonly name: string
  readonly revision: number
  readonly text: string
}

interface ChangeRow extends ObjectRow {
  readonly at: number
  readonly type: Change['type']
  readonly before: string | null
  readonly before_revision: number | null
}

function entryOf(traitsOf: TraitsOf, { collection, namespace, name, revision, text }: ObjectRow): Entry {
  return { namespace, name, key: keyOf(namespace, name), revision, text, ...traitsOf(collection, JSON.parse(text)) }
}

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  collection TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, revision INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (collection, namespace, name)
);
CREATE TABLE IF NOT EXISTS changes (
  revision INTEGER PRIMARY KEY, collection TEXT NOT NULL, at INTEGER NOT NULL, type TEXT NOT NULL,
  namespace TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, before TEXT, before_revision INTEGER
);
CREATE INDEX IF NOT EXISTS changes_of ON changes (collection, revision);
CREATE TABLE IF NOT EXISTS floors (collection TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gaps (after INTEGER PRIMARY KEY, until INTEGER NOT NULL);
`
