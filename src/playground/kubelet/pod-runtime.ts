/**
 * What the API server passes on to the kubelets: logs and commands in containers.
 * @module
 */
import { join } from 'node:path'
import type { KubeObject } from '../../kube/object.ts'
import {
  ApiError,
  type ExecOptions,
  type ExecSession,
  type LogOptions,
  type PodRuntime,
} from '../apiserver/contract.ts'
import { execIn } from './container/exec.ts'
import { attempts, type ContainerFolder, observeRuns, runFolder } from './container/runs.ts'
import { type KubeletNode, podFolder } from './context.ts'
import { readLog } from './logs.ts'
import { type Container, decodePod, type Pod } from './pod/pod.ts'

/** The runtime of pods on some nodes. It reads the nodes' folders only: no kubelet needs to run for it. */
export function podRuntime(nodes: readonly KubeletNode[], now: () => number = Date.now): PodRuntime {
  return {
    logs: async (object, options, signal) => logs(nodes, object, options, now(), signal),
    exec: async (object, options) => exec(nodes, object, options, now()),
  }
}

function logs(
  nodes: readonly KubeletNode[],
  object: KubeObject,
  options: LogOptions,
  now: number,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const { folder, name } = find(nodes, object, options.container)
  const [latest, before] = attempts(folder).toReversed()
  const attempt = options.previous ? before : latest
  if (attempt === undefined) {
    const what = options.previous ? 'previous terminated container' : 'container'
    throw badRequest(
      options.previous
        ? `${what} ${JSON.stringify(name)} in pod ${JSON.stringify(object.metadata.name)} not found`
        : `${what} ${JSON.stringify(name)} in pod ${JSON.stringify(object.metadata.name)} is waiting to start`,
    )
  }
  return readLog(runFolder(folder, attempt), options, now, signal)
}

function exec(nodes: readonly KubeletNode[], object: KubeObject, options: ExecOptions, now: number): ExecSession {
  const { folder, name } = find(nodes, object, options.container)
  if (options.command.length === 0) throw badRequest('you must specify at least 1 command for the container')
  const { run } = observeRuns(folder, now)
  if (run.kind !== 'running') throw badRequest(`container ${JSON.stringify(name)} is not running`)
  return execIn(folder, run, options)
}

function find(
  nodes: readonly KubeletNode[],
  object: KubeObject,
  container: string | undefined,
): { readonly folder: ContainerFolder; readonly name: string } {
  const pod = decodePod(object)
  if (pod === undefined) throw badRequest('the pod cannot be run')
  if (pod.node === '') throw badRequest(`pod ${pod.name} does not have a host assigned`)
  const node = nodes.find(({ name }) => name === pod.node)
  if (node === undefined) throw new ApiError(404, 'NotFound', `no kubelet runs node ${pod.node}`)
  const { name } = chosen(pod, container)
  return { folder: join(podFolder(node, pod.uid), name), name }
}

/** The container that was asked for; else the one that an annotation names, or the first. */
function chosen(pod: Pod, name: string | undefined): Container {
  const wanted = name ?? pod.annotations['kubectl.kubernetes.io/default-container']
  const all = [...pod.containers, ...pod.initContainers]
  const found = wanted === undefined ? pod.containers[0] : all.find((each) => each.name === wanted)
  if (found !== undefined) return found
  throw badRequest(
    `container ${wanted} is not valid for pod ${pod.name}: it has ${all.map((each) => each.name).join(', ')}`,
  )
}

function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message)
}
