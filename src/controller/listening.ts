/**
 * A registry whose answers somebody else hears too, in the order in which they come.
 * @module
 */
import type { Change, Kind, Listing, Registry } from '../registry/registry.ts'

/** Hears what a registry tells of one kind. */
export interface Listener<K extends Kind> {
  listed(listing: Listing<K>): void
  heard(change: Change<K>): void
}

/** The registry, for reading one kind. */
export function listening<K extends Kind>(registry: Registry, listener: Listener<K>): Registry {
  return {
    get: (kind, name) => registry.get(kind, name),
    list: async (kind, atLeast, name) => {
      const listing = await registry.list(kind, atLeast, name)
      listener.listed(listing as unknown as Listing<K>)
      return listing
    },
    watch: async function* (kind, after, signal, name) {
      for await (const change of registry.watch(kind, after, signal, name)) {
        listener.heard(change as unknown as Change<K>)
        yield change
      }
    },
    create: (kind, name, value) => registry.create(kind, name, value),
    update: (kind, name, value, revision) => registry.update(kind, name, value, revision),
    delete: (kind, name, revision) => registry.delete(kind, name, revision),
  }
}
