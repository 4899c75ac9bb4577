/**
 * The calls that must fail, and how.
 * @module
 */
import { network, tenant, wordy } from './conformance-tools.ts'
import type { Kinds, Registry, RegistryErrorCode } from './registry.ts'

/** A call and what becomes of it. */
export interface ConflictCase {
  readonly title: string
  readonly run: (registry: Registry) => Promise<unknown>
  readonly code: 'ok' | RegistryErrorCode
}

/** The calls on an empty registry that must fail, beside those next to them that must not. */
export const conflicts: readonly ConflictCase[] = [
  {
    title: 'creating a taken name is refused',
    run: async (registry) => {
      await registry.create('Tenant', 'a', tenant('a'))
      await registry.create('Tenant', 'a', tenant('a'))
    },
    code: 'REGISTRY_EXISTS',
  },
  {
    title: 'creating the same name under another kind is not',
    run: async (registry) => {
      await registry.create('Tenant', 'a', tenant('a'))
      await registry.create('NodeNetwork', 'a', network('a'))
    },
    code: 'ok',
  },
  {
    title: 'creating a deleted name again is not refused',
    run: async (registry) => {
      await registry.create('Tenant', 'a', tenant('a'))
      await registry.delete('Tenant', 'a')
      await registry.create('Tenant', 'a', tenant('a'))
    },
    code: 'ok',
  },
  {
    title: 'updating nothing is refused',
    run: (registry) => registry.update('Tenant', 'a', tenant('a'), 1),
    code: 'REGISTRY_NOT_FOUND',
  },
  {
    title: 'updating at an old revision is refused',
    run: async (registry) => {
      const first = await registry.create('Tenant', 'a', tenant('a'))
      await registry.update('Tenant', 'a', tenant('a', 12), first.revision)
      await registry.update('Tenant', 'a', tenant('a', 13), first.revision)
    },
    code: 'REGISTRY_CONFLICT',
  },
  {
    title: 'updating a successor of the same name is refused',
    run: async (registry) => {
      const first = await registry.create('Tenant', 'a', tenant('a'))
      await registry.delete('Tenant', 'a', first.revision)
      await registry.create('Tenant', 'a', tenant('a'))
      await registry.update('Tenant', 'a', tenant('a', 12), first.revision)
    },
    code: 'REGISTRY_CONFLICT',
  },
  {
    title: 'deleting nothing is refused',
    run: (registry) => registry.delete('Tenant', 'a'),
    code: 'REGISTRY_NOT_FOUND',
  },
  {
    title: 'deleting at an old revision is refused',
    run: async (registry) => {
      const first = await registry.create('Tenant', 'a', tenant('a'))
      await registry.update('Tenant', 'a', tenant('a', 12), first.revision)
      await registry.delete('Tenant', 'a', first.revision)
    },
    code: 'REGISTRY_CONFLICT',
  },
  {
    title: 'an invalid value is refused',
    run: (registry) => registry.create('Tenant', 'a', { namespace: 'a', vni: -1 }),
    code: 'REGISTRY_INVALID',
  },
  {
    title: 'a value under another name is refused',
    run: (registry) => registry.create('Tenant', 'a', tenant('b')),
    code: 'REGISTRY_INVALID',
  },
  {
    title: 'a name that is no name is refused',
    run: (registry) => registry.create('Tenant', '__proto__', tenant('__proto__')),
    code: 'REGISTRY_INVALID',
  },
  {
    title: 'a value of megabytes is refused',
    run: (registry) => registry.create('Tenant', 'a', wordy('a', 3_000_000)),
    code: 'REGISTRY_INVALID',
  },
  {
    title: 'an update with an invalid value is refused',
    run: async (registry) => {
      const first = await registry.create('Tenant', 'a', tenant('a'))
      await registry.update('Tenant', 'a', null as unknown as Kinds['Tenant'], first.revision)
    },
    code: 'REGISTRY_INVALID',
  },
]
