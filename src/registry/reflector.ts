/**
 * A kind of shared state, kept as a map in this process.
 * @module
 */
import {
  type Fault,
  type MapChange,
  type ReflectSourceOptions,
  reflectSource,
  type Source,
  type SourceReflection,
} from './reflect.ts'
import { type Kind, type Registry, RegistryError, type Stored } from './registry.ts'

/** A kind's objects by name, as last heard of. */
export type Store<K extends Kind> = ReadonlyMap<string, Stored<K>>

/** What happened to the store; `before` is what was there. The store already shows it. */
export type StoreChange<K extends Kind> = MapChange<Stored<K>>

/** How a kind is reflected. */
export interface ReflectOptions<K extends Kind> extends ReflectSourceOptions<Stored<K>> {
  /** Only the object of this name. Absent: all. */
  readonly name?: string
}

/** A kind being reflected. */
export type Reflection<K extends Kind> = SourceReflection<Stored<K>>

/** Reflects a kind until `signal` aborts. Whatever the registry does, the store ends up equal to it. */
export function reflect<K extends Kind>(registry: Registry, kind: K, options: ReflectOptions<K>): Reflection<K> {
  const source: Source<number, Stored<K>> = {
    list: (_, atLeast) => registry.list(kind, atLeast, options.name),
    watch: (after, signal) => untilAborted(registry, kind, after, signal, options.name),
    faultOf,
  }
  return reflectSource(source, options)
}

async function* untilAborted<K extends Kind>(
  registry: Registry,
  kind: K,
  after: number,
  signal: AbortSignal,
  name: string | undefined,
) {
  yield* registry.watch(kind, after, signal, name)
  if (!signal.aborted) throw new RegistryError('REGISTRY_UNAVAILABLE', 'the registry ended the watch')
}

function faultOf(error: unknown): Fault {
  const code = error instanceof RegistryError ? error.code : undefined
  if (code === 'REGISTRY_UNAVAILABLE') return { kind: 'broken' }
  return { kind: code === 'REGISTRY_EXPIRED' ? 'expired' : 'other' }
}
