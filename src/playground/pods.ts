/**
 * Pods come and go: the API object, the runtime's sandbox, the echo server.
 * @module
 */
import type { Registry } from '../registry/registry.ts'
import { forget, writePod, writePodAddresses } from './cluster.ts'
import { syncDaemon } from './daemon.ts'
import type { PodSpec } from './demo.ts'
import { PlaygroundError } from './errors.ts'
import { podKey } from './expect.ts'
import type { Layout } from './layout.ts'
import { runPod, stopPod } from './runtime.ts'
import { findSandbox } from './state.ts'

/** Adds pods, all at the same time, and starts what answers in them. Throws the first failure after all have ended. */
export async function addPods(layout: Layout, registry: Registry, specs: readonly PodSpec[]): Promise<void> {
  const outcomes = await Promise.allSettled(specs.map((spec) => addPod(layout, registry, spec)))
  await syncDaemon(layout)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Removes a pod. Throws PLAY_NOT_FOUND when there is none. */
export async function deletePod(layout: Layout, registry: Registry, namespace: string, name: string): Promise<void> {
  const sandbox = findSandbox(layout, namespace, name)
  const stored = await registry.get('Pod', podKey({ namespace, name }))
  if (sandbox === undefined && stored === undefined) {
    throw new PlaygroundError(
      'PLAY_NOT_FOUND',
      `there is no pod ${namespace}/${name}`,
      '`weft play status` lists the pods',
    )
  }
  if (sandbox !== undefined) await stopPod(layout, sandbox)
  await forget(registry, 'Pod', podKey({ namespace, name }))
  await syncDaemon(layout)
}

async function addPod(layout: Layout, registry: Registry, spec: PodSpec): Promise<void> {
  const pod = await writePod(registry, spec)
  try {
    await writePodAddresses(registry, pod, await runPod(layout, pod))
  } catch (error) {
    await forget(registry, 'Pod', podKey(pod)).catch(() => undefined)
    throw error
  }
}
