/**
 * A network's steps in their order. Source: CNI specification, "Section 3: Execution of Network Configurations"; unlike
 * libcni's, DEL goes on after a step that failed, so that one does not keep the others from cleaning up.
 * @module
 */
import { type CniResult, cniError, EMPTY_RESULT, type JsonObject } from '../../cni/index.ts'
import type { PodNetns } from '../attach/endpoint-links.ts'
import type { Plugin, PluginCall, Plugins } from './plugin.ts'

/** What all steps of a network are called with, and each one's configuration. */
export interface ListCall extends Omit<PluginCall, 'config' | 'prevResult'> {
  readonly plugins: readonly JsonObject[]
  readonly netns?: PodNetns
}

/** ADD of every step, each with the result of the one before. What the steps before a failed one did stays: DEL undoes it. */
export async function addList(
  plugins: Plugins,
  call: ListCall & { readonly netns: PodNetns },
  prevResult: CniResult | undefined,
  signal: AbortSignal,
): Promise<CniResult> {
  let result = prevResult
  for (const { plugin, config } of stepsOf(plugins, call)) {
    result = await plugin.add({ ...call, config, ...withResult(result) }, signal)
  }
  return result ?? EMPTY_RESULT
}

/** DEL of every step, the last first; what failed. `result` is that of the whole list, where ADD came to its end. */
export async function delList(
  plugins: Plugins,
  call: ListCall,
  result: CniResult | undefined,
): Promise<readonly unknown[]> {
  const failures: unknown[] = []
  for (const { plugin, config } of stepsOf(plugins, call).toReversed()) {
    try {
      await plugin.del({ ...call, config, ...withResult(result) })
    } catch (error) {
      failures.push(error)
    }
  }
  return failures
}

/** CHECK of every step with the result of the whole list. Throws the first difference. */
export async function checkList(
  plugins: Plugins,
  call: ListCall & { readonly netns: PodNetns },
  result: CniResult | undefined,
): Promise<void> {
  if (result === undefined)
    throw cniError('check-failed', { difference: `ADD of ${call.ifname} did not come to its end` })
  for (const { plugin, config } of stepsOf(plugins, call)) {
    await plugin.check({ ...call, config, prevResult: result })
  }
}

/** STATUS of every step. Throws the first reason. */
export async function statusList(
  plugins: Plugins,
  call: Pick<ListCall, 'plugins' | 'version' | 'path'>,
): Promise<void> {
  for (const { plugin, config } of stepsOf(plugins, call)) await plugin.status?.({ ...call, config })
}

/** GC of every step: what none of these attachments has, `<container id>/<interface>`. Throws what failed at the end. */
export async function gcList(
  plugins: Plugins,
  steps: readonly JsonObject[],
  network: string,
  valid: ReadonlySet<string>,
): Promise<void> {
  const done = await Promise.allSettled(
    stepsOf(plugins, { plugins: steps }).map(async ({ plugin }) => plugin.gc?.(network, valid)),
  )
  const failed = done.find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

function stepsOf(
  plugins: Plugins,
  call: Pick<ListCall, 'plugins'>,
): readonly { readonly plugin: Plugin; readonly config: JsonObject }[] {
  return call.plugins.map((config) => ({ plugin: plugins.plugin(String(config['type'] ?? '')), config }))
}

function withResult(prevResult: CniResult | undefined): { readonly prevResult?: CniResult } {
  return prevResult === undefined ? {} : { prevResult }
}
