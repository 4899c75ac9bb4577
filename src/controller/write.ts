/**
 * What the controller wants written, as data.
 * @module
 */
import type { Kind, Kinds, Registry, Stored } from '../registry/registry.ts'

/** What a write says to people: why something was refused or cannot be. */
export interface Notice {
  /** Stable, for programs. */
  readonly code: string
  readonly message: string
  readonly remedy: string
}

/** A write of one object of kind K. Updates and deletions name the revision that they were decided on. */
export type WriteOf<K extends Kind> =
  | {
      readonly op: 'create'
      readonly kind: K
      readonly name: string
      readonly value: Kinds[K]
      readonly notice?: Notice
    }
  | {
      readonly op: 'update'
      readonly kind: K
      readonly name: string
      readonly value: Kinds[K]
      readonly revision: number
      readonly notice?: Notice
    }
  | { readonly op: 'delete'; readonly kind: K; readonly name: string; readonly revision: number }

/** A write of what the controller owns. */
export type Write = WriteOf<'NodeNetwork'> | WriteOf<'Tenant'> | WriteOf<'Namespace'>

/** Which object a write is of: `<kind>/<name>`. */
export function keyOf({ kind, name }: Write): string {
  return `${kind}/${name}`
}

/** A write that was made, for people. */
export function describe(write: Write): string {
  if (write.op === 'delete') return `${write.kind} deleted`
  // Its ranges follow, with a line of their own.
  if (write.op === 'create' && write.kind === 'NodeNetwork') return 'NodeNetwork created'
  return `${write.kind} ${write.op === 'create' ? 'created' : 'updated'}: ${detailOf(write)}`
}

function detailOf(write: Exclude<Write, { readonly op: 'delete' }>): string {
  if (write.kind === 'Tenant') return `VNI ${write.value.vni}`
  if (write.kind === 'Namespace') return write.value.problem ?? 'no problem any more'
  return write.value.ranges.join(', ') || 'no range'
}

/** What became of a write. `unknown`: it was not made so far as anybody can see, and may be made yet. */
export type WriteEnd = 'made' | 'refused' | 'unknown'

/** Makes a write; the answer is the object as it is then, none after a deletion. Throws what the registry throws. */
export async function applyWrite<K extends Kind>(
  registry: Registry,
  write: WriteOf<K>,
): Promise<Stored<K> | undefined> {
  if (write.op === 'create') return registry.create(write.kind, write.name, write.value)
  if (write.op === 'update') return registry.update(write.kind, write.name, write.value, write.revision)
  await registry.delete(write.kind, write.name, write.revision)
  return undefined
}
