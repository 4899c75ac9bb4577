/**
 * What is kept of SpiderSubnets and of reserved addresses.
 * @module
 */
import { createHash } from 'node:crypto'
import { weftBindings } from '../../compat/bindings.ts'
import { at } from '../../compat/fields.ts'
import type { KubeObject, ObjectMeta } from '../../kube/object.ts'
import type { AddressPool, ReservedAddresses } from '../../network/model/pool.ts'
import { decodeAddressPool, decodeReservedAddresses } from '../../network/model/validate-pool.ts'
import { metadataKept } from './objects.ts'

/** What is kept of a subnet's object. */
export interface SubnetEntry {
  readonly metadata: ObjectMeta
  readonly spec: unknown
  /** A subnet has the fields of a pool. */
  readonly value?: AddressPool
  readonly digest: string
}

/** What is kept of a subnet's object. */
export function subnetEntry(object: KubeObject): SubnetEntry {
  const decoded = decodeAddressPool(weftBindings.AddressPool.decode(object))
  const { ips: _, excludeIPs: __, ...spec } = Object(at(object, 'spec'))
  return {
    metadata: metadataKept(object.metadata),
    spec,
    ...(decoded.ok ? { value: decoded.value } : {}),
    digest: digestOf(Object(at(object, 'status'))),
  }
}

/** What is kept of an object with reserved addresses. */
export interface ReservedEntry {
  readonly metadata: ObjectMeta
  /** As far as they can be read. */
  readonly reserved?: ReservedAddresses
}

/** What is kept of an object with reserved addresses. */
export function reservedEntry(object: KubeObject): ReservedEntry {
  const decoded = decodeReservedAddresses(weftBindings.ReservedAddresses.decode(object))
  return { metadata: metadataKept(object.metadata), ...(decoded.ok ? { reserved: decoded.value } : {}) }
}

/** A status, briefly: listings may be long, and of what was written only this is remembered. */
export function digestOf(status: Readonly<Record<string, unknown>>): string {
  const { controlledIPPools = null, totalIPCount, allocatedIPCount } = status
  return createHash('sha256')
    .update(JSON.stringify([controlledIPPools, totalIPCount, allocatedIPCount]))
    .digest('base64')
}
