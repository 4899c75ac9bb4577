/**
 * What of shared state is kept in the northbound database, and as which rows: the cluster as a router, a node's network as
 * a switch with the node's subnets, a tenant as a set of addresses. The object itself is in the row's `external_ids`.
 * @module
 */
import { decodeValue } from '../../registry/codec.ts'
import type { Kind, Kinds, Stored } from '../../registry/registry.ts'
import { setName } from '../names.ts'
import type { Purpose } from '../owner.ts'
import { subnetConfig } from '../rows/switches.ts'

/** The kinds that are kept there. */
export const OVN_KINDS = ['Cluster', 'NodeNetwork', 'Tenant'] as const satisfies readonly Kind[]

export type OvnKind = (typeof OVN_KINDS)[number]

/** The table of a kind's rows. */
export const TABLE = {
  Cluster: 'Logical_Router',
  NodeNetwork: 'Logical_Switch',
  Tenant: 'Address_Set',
} as const satisfies { readonly [K in OvnKind]: string }

/** What their rows are for. */
export const PURPOSE: { readonly [K in OvnKind]: Purpose } = {
  Cluster: 'router',
  NodeNetwork: 'switch',
  Tenant: 'addresses',
}

export const KEYS = {
  kind: 'weft-kind',
  name: 'weft-name',
  value: 'weft-value',
  revision: 'weft-revision',
  /** Tells who asks again, after an answer that never came, whether it was done. */
  write: 'weft-write',
} as const

/** An object as its row has it. */
export interface OvnRecord {
  readonly uuid: string
  readonly kind: OvnKind
  readonly name: string
  readonly revision: number
  readonly write: string | undefined
  /** Absent: it cannot be read. */
  readonly object: Stored<OvnKind> | undefined
}

/** Whether a kind is kept there. */
export function isOvnKind(kind: string): kind is OvnKind {
  return (OVN_KINDS as readonly string[]).includes(kind)
}

/** The name of an object's row, for people and for OVN. */
export function rowName(cluster: string, kind: OvnKind, name: string): string {
  if (kind === 'Cluster') return `weft.${cluster}`
  return kind === 'Tenant' ? setName(cluster, name) : `weft.${cluster}.${name}`
}

/** The name of the row that counts revisions. */
export function ledgerName(cluster: string): string {
  return setName(cluster)
}

/** The columns that OVN itself understands of an object. */
export function nativeConfig(kind: OvnKind, value: Kinds[OvnKind]): Readonly<Record<string, string>> {
  return kind === 'NodeNetwork' ? subnetConfig((value as Kinds['NodeNetwork']).ranges) : {}
}

/** The `external_ids` of an object, beside whose and what for it is. */
export function recordIds(object: Stored<OvnKind>, kind: OvnKind, write: string): Readonly<Record<string, string>> {
  return {
    [KEYS.kind]: kind,
    [KEYS.name]: object.name,
    [KEYS.value]: JSON.stringify(object.value),
    [KEYS.revision]: String(object.revision),
    [KEYS.write]: write,
  }
}

/** Reads a row's object. Undefined where the row is none of the registry's. */
export function readRecord(row: {
  readonly uuid: string
  readonly external_ids: ReadonlyMap<string, string>
}): OvnRecord | undefined {
  const ids = row.external_ids
  const kind = ids.get(KEYS.kind)
  const name = ids.get(KEYS.name)
  if (kind === undefined || !isOvnKind(kind) || name === undefined) return undefined
  const revision = readRevision(ids)
  const base = { uuid: row.uuid, kind, name, revision, write: ids.get(KEYS.write) }
  try {
    const value = decodeValue(kind, name, JSON.parse(ids.get(KEYS.value) ?? ''))
    return { ...base, object: Object.freeze({ name, revision, value }) }
  } catch {
    return { ...base, object: undefined }
  }
}

/** A row's revision; 0 where it has none that is one. */
export function readRevision(ids: ReadonlyMap<string, string>): number {
  const text = ids.get(KEYS.revision) ?? ''
  const revision = Number(text)
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(revision) ? revision : 0
}
