/**
 * Everything that Spiderpool's controller does about the networks that pods ask for by name: definitions made of
 * SpiderMultusConfigs, and what SpiderCoordinators know of the cluster.
 * @module
 */
import { runCoordinators } from './coordinators.ts'
import { runMultusConfigs } from './multus-configs.ts'
import type { SpiderpoolOptions } from './options.ts'

/** Looks after Spiderpool's objects until `signal` aborts. Does not reject for anything that the API does. */
export async function runSpiderpool(options: SpiderpoolOptions): Promise<void> {
  await Promise.all([runMultusConfigs(options), runCoordinators(options)])
}
