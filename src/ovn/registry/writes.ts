/**
 * Objects written as rows. Every write takes the next revision in the same transaction, and insists on the last one: of
 * two at once one is done again.
 * @module
 */
import { byName, byUuid, type Operation } from '../../ovs/ovsdb/index.ts'
import { cut } from '../../registry/codec.ts'
import { type Kinds, RegistryError, type Stored } from '../../registry/registry.ts'
import type { Northbound } from '../connect.ts'
import { nb } from '../northbound.ts'
import { CLUSTER_KEY, isOurs, marks } from '../owner.ts'
import { routerRemoval } from '../rows/routers.ts'
import { mapChanges, SUBNET_KEYS, switchRemoval } from '../rows/switches.ts'
import { read, rowsOf, settle } from '../settle.ts'
import {
  KEYS,
  ledgerName,
  nativeConfig,
  type OvnKind,
  PURPOSE,
  readRecord,
  readRevision,
  recordIds,
  rowName,
  TABLE,
} from './records.ts'

/** An object to write. */
export interface ObjectWrite {
  readonly kind: OvnKind
  readonly name: string
  /** Valid. */
  readonly value: Kinds[OvnKind]
  /** The revision that it has to have. */
  readonly at: number | 'absent'
  /** The new revision is above this one, should the count of them be lost. */
  readonly least: number
}

/** Creates or updates an object. Throws `REGISTRY_EXISTS`, `REGISTRY_NOT_FOUND`, `REGISTRY_CONFLICT`. */
export function putObject(nbd: Northbound, write: ObjectWrite): Promise<Stored<OvnKind>> {
  const { kind, name, value } = write
  const mine = crypto.randomUUID()
  return settle(nbd, `writing ${kind} ${name}`, async () => {
    const { ledger, row } = await look(nbd, write)
    const record = row === undefined ? undefined : readRecord(row)
    if (record?.write === mine && record.object !== undefined) return { done: record.object }
    if (write.at === 'absent') {
      if (row !== undefined) throw exists(write)
    } else expectAt(write, record?.revision, write.at)
    const revision = Math.max(ledger.revision, write.least) + 1
    const object: Stored<OvnKind> = Object.freeze({ name, revision, value })
    const ids = marks(nbd.cluster, PURPOSE[kind], recordIds(object, kind, mine))
    const operations = row === undefined ? [insertRow(nbd, write, ids)] : [updateRow(write, row, ids)]
    return { write: [...advance(nbd, ledger, revision), ...operations], result: object }
  })
}

/** Deletes an object, with what OVN hangs on its row. Throws `REGISTRY_NOT_FOUND`, `REGISTRY_CONFLICT`, OVN_IN_USE. */
export function deleteObject(
  nbd: Northbound,
  object: Pick<ObjectWrite, 'kind' | 'name'>,
  revision: number | undefined,
): Promise<void> {
  let wasThere = false
  return settle(nbd, `deleting ${object.kind} ${object.name}`, async () => {
    const { ledger, row } = await look(nbd, object)
    const record = row === undefined ? undefined : readRecord(row)
    // The answer to an earlier try may have been lost.
    if (record === undefined && wasThere) return { done: undefined }
    expectAt(object, record?.revision, revision)
    if (row === undefined) return { done: undefined }
    wasThere = true
    const next = advance(nbd, ledger, ledger.revision + 1)
    return { write: [...next, ...(await removal(nbd, object.kind, row.uuid, row.name))] }
  })
}

/** Moves the count on. */
export function takeNumber(nbd: Northbound, least: number): Promise<void> {
  let taken = false
  return settle(nbd, 'counting revisions', async () => {
    const ledger = await readLedger(nbd)
    if (taken) return { done: undefined }
    taken = true
    return { write: advance(nbd, ledger, Math.max(ledger.revision, least) + 1) }
  })
}

/** The revision of the last write; 0 before the first. */
export async function ledgerRevision(nbd: Northbound): Promise<number> {
  return (await readLedger(nbd)).revision
}

interface Ledger {
  readonly uuid: string | undefined
  readonly revision: number
}

async function readLedger(nbd: Northbound): Promise<Ledger> {
  const { ledgers } = await read(nbd, {
    ledgers: rowsOf('Address_Set', byName(ledgerName(nbd.cluster)), ['external_ids']),
  })
  return ledgerOf(nbd, ledgers)
}

async function look(nbd: Northbound, { kind, name }: Pick<ObjectWrite, 'kind' | 'name'>) {
  const { ledgers, rows } = await read(nbd, {
    ledgers: rowsOf('Address_Set', byName(ledgerName(nbd.cluster)), ['external_ids']),
    rows: rowsOf(TABLE[kind], byName(rowName(nbd.cluster, kind, name)), ['name', 'external_ids']),
  })
  return { ledger: ledgerOf(nbd, ledgers), row: rows.find((row) => isOurs(row, nbd.cluster)) ?? rows[0] }
}

function ledgerOf(
  { cluster }: Northbound,
  rows: readonly { readonly uuid: string; readonly external_ids: ReadonlyMap<string, string> }[],
): Ledger {
  const [row] = rows
  if (row === undefined) return { uuid: undefined, revision: 0 }
  if (isOurs(row, cluster)) return { uuid: row.uuid, revision: readRevision(row.external_ids) }
  const message = `the set of addresses ${ledgerName(cluster)} is not this cluster's`
  throw new RegistryError('REGISTRY_UNAVAILABLE', `${message} → remove or rename it, or give the cluster another name`)
}

/** Takes a revision; fails when somebody else took one since. */
function advance({ cluster }: Northbound, { uuid, revision: last }: Ledger, revision: number): readonly Operation[] {
  const name = ledgerName(cluster)
  if (uuid === undefined) {
    const external_ids = marks(cluster, 'registry', { [KEYS.revision]: String(revision) })
    return [nb.wait('Address_Set', byName(name), ['name'], '==', []), nb.insert('Address_Set', { name, external_ids })]
  }
  const unchanged = nb.wait(
    'Address_Set',
    [
      ['_uuid', '==', uuid],
      ['external_ids', 'includes', { [CLUSTER_KEY]: cluster, [KEYS.revision]: String(last) }],
    ],
    ['name'],
    '==',
    [{ name }],
  )
  const count = nb.mutate('Address_Set', byUuid(uuid), [
    ['external_ids', 'delete', [KEYS.revision]],
    ['external_ids', 'insert', { [KEYS.revision]: String(revision) }],
  ])
  return [unchanged, count]
}

function insertRow({ cluster }: Northbound, { kind, name, value }: ObjectWrite, ids: Readonly<Record<string, string>>) {
  const row = { name: rowName(cluster, kind, name), external_ids: ids }
  if (kind !== 'NodeNetwork') return nb.insert(TABLE[kind], row)
  return nb.insert('Logical_Switch', { ...row, other_config: nativeConfig(kind, value) })
}

function updateRow(
  { kind, value }: ObjectWrite,
  row: { readonly uuid: string; readonly external_ids: ReadonlyMap<string, string> },
  ids: Readonly<Record<string, string>>,
): Operation {
  const changes = mapChanges('external_ids', row.external_ids, ids, [])
  if (kind !== 'NodeNetwork') return nb.mutate(TABLE[kind], byUuid(row.uuid), changes)
  const config = nativeConfig(kind, value)
  return nb.mutate('Logical_Switch', byUuid(row.uuid), [
    ...changes,
    ['other_config', 'delete', SUBNET_KEYS.filter((key) => key !== 'exclude_ips')],
    ['other_config', 'insert', config],
  ])
}

async function removal(nbd: Northbound, kind: OvnKind, uuid: string, name: string): Promise<readonly Operation[]> {
  const table = TABLE[kind]
  if (table === 'Address_Set') return [nb.deleteRows(table, byUuid(uuid))]
  const { found } = await read(nbd, { found: rowsOf(table, byUuid(uuid), ['ports']) })
  const row = { uuid, name, ports: found[0]?.ports ?? [] }
  return table === 'Logical_Switch' ? switchRemoval(nbd, row) : routerRemoval(nbd, row)
}

function expectAt(
  { kind, name }: Pick<ObjectWrite, 'kind' | 'name'>,
  found: number | undefined,
  revision: number | undefined,
): void {
  if (found === undefined) throw new RegistryError('REGISTRY_NOT_FOUND', `there is no ${kind} ${cut(name)}`)
  if (revision === undefined || found === revision) return
  const message = `${kind} ${cut(name)} is at revision ${found}, not ${revision}`
  throw new RegistryError('REGISTRY_CONFLICT', message)
}

function exists({ kind, name }: Pick<ObjectWrite, 'kind' | 'name'>): RegistryError {
  return new RegistryError('REGISTRY_EXISTS', `${kind} ${cut(name)} exists already`)
}
