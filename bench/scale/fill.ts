/**
 * Fills the embedded API server's store before the server starts: through the store itself, as the server would, but
 * without a call for every object.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeObject } from '../../src/kube/object.ts'
import { traitsOf } from '../../src/playground/apiserver/selectors/field.ts'
import { Store } from '../../src/playground/apiserver/store/store.ts'

/** Objects in one transaction. */
const BATCH = 2_000
const COLLECTIONS: Readonly<Record<string, string>> = {
  Node: '/nodes',
  Namespace: '/namespaces',
  ServiceAccount: '/serviceaccounts',
  Pod: '/pods',
  Service: '/services',
  EndpointSlice: 'discovery.k8s.io/endpointslices',
}

/** What was written. */
export interface Filled {
  readonly objects: number
  readonly seconds: number
}

/** Writes objects into the store of a server that does not run. */
export async function fillStore(dir: string, objects: Iterable<KubeObject>): Promise<Filled> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const started = performance.now()
  const history = { count: 0, age: 0 }
  const store = new Store({ path: join(dir, 'store.sqlite'), now: Date.now, traitsOf, history })
  let count = 0
  try {
    for (const object of objects) {
      store.put(COLLECTIONS[object.kind] ?? '', object)
      count += 1
      if (count % BATCH === 0) {
        await store.settled()
        // What was written before the server's time is no history that anybody could ask for.
        store.compact()
      }
    }
    await store.settled()
    store.compact()
  } finally {
    await store.close()
  }
  return { objects: count, seconds: (performance.now() - started) / 1000 }
}
