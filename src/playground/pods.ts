/**
 * Pods come and go, as users of the API have them come and go: an object is written, the kubelets do the rest.
 * @module
 */
import type { KubeApi } from '../kube/api.ts'
import { KubeError } from '../kube/errors.ts'
import type { KubeObject } from '../kube/object.ts'
import { NAMESPACES, NODES, PODS } from '../kube/resources.ts'
import type { PodSpec } from './demo.ts'
import { PlaygroundError } from './errors.ts'
import { podObject } from './objects.ts'
import { until } from './processes.ts'

const PATIENCE = 60_000

/** Makes pods, all at the same time, and waits until they are ready. Throws the first failure after all have ended. */
export async function addPods(api: KubeApi, specs: readonly PodSpec[]): Promise<void> {
  const outcomes = await Promise.allSettled(specs.map((spec) => addPod(api, spec)))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Removes a pod and waits until it is gone. Throws PLAY_NOT_FOUND when there is none. */
export async function deletePod(api: KubeApi, namespace: string, name: string): Promise<void> {
  try {
    await api.delete(PODS, { namespace, name })
  } catch (error) {
    if (!isCode(error, 'KUBE_NOT_FOUND')) throw error
    const remedy = '`weft play status` lists the pods'
    throw new PlaygroundError('PLAY_NOT_FOUND', `there is no pod ${namespace}/${name}`, remedy)
  }
  await waitFor(`${namespace}/${name} to be gone`, async () => (await api.get(PODS, { namespace, name })) === undefined)
}

async function addPod(api: KubeApi, spec: PodSpec): Promise<void> {
  const { namespace, name } = spec
  if ((await api.get(NAMESPACES, { name: namespace })) === undefined) {
    const remedy = `\`weft play namespace add ${namespace}\``
    throw new PlaygroundError('PLAY_NOT_FOUND', `there is no namespace "${namespace}"`, remedy)
  }
  if ((await api.get(NODES, { name: spec.node })) === undefined) {
    const names = (await api.list(NODES)).items.map(({ metadata }) => metadata.name)
    throw new PlaygroundError('PLAY_NOT_FOUND', `there is no node ${spec.node}`, `take one of ${names.join(', ')}`)
  }
  try {
    await api.create(PODS, podObject(spec))
  } catch (error) {
    if (!isCode(error, 'KUBE_EXISTS')) throw error
    const remedy = `\`weft play pod delete ${namespace}/${name}\``
    throw new PlaygroundError('PLAY_EXISTS', `there is a pod ${namespace}/${name} already`, remedy)
  }
  await waitFor(`${namespace}/${name} to be ready`, async () => isReady(await api.get(PODS, { namespace, name })))
}

/** Whether a pod has its condition `Ready`. */
export function isReady(pod: KubeObject | undefined): boolean {
  const status = pod?.['status'] as { readonly conditions?: readonly Condition[] } | undefined
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
}

interface Condition {
  readonly type: string
  readonly status: string
}

async function waitFor(what: string, holds: () => Promise<boolean>): Promise<void> {
  if (await until(holds, PATIENCE)) return
  throw new PlaygroundError(
    'PLAY_TIMEOUT',
    `waited ${PATIENCE / 1000} s for ${what}`,
    '`weft play status` shows what runs',
  )
}

function isCode(error: unknown, code: KubeError['code']): boolean {
  return error instanceof KubeError && error.code === code
}
