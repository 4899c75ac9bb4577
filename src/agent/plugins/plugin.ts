/**
 * What the steps of an attachment have in common, whether they are done here or by a program of the node. A network is a
 * list of them; the first makes the interface, those behind it adjust it.
 * @module
 */
import type { CniArgs, CniResult, CniVersion, JsonObject } from '../../cni/index.ts'
import type { Origin } from '../../network/model/grants.ts'
import type { PodNetns } from '../attach/endpoint-links.ts'

/** One step's call. */
export interface PluginCall {
  readonly containerId: string
  readonly ifname: string
  /** The CNI network's name. */
  readonly network: string
  /** Of the network's configuration: what a program would be spoken to in. */
  readonly version: CniVersion
  /** The step's own configuration, with `name`, `cniVersion`, `runtimeConfig` and `args`, without `prevResult`. */
  readonly config: JsonObject
  readonly origin: Origin
  /** Names the call of the runtime that it is a part of: all that was made for it goes together. */
  readonly plan: string
  /** The pod, where a kubelet's runtime calls. */
  readonly args: CniArgs
  /** The attachment definition as `<namespace>/<name>`, where there is one. */
  readonly definition?: string
  /** Which of the pod's interfaces it is: 0 for its first. */
  readonly ordinal: number
  /** Folders with plugins. */
  readonly path: readonly string[]
  /** Why accounts could not be read anew, as somebody is away: one in `config` may be no more than its place in a record. */
  readonly accountsAway?: unknown
  /** The result so far: of the steps before on ADD, of the whole list later. */
  readonly prevResult?: CniResult
}

/** A call that needs the pod's namespace. */
export interface PluginCallInside extends PluginCall {
  readonly netns: PodNetns
}

/** A call that has to do with less: the namespace may be gone. */
export interface PluginCallAfter extends PluginCall {
  readonly netns?: PodNetns
}

/** A call about what an ADD that came to its end made, when there is no runtime to open the pod's namespace. */
export interface PluginCallStanding extends PluginCall {
  readonly prevResult: CniResult
  /** Path of the pod's namespace as the runtime gave it. */
  readonly netnsPath: string
}

/**
 * A step. What ADD did, DEL undoes by the same configuration, from any point at which ADD was interrupted, by an agent
 * that knows nothing else. Errors are `CniError`s or have a stable code and a remedy.
 */
export interface Plugin {
  /** Throws with nothing left behind. The answer holds what `prevResult` held. */
  add(call: PluginCallInside, signal: AbortSignal): Promise<CniResult>
  /** Succeeds where nothing is left. */
  del(call: PluginCallAfter): Promise<void>
  /** Throws what is not as ADD made it. */
  check(call: PluginCallInside): Promise<void>
  /** Throws why ADD cannot be served now. Absent: it always can. */
  status?(call: Pick<PluginCall, 'config' | 'version' | 'path'>): Promise<void>
  /**
   * Puts back what somebody removed of a standing attachment while no agent was there. Leaves alone what is there, and pods
   * that are gone. Absent: there can be nothing to put back.
   */
  restore?(call: PluginCallStanding): Promise<void>
  /** Removes what attachments of this network other than these left. Absent: there can be nothing. */
  gc?(network: string, valid: ReadonlySet<string>): Promise<void>
}

/**
 * A plugin that gives out addresses, called by one that makes an interface: after the interface is there, and before it
 * has addresses. Its answer has `ips`, `routes` and `dns` only.
 */
export type IpamPlugin = Plugin

/** Finds plugins by `type`: ours are done here, others are programs in the folders of the call. */
export interface Plugins {
  plugin(type: string): Plugin
  ipam(type: string): IpamPlugin
}
