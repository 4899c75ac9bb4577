/**
 * The calls that must fail, and how.
 * @module
 */
import { node } from './conformance-tools.ts'
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
      await registry.create('Node', 'a', node('a'))
      await registry.create('Node', 'a', node('a'))
    },
    code: 'REGISTRY_EXISTS',
  },
  {
    title: 'creating the same name under another kind is not',
    run: async (registry) => {
      await registry.create('Node', 'a', node('a'))
      await registry.create('Namespace', 'a', { name: 'a', uid: 'u' })
    },
    code: 'ok',
  },
  {
    title: 'creating a deleted name again is not refused',
    run: async (registry) => {
      await registry.create('Node', 'a', node('a'))
      await registry.delete('Node', 'a')
      await registry.create('Node', 'a', node('a'))
    },
    code: 'ok',
  },
  {
    title: 'updating nothing is refused',
    run: (registry) => registry.update('Node', 'a', node('a'), 1),
    code: 'REGISTRY_NOT_FOUND',
  },
  {
    title: 'updating at an old revision is refused',
    run: async (registry) => {
      const first = await registry.create('Node', 'a', node('a'))
      await registry.update('Node', 'a', node('a', 'u2'), first.revision)
      await registry.update('Node', 'a', node('a', 'u3'), first.revision)
    },
    code: 'REGISTRY_CONFLICT',
  },
  {
    title: 'updating a successor of the same name is refused',
    run: async (registry) => {
      const first = await registry.create('Node', 'a', node('a'))
      await registry.delete('Node', 'a', first.revision)
      await registry.create('Node', 'a', node('a'))
      await registry.update('Node', 'a', node('a', 'u2'), first.revision)
    },
    code: 'REGISTRY_CONFLICT',
  },
  {
    title: 'deleting nothing is refused',
    run: (registry) => registry.delete('Node', 'a'),
    code: 'REGISTRY_NOT_FOUND',
  },
  {
    title: 'deleting at an old revision is refused',
    run: async (registry) => {
      const first = await registry.create('Node', 'a', node('a'))
      await registry.update('Node', 'a', node('a', 'u2'), first.revision)
      await registry.delete('Node', 'a', first.revision)
    },
    code: 'REGISTRY_CONFLICT',
  },
  {
    title: 'an invalid value is refused',
    run: (registry) => registry.create('Node', 'a', { name: 'a', uid: '', addresses: [] }),
    code: 'REGISTRY_INVALID',
  },
  {
    title: 'a value under another name is refused',
    run: (registry) => registry.create('Node', 'a', node('b')),
    code: 'REGISTRY_INVALID',
  },
  {
    title: 'a name that is no name is refused',
    run: (registry) => registry.create('Node', '__proto__', node('__proto__')),
    code: 'REGISTRY_INVALID',
  },
  {
    title: 'a value of megabytes is refused',
    run: (registry) => registry.create('Node', 'a', node('a', 'x'.repeat(3_000_000))),
    code: 'REGISTRY_INVALID',
  },
  {
    title: 'an update with an invalid value is refused',
    run: async (registry) => {
      const first = await registry.create('Node', 'a', node('a'))
      await registry.update('Node', 'a', null as unknown as Kinds['Node'], first.revision)
    },
    code: 'REGISTRY_INVALID',
  },
]
