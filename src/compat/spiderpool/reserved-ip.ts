/**
 * Addresses that no pool gives out, as Spiderpool's SpiderReservedIP.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatIpRange } from '../../network/model/ip-range.ts'
import type { ReservedAddresses } from '../../network/model/pool.ts'
import { MAX_POOL_PROBLEM, MAX_POOL_RANGES } from '../../network/model/validate-pool.ts'
import { at, nameOf, optionalField } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'
import { Notes } from '../policy/notes.ts'
import { eachIn, problemOf, rangeIn } from './reading.ts'
import { SPIDER_RESERVED_IPS } from './resources.ts'

/** SpiderReservedIP ↔ ReservedAddresses. Of one that cannot be understood what can be read counts: the rest is told. */
export const reservedIpBinding: KubeBinding<'ReservedAddresses'> = {
  resource: SPIDER_RESERVED_IPS,
  isOptional: true,
  place: clusterPlace,
  nameOf,
  decode,
  encode: (reserved) => objectOf(SPIDER_RESERVED_IPS, clusterPlace(reserved.name), patch(reserved)),
  patch,
}

/** `ipVersion` says nothing that the addresses do not say. */
function decode(object: KubeObject): unknown {
  const notes = new Notes('spec')
  const ranges = eachIn(at(object, 'spec', 'ips'), MAX_POOL_RANGES, notes.at('ips'), rangeIn)
  if (ranges.length === 0) notes.at('ips').problem('it has no address that could be reserved')
  return { name: nameOf(object), ranges, ...optionalField('problem', problemOf(notes, MAX_POOL_PROBLEM)) }
}

function patch({ ranges }: ReservedAddresses): MergePatch {
  return { spec: { ips: ranges.map(formatIpRange) } }
}
