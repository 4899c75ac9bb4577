/**
 * The CNI types `macvlan`, `ipvlan` and `vlan`: pods on a link of the node. Nothing of an attachment is on the node itself,
 * so that whatever an ADD was interrupted at is found in the pod by name and kind, or went with the pod.
 * @module
 */
import { readingConfig } from '../../../cni/config-fault.ts'
import { type CniResult, cniError, EMPTY_RESULT } from '../../../cni/index.ts'
import type { Link } from '../../../linux/index.ts'
import { type Ip, type Mac, parseIp, parseMac } from '../../../network/model/address.ts'
import type { Grants } from '../../../network/model/grants.ts'
import { configureInterface } from '../configure.ts'
import { extendResult, ipamToUndo } from '../ipam-result.ts'
import type { Plugin, PluginCall, PluginCallAfter, PluginCallInside, Plugins } from '../plugin.ts'
import { childDifference } from './check.ts'
import { makeChild, raiseChild, removeChild } from './child.ts'
import { checkMayChoose, type MasterSource, masterFor } from './master.ts'
import { type ChildKind, type ChildNetconf, parseChildNetconf } from './netconf.ts'

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
export class ChildPlugin implements Plugin {
  readonly #kind: ChildKind
  readonly #parts: LinkParts

  constructor(kind: ChildKind, parts: LinkParts) {
    this.#kind = kind
    this.#parts = parts
  }

  async add(call: PluginCallInside, signal: AbortSignal): Promise<CniResult> {
    const netconf = this.#read(call)
    const { ifname, netns } = call
    const master = await masterFor(this.#kind, netconf.master ?? masterBefore(this.#kind, call), this.#parts)
    makeChild(this.#parts.rtnl, { ...netconf, master, ifname, netns })
    await using undo = new AsyncDisposableStack()
    // The error that led there is the one to tell.
    undo.defer(() => this.del(call).catch(() => undefined))
    const made = raiseChild(ifname, netns)
    const answer = netconf.ipam === undefined ? EMPTY_RESULT : await this.#address(call, netconf, made, signal)
    undo.move()
    const { mac, mtu } = made
    const inside = { name: ifname, mtu, sandbox: netns.path, ...(mac === undefined ? {} : { mac }) }
    return extendResult(call, [inside], answer)
  }

  /** The interface first: nothing is sent from its addresses once they are free. While it stays, they do. */
  async del(call: PluginCallAfter): Promise<void> {
    const { ifname, netns, config } = call
    const type = ipamToUndo(config)
    if (netns !== undefined) await removeChild(this.#kind, ifname, netns)
    if (type !== undefined) await this.#parts.plugins.ipam(type).del(call)
  }

  async check(call: PluginCallInside): Promise<void> {
    const netconf = this.#read(call)
    const { prevResult } = call
    if (prevResult === undefined) throw cniError('previous-result-missing', { verb: 'CHECK' })
    const difference = childDifference(call, prevResult, netconf, this.#parts.rtnl)
    if (difference !== undefined) throw cniError('check-failed', { difference })
    if (netconf.ipam !== undefined) await this.#parts.plugins.ipam(netconf.ipam).check(call)
  }

  async status({ config, version, path }: Pick<PluginCall, 'config' | 'version' | 'path'>): Promise<void> {
    const master = config['master']
    if (typeof master === 'string' && master !== '') await masterFor(this.#kind, master, this.#parts)
    const type = ipamToUndo(config)
    if (type !== undefined) await this.#parts.plugins.ipam(type).status?.({ config, version, path })
  }

  #read(call: PluginCall): ChildNetconf {
    const netconf = readingConfig(() => parseChildNetconf(this.#kind, call))
    checkMayChoose(this.#parts.grants(), call.origin, 'master')
    return netconf
  }

  /** Asks the IPAM plugin, once the interface is up, and gives the interface what it answers. */
  async #address(
    call: PluginCallInside,
    { traits, ipam: type = '' }: ChildNetconf,
    { mac: macText = '' }: Link,
    signal: AbortSignal,
  ): Promise<CniResult> {
    const { plugins, announce } = this.#parts
    const answer = await plugins.ipam(type).add(call, signal)
    const addresses = answer.ips.flatMap((ip) => parseIp(ip.address.split('/')[0] ?? '') ?? [])
    if (addresses.length === 0) throw cniError('ipam-without-address', { type })
    const place = { nsFd: call.netns.fd, ifname: call.ifname }
    await configureInterface(place, answer, signal)
    const mac = parseMac(macText)
    // Where the node routes for its pods (l3), nobody asks who has an address.
    const isHeard = traits.kind !== 'ipvlan' || traits.mode === 'l2'
    if (mac !== undefined && isHeard) announce({ ...place, mac, addresses })
    return answer
  }
}

/** As the reference plugin has it: behind another step `ipvlan` stands on the link that that one made. */
function masterBefore(kind: ChildKind, { prevResult }: PluginCall): string | undefined {
  if (kind !== 'ipvlan' || prevResult === undefined) return undefined
  const [link, ...others] = prevResult.interfaces
  if (link !== undefined && others.length === 0) return link.name
  throw cniError('config-invalid', { field: 'master', expected: 'is missing, and the step before made no single link' })
}
