/**
 * Leases as etcd's keys tell them.
 * @module
 */
import type { StoredLease } from '../../compat/flannel/choice.ts'
import { decodeAttributes, parseLeaseKey } from '../../compat/flannel/lease.ts'
import type { Entry } from '../../etcd/key-space.ts'

/** A lease as an entry tells it; undefined for what is none. */
export function storedLease(
  folder: string,
  { key, value, revision, created, isTemporary }: Entry,
): StoredLease | undefined {
  const name = key.slice(folder.length)
  const subnets = parseLeaseKey(name)
  const attributes = decodeAttributes(value)
  if (subnets === undefined || attributes === undefined) return undefined
  return { key: name, revision, since: created, isReservation: isTemporary !== true, subnets, attributes }
}
