/**
 * Objects written as k8s-ovs's records: compare-and-swap everywhere, and a machine's record follows its address.
 * @module
 */
import type { Entry } from '../../etcd/key-space.ts'
import { cut } from '../../registry/codec.ts'
import { type Kinds, RegistryError } from '../../registry/registry.ts'
import { registryError } from './errors.ts'
import { parseGoObject } from './go-object.ts'
import type { Folders } from './layout.ts'
import { netNamespaceKey } from './net-namespace-record.ts'
import type { Reading } from './readings.ts'
import type { OvsKind, RecordBinding } from './record.ts'
import { RECORDS, type RecordStore } from './store.ts'
import { subnetKeyOf, waitingKeyOf } from './subnet-record.ts'
import type { View } from './view.ts'

/** An object to write. */
export interface ObjectWrite {
  readonly kind: OvsKind
  readonly name: string
  /** Valid. */
  readonly value: Kinds[OvsKind]
}

/** How often a write that somebody else gets in the way of is decided anew. */
const MOST_TRIES = 3

/** Throws `REGISTRY_EXISTS`, also when something that cannot be read is in the place. */
export async function createRecord(store: RecordStore, folders: Folders, write: ObjectWrite): Promise<Entry> {
  const { kind, name, value } = write
  for (let tries = 1; ; tries += 1) {
    const view = await store.around(kind, name, folders)
    const key = keyFor(store, write, view, folders)
    if (view.winner(name) !== undefined || view.at(key) !== undefined) throw exists(write)
    // What cannot be read may be this machine's: it is not passed by.
    if (kind === 'NodeNetwork' && isUnreadable(view.at(subnetKeyOf(value as Kinds['NodeNetwork'], folders)))) {
      throw exists(write)
    }
    try {
      return await store.space.put(key, textOf(write, undefined), 'absent')
    } catch (error) {
      if (registryError(error).code !== 'REGISTRY_CONFLICT') throw error
      if (tries === MOST_TRIES) throw exists(write)
    }
  }
}

/** Throws `REGISTRY_NOT_FOUND` and `REGISTRY_CONFLICT`. */
export async function updateRecord(
  store: RecordStore,
  folders: Folders,
  write: ObjectWrite,
  revision: number,
): Promise<Entry> {
  const { kind, name } = write
  const view = await store.around(kind, name, folders)
  const { entry } = expectAt(write, view.winner(name), revision)
  const key = keyFor(store, write, view, folders)
  const text = textOf(write, entry)
  if (key !== entry.key) {
    // An earlier record of its own may be there, which others may go by: it is written over, and never missing.
    const over = view.at(key)?.entry.revision
    return store.space.move({ from: entry, to: key, value: text, ...(over === undefined ? {} : { over }) })
  }
  const made = await store.space.put(key, text, revision)
  await sweep(store, view.of(name), made)
  return made
}

/** All records of the object: one that was left would come back as it once was. Throws as {@link updateRecord}. */
export async function deleteRecord(
  store: RecordStore,
  folders: Folders,
  object: Pick<ObjectWrite, 'kind' | 'name'>,
  revision: number | undefined,
): Promise<void> {
  const view = await store.around(object.kind, object.name, folders)
  const { entry } = expectAt(object, view.winner(object.name), revision)
  for (const other of view.of(object.name)) {
    if (other.entry.key !== entry.key) await store.space.delete(other.entry.key, other.entry.revision)
  }
  await store.space.delete(entry.key, entry.revision)
}

/** Where a value belongs. A machine whose address another's record stands under waits under its name. */
function keyFor({ layout }: RecordStore, { kind, value }: ObjectWrite, view: View<OvsKind>, folders: Folders): string {
  if (kind === 'Cluster') return layout.config
  if (kind === 'Tenant') return netNamespaceKey((value as Kinds['Tenant']).namespace, folders) ?? ''
  const network = value as Kinds['NodeNetwork']
  const key = subnetKeyOf(network, folders)
  const there = view.at(key)
  return there === undefined || there.object?.name === network.node ? key : waitingKeyOf(network, folders)
}

/** Removes what a move that was interrupted left: an earlier record of the same machine with the same range. */
async function sweep({ space }: RecordStore, readings: readonly Reading<OvsKind>[], made: Entry): Promise<void> {
  const subnet = parseGoObject(made.value)?.['Subnet']
  for (const { entry } of readings) {
    if (entry.key === made.key || parseGoObject(entry.value)?.['Subnet'] !== subnet) continue
    // Somebody else may do the same at this moment.
    await space.delete(entry.key, entry.revision).catch((error: unknown) => registryError(error))
  }
}

function textOf({ kind, value }: ObjectWrite, before: Entry | undefined): string {
  const binding = RECORDS[kind] as RecordBinding<OvsKind>
  return binding.write(value as never, before === undefined ? undefined : parseGoObject(before.value))
}

function expectAt(
  { kind, name }: Pick<ObjectWrite, 'kind' | 'name'>,
  found: Reading<OvsKind> | undefined,
  revision: number | undefined,
): Reading<OvsKind> {
  if (found === undefined) throw new RegistryError('REGISTRY_NOT_FOUND', `there is no ${kind} ${cut(name)}`)
  if (revision === undefined || found.entry.revision === revision) return found
  const message = `${kind} ${cut(name)} is at revision ${found.entry.revision}, not ${revision}`
  throw new RegistryError('REGISTRY_CONFLICT', message)
}

function isUnreadable(reading: Reading<OvsKind> | undefined): boolean {
  return reading !== undefined && reading.object === undefined
}

function exists({ kind, name }: ObjectWrite): RegistryError {
  return new RegistryError('REGISTRY_EXISTS', `${kind} ${cut(name)} exists already`)
}
