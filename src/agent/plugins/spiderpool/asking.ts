/**
 * From a call to what is to be claimed for it: who the pod is, and which pools it may take from.
 * @module
 */
import { cniError } from '../../../cni/index.ts'
import { parseRoutes, ROUTES } from '../../../compat/spiderpool/selection/annotations.ts'
import { keepsAddresses, topOwner } from '../../../compat/spiderpool/selection/owner.ts'
import type { PoolSelection, SelectionSettings } from '../../../compat/spiderpool/selection/question.ts'
import { selectPools } from '../../../compat/spiderpool/selection/select.ts'
import type { Namespace, Pod } from '../../../network/model/pod.ts'
import { type Registry, RegistryError } from '../../../registry/registry.ts'
import type { LocalPods } from '../../networks/local-pods.ts'
import type { PluginCall } from '../plugin.ts'
import type { Claimer } from './claimer.ts'
import type { ClusterPools } from './cluster-pools.ts'
import { spiderpoolNetconf } from './netconf.ts'
import type { ClaimOrder } from './order.ts'

/** What is asked besides the pools. */
export interface AskingParts {
  readonly pools: ClusterPools
  readonly pods: Pick<LocalPods, 'find'>
  readonly registry: Pick<Registry, 'get'>
  readonly claimer: Claimer
  readonly settings: SelectionSettings
}

/**
 * What is to be claimed for a call. Throws what is wrong with what the pod asks for, unless it has addresses already: those
 * it keeps, whatever pools say by now.
 */
export async function orderFor(call: PluginCall, parts: AskingParts): Promise<ClaimOrder> {
  const { pools, claimer } = parts
  const pod = await podOf(call, parts)
  const owner = topOwner(pod)
  const isSticky = keepsAddresses(owner)
  const base = {
    namespace: pod.namespace,
    pod: pod.name,
    podUid: pod.uid,
    ifname: call.ifname,
    containerId: call.containerId,
    node: pools.node,
    ...(owner === undefined ? {} : { owner }),
    isSticky,
  }
  try {
    const { source, choices, hasCleanGateway } = await selectionFor(call, pod, parts)
    const wish = pod.wishes?.[ROUTES]
    return { ...base, source, choices, hasCleanGateway, routes: wish === undefined ? [] : parseRoutes(wish) }
  } catch (error) {
    if (isSticky || claimer.standing(base).length === 0) throw error
    return { ...base, source: 'default pools', choices: [], hasCleanGateway: false, routes: [] }
  }
}

/** Which pools a call's interface may take from, and why not from others. */
async function selectionFor(
  call: Pick<PluginCall, 'config' | 'ifname' | 'ordinal' | 'origin' | 'definition'>,
  pod: Pod,
  parts: Pick<AskingParts, 'pools' | 'registry' | 'settings'>,
): Promise<PoolSelection> {
  const { pools, settings } = parts
  const { labels } = pools
  const question = {
    ...spiderpoolNetconf(call.config),
    ifname: call.ifname,
    ordinal: ordinalOf(call),
    pod,
    namespace: await namespaceOf(pod.namespace, parts),
    node: { name: pools.node, ...(labels === undefined ? {} : { labels }) },
    ...(call.definition === undefined ? {} : { definition: call.definition }),
  }
  return selectPools(question, pools, settings)
}

/** Programs that delegate to us do not say which of the pod's interfaces it is; Multus numbers them by their names. */
function ordinalOf({ origin, ordinal, ifname }: Pick<PluginCall, 'origin' | 'ordinal' | 'ifname'>): number {
  const [, number] = /^net([1-9]\d{0,2})$/.exec(ifname) ?? []
  return origin.kind === 'caller' && ordinal === 0 && number !== undefined ? Number(number) : ordinal
}

async function podOf({ args, network }: PluginCall, { pods }: AskingParts): Promise<Pod> {
  const named = args.pod
  if (named === undefined) throw cniError('pod-required', { network, who: 'the call names none' })
  const pod = await pods.find(named)
  const who = `${named.namespace}/${named.name}`
  if (pod === undefined) throw cniError('pod-required', { network, who: `${who} is not in the cluster` })
  if (pod.isEnding === true) throw cniError('pod-required', { network, who: `${who} is ending` })
  return pod
}

/** One that no watch has told of yet is asked for: its annotations may name pools. */
async function namespaceOf(
  name: string,
  { pools, registry }: Pick<AskingParts, 'pools' | 'registry'>,
): Promise<Pick<Namespace, 'name' | 'labels' | 'defaultPools'>> {
  const known = pools.namespace(name)
  if (known !== undefined) return known
  try {
    return (await registry.get('Namespace', name))?.value ?? { name }
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
    throw cniError('claims-unreachable', { reason: error.message })
  }
}
