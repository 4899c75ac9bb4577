/**
 * The CNI types `macvlan`, `ipvlan` and `vlan`: pods on a link of the node. Nothing of an attachment is on the node itself,
 * so that whatever an ADD was interrupted at is found in the pod by name and kind, or went with the pod.
 * @module
 */

import { readingConfig } from '../../../cni/config-fault.ts'
import { type CniResult, cniError, EMPTY_RESULT, type JsonObject } from '../../../cni/index.ts'
import { type Link, linkFind } from '../../../linux/index.ts'
import { type Ip, type Mac, parseIp, parseMac } from '../../../network/model/address.ts'
import type { Grants } from '../../../network/model/grants.ts'
import { configurationProblem, configureInterface } from '../configure.ts'
import type { Plugin, PluginCall, PluginCallAfter, PluginCallInside, Plugins } from '../plugin.ts'
import { extendResult } from '../result.ts'
import { findChild, makeChild, raiseChild, removeChild } from './child.ts'
import { checkMayChoose, type MasterSource, masterFor } from './master.ts'
import { type ChildKind, type ChildNetconf, ipamTypeOf, parseChildNetconf } from './netconf.ts'

/** What the plugins work with. */
export interface LinkParts extends MasterSource {
  readonly plugins: Pick<Plugins, 'ipam'>
  grants(): Grants
  /** Tells the wire whose addresses these are. */
  announce(told: {
    readonly nsFd: number
    readonly ifname: string
    readonly mac: Mac
    readonly addresses: readonly Ip[]
  }): void
}

/** The plugin that makes interfaces of a kind. */
export function childPlugin(kind: ChildKind, parts: LinkParts): Plugin {
  const { plugins, grants } = parts
  const read = (call: PluginCall): ChildNetconf => {
    const netconf = readingConfig(() => parseChildNetconf(kind, call))
    checkMayChoose(grants(), call.origin, 'master')
    return netconf
  }

  /** The interface first: nothing is sent from its addresses once they are free. */
  const remove = async (call: PluginCallAfter): Promise<void> => {
    const { ifname, netns, config } = call
    const type = ipamToUndo(config)
    await inOrder(
      async () => (netns === undefined ? undefined : removeChild(kind, ifname, netns)),
      async () => (type === undefined ? undefined : plugins.ipam(type).del(call)),
    )
  }

  /** Asks the IPAM plugin, once the interface is up, and gives the interface what it answers. */
  const address = async (
    call: PluginCallInside,
    { traits, ipam: type = '' }: ChildNetconf,
    { mac: macText = '' }: Link,
    signal: AbortSignal,
  ): Promise<CniResult> => {
    const answer = await plugins.ipam(type).add(call, signal)
    const addresses = answer.ips.flatMap((ip) => parseIp(ip.address.split('/')[0] ?? '') ?? [])
    if (addresses.length === 0) throw cniError('ipam-without-address', { type })
    const place = { nsFd: call.netns.fd, ifname: call.ifname }
    await configureInterface(place, answer, signal)
    const mac = parseMac(macText)
    // Where the node routes for its pods (l3), nobody asks who has an address.
    const isHeard = traits.kind !== 'ipvlan' || traits.mode === 'l2'
    if (mac !== undefined && isHeard) parts.announce({ ...place, mac, addresses })
    return answer
  }

  return {
    async add(call, signal) {
      const netconf = read(call)
      const { ifname, netns } = call
      const master = await masterFor(kind, netconf.master, parts)
      makeChild(parts.rtnl, { ...netconf, master, ifname, netns })
      await using undo = new AsyncDisposableStack()
      // The error that led there is the one to tell.
      undo.defer(() => remove(call).catch(() => undefined))
      const made = raiseChild(ifname, netns)
      const answer = netconf.ipam === undefined ? EMPTY_RESULT : await address(call, netconf, made, signal)
      undo.move()
      return extendResult(call, [interfaceOf(made, call)], answer)
    },

    del: remove,

    async check(call) {
      const netconf = read(call)
      const { prevResult } = call
      if (prevResult === undefined) throw cniError('previous-result-missing', { verb: 'CHECK' })
      const difference = differenceOf(call, prevResult, netconf, parts)
      if (difference !== undefined) throw cniError('check-failed', { difference })
      if (netconf.ipam !== undefined) await plugins.ipam(netconf.ipam).check(call)
    },

    async status({ config, version, path }) {
      const master = config['master']
      if (typeof master === 'string' && master !== '') await masterFor(kind, master, parts)
      const type = ipamToUndo(config)
      if (type !== undefined) await plugins.ipam(type).status?.({ config, version, path })
    },
  }
}

/** Does all, whatever becomes of those before; throws what the first that failed threw. */
async function inOrder(...steps: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps) await step().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

function interfaceOf({ mac, mtu }: Link, { ifname, netns }: PluginCallInside) {
  return { name: ifname, mtu, sandbox: netns.path, ...(mac === undefined ? {} : { mac }) }
}

/** How an interface is not as ADD made it, for people. */
function differenceOf(
  { ifname, netns }: PluginCallInside,
  { interfaces, ips, routes }: CniResult,
  { traits, master }: ChildNetconf,
  { rtnl }: LinkParts,
): string | undefined {
  const link = findChild(traits.kind, ifname, netns)
  if (link === undefined) return `interface ${ifname} is gone from the container, or is no ${traits.kind}`
  if (!link.up) return `interface ${ifname} is down`
  const at = interfaces.findIndex(({ name, sandbox }) => name === ifname && sandbox !== undefined)
  const told = interfaces[at]
  if (told?.mac !== undefined && told.mac !== link.mac) {
    return `interface ${ifname} has MAC address ${link.mac ?? 'none'} instead of ${told.mac}`
  }
  const { kind, ...data } = traits
  if (!Bun.deepEquals(link.data, { ...link.data, kind, ...data }))
    return `interface ${ifname} is of another mode or VLAN`
  const below = master === undefined ? undefined : linkFind(rtnl, master)
  if (master !== undefined && below?.index !== link.parent) return `interface ${ifname} is not on ${master} any more`
  const own = ips.filter((ip) => ip.interface === at)
  const isOwn = ({ gw }: { readonly gw?: string }): boolean =>
    own.some(({ gateway }) => gw === undefined || gateway === gw)
  return configurationProblem({ nsFd: netns.fd, ifname }, { ips: own, routes: routes.filter(isOwn) })
}

/** A configuration that is not well formed any more has no say in what is undone. */
function ipamToUndo(config: JsonObject): string | undefined {
  try {
    return ipamTypeOf(config)
  } catch {
    return undefined
  }
}
