/**
 * What the parts of a node's kubelet share.
 * @module
 */
import { join } from 'node:path'
import type { AgentLog } from '../../agent/log.ts'
import type { KubeApi } from '../../kube/api.ts'
import type { Ip } from '../../network/model/address.ts'
import type { Layout } from '../layout.ts'
import type { Recorder } from './events.ts'
import type { CniRuntime } from './network/plugin.ts'
import type { ClusterNames } from './pod/resolver.ts'
import type { RestartTiming } from './pod/restart.ts'

/** A node as a kubelet sees it. */
export interface KubeletNode {
  readonly name: string
  /** The name of its network namespace. */
  readonly netns: string
  /** Its folder: pods are kept below it. */
  readonly dir: string
}

/** What the parts of a node's kubelet share. */
export interface Context {
  readonly api: KubeApi
  readonly layout: Layout
  readonly node: KubeletNode
  readonly addresses: readonly Ip[]
  readonly runtime: CniRuntime
  readonly names: ClusterNames
  readonly timing: Timing
  readonly log: AgentLog
  readonly now: () => number
  readonly record: Recorder
  /** A descriptor of the node's network namespace: probes start there. */
  readonly netnsFd: number
}

/** Milliseconds. */
export interface Timing extends RestartTiming {
  /** Between two looks at what runs. */
  readonly relist: number
  /** Before a failed attempt on a pod's network is repeated; doubled every time. */
  readonly sandboxBackoff: number
  readonly mostSandboxBackoff: number
  /** Between two looks at the network's state, and between two renewals of the node's lease. */
  readonly nodeStatus: number
  readonly lease: number
}

/** The folder of a pod's containers. */
export function podFolder(node: Pick<KubeletNode, 'dir'>, uid: string): string {
  return join(node.dir, 'pods', uid)
}
