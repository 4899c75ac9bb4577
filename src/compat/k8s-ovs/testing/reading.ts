/**
 * Records as tests read them: of the network that k8s-ovs's documents have.
 * @module
 */
import type { NodeNetwork } from '../../../network/model/node.ts'
import type { Tenant } from '../../../network/model/tenant.ts'
import type { Kinds } from '../../../registry/registry.ts'
import { foldersOf, layoutOf } from '../layout.ts'
import { Memory, type Reading, readRecord } from '../readings.ts'
import type { OvsKind, RecordBinding } from '../record.ts'
import { RECORDS } from '../store.ts'

export const LAYOUT = required(layoutOf({}))
export const FOLDERS = required(foldersOf(LAYOUT, 'k8ssdn'))

/** A record as it is understood by somebody who knew `last`. */
export function reading<K extends OvsKind>(
  kind: K,
  key: string,
  value: string,
  last?: Kinds[K],
  confirms = false,
): Reading<K> {
  const memory = new Memory<K>()
  const name = last === undefined ? '' : kind === 'Tenant' ? (last as Tenant).namespace : (last as NodeNetwork).node
  if (last !== undefined) memory.learn(key, { name, value: last })
  const binding: RecordBinding<K> = RECORDS[kind]
  return readRecord({ kind, binding, memory, folders: FOLDERS, confirms }, { key, value, revision: 7, created: 7 })
}

/** A record's value. Throws with the problem where it cannot be read. */
export function read<K extends OvsKind>(kind: K, key: string, value: string): Kinds[K] {
  const { object, problem } = reading(kind, key, value)
  if (object === undefined) throw new Error(problem)
  return object.value
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing')
  return value
}
