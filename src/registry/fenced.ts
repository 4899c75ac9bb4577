/**
 * Shared state for somebody who may write only for a time, such as while they lead.
 * @module
 */
import { type Registry, RegistryError } from './registry.ts'

/** For how long somebody may write. */
export interface Fence {
  /** Aborts when it is over. */
  readonly signal: AbortSignal
  /** Throws when it is over, also where the signal has not told yet. */
  assertHeld(): void
}

/**
 * The same registry, whose writes throw `REGISTRY_FENCED` once the time is over. One that is on its way then throws it
 * too; whether it was made is not known.
 */
export function fenced(registry: Registry, fence: Fence): Registry {
  const guard = async <T>(write: () => Promise<T>): Promise<T> => {
    try {
      fence.assertHeld()
    } catch (cause) {
      throw new RegistryError('REGISTRY_FENCED', 'nothing was written: this process may not write any more', { cause })
    }
    return whileHeld(fence, write, lostOnTheWay)
  }
  const { report } = registry
  return {
    ...(report === undefined
      ? {}
      : { report: (network, status) => guard(() => report.call(registry, network, status)) }),
    get: (kind, name) => registry.get(kind, name),
    list: (kind, atLeast, name) => registry.list(kind, atLeast, name),
    watch: (kind, after, signal, name) => registry.watch(kind, after, signal, name),
    create: (kind, name, value) => guard(() => registry.create(kind, name, value)),
    update: (kind, name, value, revision) => guard(() => registry.update(kind, name, value, revision)),
    delete: (kind, name, revision) => guard(() => registry.delete(kind, name, revision)),
  }
}

/** What comes of a write, or `lost` when the time is over first. */
export async function whileHeld<T>({ signal }: Fence, write: () => Promise<T>, lost: () => Error): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>()
  const end = (): void => reject(lost())
  signal.addEventListener('abort', end)
  try {
    return await Promise.race([write(), over])
  } finally {
    // A signal that lives long must not collect a listener per write.
    signal.removeEventListener('abort', end)
  }
}

function lostOnTheWay(): RegistryError {
  return new RegistryError('REGISTRY_FENCED', 'this process may not write any more; what was on its way may be written')
}
