/**
 * One call of a container runtime, without an agent: everything that it needs is in the node's own Open vSwitch.
 * @module
 */

import { readingConfig } from '../../cni/config-fault.ts'
import {
  type CniArgs,
  type CniRequest,
  cniError,
  type JsonObject,
  printResult,
  versionAnswer,
} from '../../cni/index.ts'
import { parseUnderlayNetconf, type UnderlayNetconf } from '../../compat/ovn-underlay/netconf.ts'
import { closeFd, netnsOpen, netnsSelf, openRtnl, sameNetns } from '../../linux/index.ts'
import { connectOvsdb } from '../../ovs/ovsdb/index.ts'
import { attachPod, detachPod, type PodInterface, type PodPlace } from './attach.ts'
import { checkPod, collectPods, statusOfPods } from './judge.ts'

/** Serves a call; resolves to what is printed. `socket` is that of ovsdb-server where the configuration names none. */
export async function servePods(request: CniRequest, socket: string): Promise<string> {
  if (request.verb === 'VERSION') return `${JSON.stringify(versionAnswer(request.requested))}\n`
  const config = configOf(request.config?.raw ?? {}, request.verb === 'DEL')
  using rtnl = openRtnl()
  using ovs = await connectOvsdb({ path: config.ovsdb ?? socket })
  const place: PodPlace = { rtnl, ovs }
  switch (request.verb) {
    case 'ADD':
      return await inside(request, async (pod) =>
        printResult(await attachPod(place, pod, config), request.config.version),
      )
    case 'CHECK':
      return await inside(request, async (pod) => {
        await checkPod(place, pod, request.prevResult)
        return ''
      })
    case 'DEL':
      await detachPod(place, request, config.hostBridge)
      return ''
    case 'STATUS':
      await statusOfPods(place, config)
      return ''
    case 'GC':
      await collectPods(place, request.config.name, request.validAttachments, config.hostBridge)
      return ''
  }
}

/** A DEL frees what it can, whatever its configuration has become. */
function configOf(raw: JsonObject, isLenient: boolean): UnderlayNetconf {
  if (!isLenient) return readingConfig(() => parseUnderlayNetconf(raw))
  try {
    return parseUnderlayNetconf(raw)
  } catch {
    return parseUnderlayNetconf({})
  }
}

async function inside(
  request: Extract<CniRequest, { readonly verb: 'ADD' | 'CHECK' }>,
  act: (pod: PodInterface) => Promise<string>,
): Promise<string> {
  const { containerId, ifname, netns, allowHostNetns, config, args } = request
  const nsFd = opened(netns)
  const own = netnsSelf()
  try {
    if (sameNetns(nsFd, own) && !allowHostNetns) throw cniError('netns-is-host', { netns })
    return await act({ containerId, ifname, netns, nsFd, network: config.name, pod: podIn(args) })
  } finally {
    closeFd(own)
    closeFd(nsFd)
  }
}

function opened(netns: string): number {
  try {
    return netnsOpen(netns)
  } catch (error) {
    throw cniError('netns-unusable', { netns, reason: error instanceof Error ? error.message : String(error) })
  }
}

function podIn({ pod }: CniArgs): string | undefined {
  return pod === undefined ? undefined : `${pod.namespace}/${pod.name}`
}
