/**
 * How a kind of shared state is kept as records of k8s-ovs: a key each, with a JSON object. Pure; reading and writing
 * them is the registry's business.
 * @module
 */
import type { Kind, Kinds } from '../../registry/registry.ts'
import type { GoObject } from './go-object.ts'
import type { Folders } from './layout.ts'

/** The kinds that k8s-ovs keeps in etcd. */
export type OvsKind = 'Cluster' | 'NodeNetwork' | 'Tenant'

/** Whether a kind is one of k8s-ovs's. */
export function isOvsKind(kind: Kind): kind is OvsKind {
  return kind === 'Cluster' || kind === 'NodeNetwork' || kind === 'Tenant'
}

/** What is known where a record is read. */
export interface ReadContext<K extends OvsKind> {
  readonly folders: Folders
  /** What this record last said when it could be read, as far as this process knows. */
  readonly last: Kinds[K] | undefined
  /** What no controller has confirmed counts: only for whoever confirms it. */
  readonly confirms: boolean
}

/** A record as it is to be understood: the value is still to be validated. */
export type RecordReading =
  | { readonly name: string; readonly value: unknown }
  /** It means nothing. */
  | { readonly problem: string; readonly remedy: string }

/** One kind's records. */
export interface RecordBinding<K extends OvsKind> {
  /** Whether a key is one of this kind's. */
  isKey(key: string, folders: Folders): boolean
  /** What a record means. */
  read(key: string, object: GoObject, context: ReadContext<K>): RecordReading
  /** The text for a value, over what was there before. */
  write(value: Kinds[K], before: GoObject | undefined): string
  /** What an object is shown as while its record cannot be read: what it was, with the reason where there is a place. */
  damaged(last: Kinds[K], why: string): Kinds[K]
}
