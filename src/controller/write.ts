/**
 * What the controller wants written, as data.
 * @module
 */
import type { Kind, Kinds, Registry } from '../registry/registry.ts'

/** A write of one object of kind K. Updates and deletions name the revision that they were decided on. */
export type WriteOf<K extends Kind> =
  | { readonly op: 'create'; readonly kind: K; readonly name: string; readonly value: Kinds[K] }
  | {
      readonly op: 'update'
      readonly kind: K
      readonly name: string
      readonly value: Kinds[K]
      readonly revision: number
    }
  | { readonly op: 'delete'; readonly kind: K; readonly name: string; readonly revision: number }

/** A write of what the controller owns. */
export type Write = WriteOf<'NodeNetwork'> | WriteOf<'Tenant'> | WriteOf<'Namespace'>

/** Writes of several kinds, each of one. */
export type AnyWriteOf<K extends Kind> = K extends Kind ? WriteOf<K> : never

/** Writes, and what cannot be done, for people. */
export interface Decision<K extends Kind> {
  readonly writes: readonly AnyWriteOf<K>[]
  readonly problems: readonly string[]
}

/** Makes a write. Throws what the registry throws. */
export async function applyWrite<K extends Kind>(registry: Registry, write: WriteOf<K>): Promise<void> {
  if (write.op === 'create') await registry.create(write.kind, write.name, write.value)
  else if (write.op === 'update') await registry.update(write.kind, write.name, write.value, write.revision)
  else await registry.delete(write.kind, write.name, write.revision)
}
