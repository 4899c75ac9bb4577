import { CniError } from '../../../../cni/index.ts'
import { MemoryRegistry } from '../../../../registry/memory.ts'
import { from, pool } from './objects.ts'

/** The founding document's pool. */
export const SEED = pool('p', '172.18.30.131-172.18.30.140')
/** The wish for it. */
export const WISH = from(['p'])

/** A registry with these pools. */
export async function cluster(...pools: readonly ReturnType<typeof pool>[]): Promise<MemoryRegistry> {
  const registry = new MemoryRegistry()
  for (const one of pools) await registry.create('AddressPool', one.name, one)
  await registry.create('Namespace', 'default', { name: 'default', uid: 'uid-default' })
  return registry
}

/** The error that a call ends with. */
export async function failure(promise: Promise<unknown>): Promise<CniError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  )
  if (error instanceof CniError) return error
  throw error
}

/** When what was written has been told to everybody. */
export function told(): Promise<void> {
  return Bun.sleep(5)
}
