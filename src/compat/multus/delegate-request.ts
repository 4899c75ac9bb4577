/**
 * What each plugin of a delegate's network is asked: its configuration, with what the pod or the runtime wishes of it.
 * @module
 */
import type { CniArgs } from '../../cni/args.ts'
import { readingConfig } from '../../cni/config-fault.ts'
import { deriveConfig, isCapable } from '../../cni/derive.ts'
import { isObject, type JsonObject, member, optionalObject } from '../../cni/json.ts'
import type { NetworkList, PluginConfig } from '../../cni/network-list.ts'
import { refusedAt } from './errors.ts'
import { fieldOf, type NetworkSelection } from './selection.ts'

/** Who wishes what of a network. */
export interface DelegateWishes {
  /** `runtimeConfig` of the runtime's own call: what it asks of the pod's first network. Absent: a further network. */
  readonly runtimeConfig?: JsonObject
  readonly selection?: NetworkSelection
}

/**
 * Words that these plugins read from CNI_ARGS, where Multus passes them too, although no configuration declares it: ovs-cni
 * and the reference plugins of the CNI project.
 */
const READ_FROM_ARGS: Readonly<Record<string, readonly string[]>> = {
  ovs: ['mac'],
  bridge: ['mac'],
  macvlan: ['mac'],
  'host-local': ['ips'],
  static: ['ips'],
}

/**
 * The configuration of each plugin of a network, in their order. Throws `annotation-invalid`, naming the field, for a wish
 * of the pod that no plugin of the network declares: it would be lost without a word.
 * Throws `config-invalid` where cni-args cannot be merged into the network's own `args`.
 */
export function delegateConfigs(
  list: NetworkList,
  { runtimeConfig, selection }: DelegateWishes,
): readonly JsonObject[] {
  if (selection !== undefined) checkWishes(list, selection)
  const wanted = { ...runtimeConfig, ...selection?.wishes }
  return readingConfig(
    () => list.plugins.map((plugin) => withArgs(deriveConfig(plugin, list, wanted), selection?.cniArgs)),
    list.name,
  )
}

/**
 * CNI_ARGS for a delegate: those of the runtime's call, which name the pod, and the pod's wishes for older plugins. MAC
 * address and addresses that the runtime asks for by them are for the first network alone.
 */
export function delegateArgs({ pairs, pod }: CniArgs, { runtimeConfig, selection }: DelegateWishes): CniArgs {
  const isFirst = runtimeConfig !== undefined
  const kept = [...pairs].filter(([key]) => isFirst || (key !== 'MAC' && key !== 'IP'))
  const { mac, ips } = selection?.wishes ?? {}
  return {
    pod,
    pairs: new Map([
      ...kept,
      ['IgnoreUnknown', '1'],
      ...(typeof mac === 'string' ? [['MAC', mac] as const] : []),
      ...(Array.isArray(ips) ? [['IP', ips.join(',')] as const] : []),
    ]),
  }
}

function checkWishes({ plugins }: NetworkList, { wishes, place }: NetworkSelection): void {
  for (const capability of Object.keys(wishes)) {
    if (plugins.some((plugin) => takes(plugin, capability))) continue
    const expected = `cannot be asked for: no plugin of the network declares the capability ${capability}`
    throw refusedAt(place, fieldOf(capability), expected)
  }
}

function takes(plugin: PluginConfig, capability: string): boolean {
  if (isCapable(plugin, capability)) return true
  const ipam = member(plugin, 'ipam')
  const types = [plugin.type, isObject(ipam) ? member(ipam, 'type') : undefined]
  return types.some((type) => typeof type === 'string' && readsFromArgs(type).includes(capability))
}

function readsFromArgs(type: string): readonly string[] {
  return Object.hasOwn(READ_FROM_ARGS, type) ? (READ_FROM_ARGS[type] ?? []) : []
}

function withArgs(config: JsonObject, cniArgs: JsonObject | undefined): JsonObject {
  if (cniArgs === undefined) return config
  const args = optionalObject(config, 'args', 'args') ?? {}
  const cni = optionalObject(args, 'cni', 'args.cni') ?? {}
  return { ...config, args: { ...args, cni: { ...cni, ...cniArgs } } }
}
