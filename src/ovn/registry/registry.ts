/**
 * OVN's northbound database as shared state: the cluster's configuration, machines and tenants. What it does not keep is
 * elsewhere (src/registry/layered.ts).
 * @module
 */
import { type DatabaseMonitor, isOvsdbError } from '../../ovs/ovsdb/index.ts'
import { cut, decodeValue } from '../../registry/codec.ts'
import {
  type Change,
  type Kind,
  type Kinds,
  type Listing,
  type Registry,
  RegistryError,
  type Stored,
} from '../../registry/registry.ts'
import type { Northbound } from '../connect.ts'
import { isOvnError } from '../errors.ts'
import type { NorthboundTables } from '../northbound.ts'
import { ofCluster } from '../owner.ts'
import { isOvnKind, ledgerName, type OvnKind, readRecord, readRevision, TABLE } from './records.ts'
import { type Batch, View } from './view.ts'
import { deleteObject, ledgerRevision, putObject, takeNumber } from './writes.ts'

const COLUMNS = ['name', 'external_ids'] as const

function specOf(cluster: string) {
  const where = [ofCluster(cluster)] as const
  return {
    Logical_Router: { columns: COLUMNS, where },
    Logical_Switch: { columns: COLUMNS, where },
    Address_Set: { columns: COLUMNS, where },
  } as const
}

type Spec = ReturnType<typeof specOf>

/** How an {@link OvnRegistry} is made. */
export interface OvnRegistryOptions {
  /** Changes that a watcher may lag behind before it has to list again. 8192 when absent. */
  readonly history?: number
}

/** Shared state in rows of OVN's northbound database. Revisions are counted in a row of their own, one per write. */
export class OvnRegistry implements Registry {
  readonly #nbd: Northbound
  readonly #view: View
  readonly #monitor: DatabaseMonitor<NorthboundTables, Spec>
  readonly #bookmarkEvery: number
  /** Of this process one write is under way at a time: they would only get in each other's way. */
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(nbd: Northbound, monitor: DatabaseMonitor<NorthboundTables, Spec>, history: number) {
    this.#nbd = nbd
    this.#monitor = monitor
    this.#bookmarkEvery = Math.max(1, Math.floor(history / 4))
    this.#view = new View({ history, takeNumber: () => void this.#takeNumber() })
    this.#view.load(this.#everything())
    monitor.subscribe((changes) => this.#view.apply(this.#batchOf(changes)))
  }

  /** Reads what is there, and follows it. Throws `REGISTRY_UNAVAILABLE`. */
  static async open(nbd: Northbound, options: OvnRegistryOptions = {}): Promise<OvnRegistry> {
    const monitor = await unavailable(nbd.client.monitor(specOf(nbd.cluster)))
    return new OvnRegistry(nbd, monitor, Math.max(1, options.history ?? 8192))
  }

  /** Follows no longer. The connection stays. */
  close(): void {
    this.#monitor.close()
  }

  async get<K extends Kind>(kind: K, name: string): Promise<Stored<K> | undefined> {
    return (await this.list(kind, undefined, name)).objects[0]
  }

  async list<K extends Kind>(kind: K, atLeast?: number, name?: string): Promise<Listing<K>> {
    const ours = ovnKind(kind)
    if (atLeast === undefined || atLeast > this.#view.revision) await this.#catchUp()
    const all: readonly Stored<Kind>[] = this.#view.list(ours)
    const objects = name === undefined ? all : all.filter((object) => object.name === name)
    return { revision: this.#view.revision, objects: objects as readonly Stored<K>[] }
  }

  async *watch<K extends Kind>(
    kind: K,
    after: number,
    signal: AbortSignal,
    name?: string,
  ): AsyncGenerator<Change<K>, void> {
    const ours = ovnKind(kind)
    const { era } = this.#view
    let seen = after
    let told = after
    while (!signal.aborted) {
      if (this.#view.era !== era || !this.#view.reaches(seen)) {
        throw new RegistryError('REGISTRY_EXPIRED', `no history back to revision ${seen}`)
      }
      const entries = this.#view.after(seen)
      const next = entries.find(({ kind: of, object }) => of === ours && (name === undefined || object.name === name))
      if (next !== undefined) {
        seen = next.object.revision
        told = seen
        yield { type: next.type, object: next.object as Stored<Kind> as Stored<K> }
        continue
      }
      seen = this.#view.revision
      if (seen - told >= this.#bookmarkEvery) {
        told = seen
        yield { type: 'bookmark', revision: seen }
      } else await this.#view.nextChange(signal)
    }
  }

  async create<K extends Kind>(kind: K, name: string, value: Kinds[K]): Promise<Stored<K>> {
    return this.#put(kind, name, value, 'absent')
  }

  async update<K extends Kind>(kind: K, name: string, value: Kinds[K], revision: number): Promise<Stored<K>> {
    return this.#put(kind, name, value, revision)
  }

  async delete(kind: Kind, name: string, revision?: number): Promise<void> {
    const object = { kind: ovnKind(kind), name }
    await this.#alone(() => deleteObject(this.#nbd, object, revision))
  }

  async #put<K extends Kind>(kind: K, name: string, value: Kinds[K], at: number | 'absent'): Promise<Stored<K>> {
    const ours = ovnKind(kind)
    const valid = decodeValue(kind, name, value) as Kinds[OvnKind]
    const least = this.#view.revision
    const stored: Stored<Kind> = await this.#alone(() =>
      putObject(this.#nbd, { kind: ours, name, value: valid, at, least }),
    )
    return stored as Stored<K>
  }

  #alone<T>(write: () => Promise<T>): Promise<T> {
    const done = this.#writing.then(() => unavailable(write()))
    this.#writing = done.catch(() => undefined)
    return done
  }

  /** What the server did before it answers is told before it answers: with the count of revisions all up to it is here. */
  async #catchUp(): Promise<void> {
    const revision = await unavailable(ledgerRevision(this.#nbd))
    const signal = AbortSignal.timeout(this.#nbd.timeoutMs)
    while (this.#view.revision < revision) {
      if (signal.aborted) throw new RegistryError('REGISTRY_UNAVAILABLE', "OVN's northbound server tells of no changes")
      await this.#view.nextChange(signal)
    }
  }

  /** A deletion by hand is to have a revision. If that fails the next write gives it one. */
  async #takeNumber(): Promise<void> {
    await this.#alone(() => takeNumber(this.#nbd, this.#view.revision)).catch(() => undefined)
  }

  #everything(): Batch {
    const rows = (Object.values(TABLE) as (keyof Spec)[]).flatMap((table) => [...this.#monitor.rows(table).values()])
    return { present: rows.flatMap((row) => readRecord(row) ?? []), gone: [], ledger: this.#ledger() }
  }

  #batchOf(changes: Parameters<Parameters<DatabaseMonitor<NorthboundTables, Spec>['subscribe']>[0]>[0]): Batch {
    const present = changes.flatMap((change) => (change.type === 'delete' ? [] : (readRecord(change.row) ?? [])))
    const gone = changes.flatMap((change) => (change.type === 'delete' ? [change.old.uuid] : []))
    return { present, gone, ledger: this.#ledger() }
  }

  #ledger(): number | undefined {
    const row = this.#monitor.byName('Address_Set', ledgerName(this.#nbd.cluster))
    return row === undefined ? undefined : readRevision(row.external_ids)
  }
}

function ovnKind(kind: Kind): OvnKind {
  if (isOvnKind(kind)) return kind
  throw new RegistryError('REGISTRY_INVALID', `OVN's northbound database keeps no ${cut(kind)}`)
}

/** A call's result; what is between us and the database is told as the registry tells it. */
export async function unavailable<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    if (isOvnError(error) || isOvsdbError(error)) {
      throw new RegistryError('REGISTRY_UNAVAILABLE', `${error.message} → ${error.remedy}`, { cause: error })
    }
    throw error
  }
}
