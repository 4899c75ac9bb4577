/**
 * Pods' networks: a namespace each, attached by the node's CNI plugins. The record is written before the plugins run and
 * goes last, so that whoever comes after a crash finds what is left.
 * @module
 */
import { addNamespace, inodeOf, ownNamespaces, removeNamespace } from '../../lab/namespaces.ts'
import { type Layout, netnsPath, podNetns } from '../../layout.ts'
import { findSandbox, removeSandbox, type Sandbox, writeSandbox } from '../../state.ts'
import { readConf } from './conf.ts'
import { type Attachment, CniError, type CniRuntime, cniAdd, cniDel } from './plugin.ts'

/** Whose network. */
export interface PodName {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly node: string
}

/** A pod's own record: not that of an earlier pod of its name. */
export function sandboxOf(layout: Layout, { namespace, name, uid }: PodName): Sandbox | undefined {
  const found = findSandbox(layout, namespace, name)
  return found?.uid === uid ? found : undefined
}

/** Whether a record's namespace is there and attached. */
export function isAttached(sandbox: Sandbox): boolean {
  return sandbox.result !== undefined && inodeOf(netnsPath(sandbox.netns)) !== undefined
}

/**
 * Makes a pod's network. What it leaves when it fails is known by its record: {@link removePodNetwork} clears it. Throws
 * CniError, PlaygroundError.
 */
export async function addPodNetwork(
  layout: Layout,
  runtime: CniRuntime,
  pod: PodName,
  signal: AbortSignal,
): Promise<void> {
  const other = findSandbox(layout, pod.namespace, pod.name)
  if (other !== undefined && other.uid !== pod.uid) {
    throw new CniError(`an earlier pod ${pod.namespace}/${pod.name} has not left yet`)
  }
  const sandbox: Sandbox = {
    ...pod,
    containerId: `${layout.prefix}-${pod.uid}`,
    netns: podNetns(layout, pod.namespace, pod.name),
  }
  const conf = readConf(runtime.confFile)
  // One that is noted and in no record was being made when a kubelet was killed.
  if (other === undefined && ownNamespaces(layout).includes(sandbox.netns)) removeNamespace(layout, sandbox.netns)
  addNamespace(layout, sandbox.netns)
  writeSandbox(layout, sandbox)
  writeSandbox(layout, { ...sandbox, result: await cniAdd(runtime, conf, attachmentOf(sandbox), signal) })
}

/** Removes a pod's network. The record stays when a plugin fails. Throws CniError. */
export async function removePodNetwork(layout: Layout, runtime: CniRuntime, sandbox: Sandbox): Promise<void> {
  await cniDel(runtime, readConf(runtime.confFile), attachmentOf(sandbox), sandbox.result)
  removeNamespace(layout, sandbox.netns)
  removeSandbox(layout, sandbox)
}

function attachmentOf({ namespace, name, uid, containerId, netns }: Sandbox): Attachment {
  return { namespace, name, uid, containerId, netns: netnsPath(netns) }
}
