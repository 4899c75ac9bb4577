/**
 * The convention by which kubelets called network programs before there was CNI: `init`, and `setup`, `status` and `teardown` of
 * a pod's container. Source: Kubernetes 1.2, `pkg/kubelet/network/exec`.
 * @module
 */
import { UnderlayError } from './errors.ts'

/** A call. */
export type ExecCall =
  | { readonly verb: 'init' }
  | {
      readonly verb: 'setup' | 'status' | 'teardown'
      readonly namespace: string
      readonly pod: string
      readonly containerId: string
    }

/** The interface that such a call is about: the convention has no name for it. */
export const EXEC_INTERFACE = 'eth0'

const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/
const CONTAINER = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/

/** Reads the words of a call. Throws UNDERLAY_USAGE. */
export function execCall(verb: 'init' | 'setup' | 'status' | 'teardown', words: readonly string[]): ExecCall {
  if (verb === 'init') return { verb }
  const [namespace = '', pod = '', containerId = '', ...rest] = words
  const bad = !NAME.test(namespace)
    ? 'the namespace'
    : !NAME.test(pod)
      ? 'the pod'
      : !CONTAINER.test(containerId)
        ? 'the container'
        : undefined
  if (bad === undefined && rest.length === 0) return { verb, namespace, pod, containerId }
  const cause = bad === undefined ? `${verb} takes three words` : `${bad} of ${verb} is no name`
  throw new UnderlayError('UNDERLAY_USAGE', cause, `write: ${verb} NAMESPACE POD CONTAINER`)
}

/**
 * Whether a process with these control groups, as `/proc/<pid>/cgroup` has them, is in a container. Runtimes name a group after
 * the whole ID, some with a word of their own before it: `docker-ID.scope`, `…:cri-containerd:ID`. Their monitors' groups,
 * `crio-conmon-ID.scope`, are the machine's. Pure.
 */
export function isInContainer(groups: string, containerId: string): boolean {
  // Number, controllers and path, by colons; a path may have some, too.
  const paths = groups.split('\n').map((line) => line.split(':').slice(2).join('/'))
  return paths.some((path) => path.split('/').some((part) => part.replace(OF_RUNTIME, '$<id>') === containerId))
}

const OF_RUNTIME = /^(?:cri-containerd|crio|docker|libpod)-(?<id>.+)\.scope$/

/** What `status` answers. */
export function podNetworkStatus(address: string): string {
  return JSON.stringify({ apiVersion: 'v1beta1', kind: 'PodNetworkStatus', ip: address })
}
