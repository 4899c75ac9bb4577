/**
 * The CNI type `neutron`: a pod on a network of OpenStack, by way of its node's port there and as the pool says: as a part of that port's
 * trunk a VLAN link with a MAC address of its own, else an interface that shares the NIC's MAC address (docs/adr/0040).
 * @module
 */
import { readingConfig } from '../../../cni/config-fault.ts'
import { CniError, type CniResult, cniError } from '../../../cni/index.ts'
import type { Link } from '../../../linux/index.ts'
import { UNDERLAY_GROUP } from '../../../network/host.ts'
import { type Mac, parseMac } from '../../../network/model/address.ts'
import type { Leasing, LocalPorts } from '../../neutron/local-ports.ts'
import { configureInterface } from '../configure.ts'
import { extendResult } from '../ipam-result.ts'
import { childDifference } from '../links/check.ts'
import { type ChildOrder, makeChild, raiseChild, removeChild } from '../links/child.ts'
import type { LinkParts } from '../links/child-plugin.ts'
import { checkMayChoose } from '../links/master.ts'
import type { ChildTraits } from '../links/netconf.ts'
import { findVlan } from '../links/vlan-holder.ts'
import type { Plugin, PluginCall, PluginCallAfter, PluginCallInside } from '../plugin.ts'
import { answerFor } from './answer.ts'
import { type GroupSources, groupsFor } from './groups.ts'
import { type NeutronPluginConf, parseNeutronPluginConf } from './netconf.ts'
import { nicOf } from './nic.ts'

/** What the plugin works with. */
export interface NeutronPluginParts extends Omit<LinkParts, 'plugins'> {
  readonly ports: LocalPorts
  readonly groups: GroupSources
}

/** The plugin of a node. Who has which port is in the node's records. */
export class NeutronPlugin implements Plugin {
  readonly #parts: NeutronPluginParts

  constructor(parts: NeutronPluginParts) {
    this.#parts = parts
  }

  async add(call: PluginCallInside, signal: AbortSignal): Promise<CniResult> {
    const netconf = this.#read(call)
    const { ifname, netns } = call
    const leasing = await leasePort(call, netconf, this.#parts, signal)
    await using undo = new AsyncDisposableStack()
    // The error that led there is the one to tell.
    undo.defer(() => this.del(call).catch(() => undefined))
    const traits = traitsOf(leasing)
    const master = await nicOf(leasing.pool, netconf.master, traits.kind, this.#parts)
    await this.#make({ ...sizeOf(leasing, netconf, master), traits, master, ifname, netns }, leasing)
    const made = raiseChild(ifname, netns)
    const answer = this.#answer(leasing, netconf)
    await configureInterface({ nsFd: netns.fd, ifname }, answer, signal)
    const mac = parseMac(made.mac ?? '')
    const addresses = leasing.port.addresses.map(({ address }) => address)
    if (mac !== undefined) this.#parts.announce({ nsFd: netns.fd, ifname, mac, addresses })
    undo.move()
    const inside = { name: ifname, mtu: made.mtu, sandbox: netns.path, ...(mac === undefined ? {} : { mac }) }
    return extendResult(call, [inside], answer)
  }

  /** The interface first: nothing is sent from its addresses once the port is another pod's. While it stays, the port does. */
  async del(call: PluginCallAfter): Promise<void> {
    const { ifname, netns } = call
    if (netns !== undefined) for (const kind of ['vlan', 'ipvlan'] as const) await removeChild(kind, ifname, netns)
    this.#parts.ports.release(call)
  }

  async check(call: PluginCallInside): Promise<void> {
    const netconf = this.#read(call)
    const { prevResult } = call
    if (prevResult === undefined) throw cniError('previous-result-missing', { verb: 'CHECK' })
    const leasing = this.#parts.ports.leased(call, netconf.network)
    const traits = traitsOf(leasing)
    const master = await nicOf(leasing.pool, netconf.master, traits.kind, this.#parts)
    const believed = new Set(prevResult.ips.map(({ address }) => address))
    const missing = answerFor(leasing, false).ips.find(({ address }) => !believed.has(address))
    if (missing !== undefined) {
      const difference = `port ${leasing.port.id} has address ${missing.address}, which the container does not have`
      throw cniError('check-failed', { difference })
    }
    const difference = childDifference(call, prevResult, { traits, master: master.name }, this.#parts.rtnl)
    if (difference !== undefined) throw cniError('check-failed', { difference })
  }

  async status({ config }: Pick<PluginCall, 'config'>): Promise<void> {
    const { network } = readingConfig(() => parseNeutronPluginConf(config))
    const reason = whyNotReady(this.#parts.ports, network)
    if (reason !== undefined) throw cniError('status-not-ready', { reason })
  }

  async gc(network: string, valid: ReadonlySet<string>): Promise<void> {
    this.#parts.ports.releaseOthers(network, valid)
  }

  #read({ config, origin }: PluginCall): NeutronPluginConf {
    const netconf = readingConfig(() => parseNeutronPluginConf(config))
    checkMayChoose(this.#parts.grants(), origin, netconf.master === undefined ? 'network' : 'master')
    return netconf
  }

  #answer(leasing: Leasing, { isWayOut, routes }: NeutronPluginConf): CniResult {
    const answer = answerFor(leasing, isWayOut)
    return { ...answer, routes: [...answer.routes, ...routes] }
  }

  /**
   * A VLAN of a trunk is its port's alone, and the port was nobody's: a link of ours that has it is one that was left behind, by a pod
   * whose namespace outlived it. Anybody else's stays.
   */
  async #make(order: ChildOrder, { pool, port }: Leasing): Promise<void> {
    const { rtnl } = this.#parts
    try {
      return makeChild(rtnl, order)
    } catch (error) {
      if (order.traits.kind === 'ipvlan') throw withoutIpvlan(error, pool)
      const holder = isOf(error, 'vlan-in-use') ? findVlan(rtnl, order.master, port.vlan ?? 0) : undefined
      if (holder?.link.group !== UNDERLAY_GROUP || holder.link.mac !== port.mac) throw error
      await holder.remove()
    }
    makeChild(rtnl, order)
  }
}

/** A port for the interface of a call. `ownGroups` are those of the configuration, for pods that ask for none. */
export async function leasePort(
  call: PluginCall,
  { network, ownGroups }: { readonly network: string; readonly ownGroups?: readonly string[] | undefined },
  { ports, groups: sources }: Pick<NeutronPluginParts, 'ports' | 'groups'>,
  signal: AbortSignal,
): Promise<Leasing> {
  const { containerId, ifname, args } = call
  const groups = (await groupsFor(call, sources)) ?? ownGroups
  const order = {
    ...{ containerId, ifname, network, cniNetwork: call.network },
    ...(groups === undefined ? {} : { groups }),
    ...(args.pod === undefined ? {} : { pod: args.pod }),
  }
  return ports.lease(order, signal)
}

/** Why no port of a network can be given out now, for people. */
export function whyNotReady(ports: LocalPorts, network: string): string | undefined {
  if (ports.waitingFor !== undefined) return ports.waitingFor
  return ports.has(network)
    ? undefined
    : `this node has no ports of Neutron network ${network}: ${ports.whyNone(network)}`
}

function traitsOf({ port: { vlan } }: Leasing): ChildTraits {
  return vlan === undefined ? { kind: 'ipvlan', mode: 'l2' } : { kind: 'vlan', id: vlan }
}

/** No larger than the NIC, whose administrator may have reasons. A part of a trunk has a MAC address of its own. */
function sizeOf(
  { pool, port }: Leasing,
  { mtu }: NeutronPluginConf,
  master: Link,
): { readonly mtu: number; readonly mac?: Mac } {
  return { mtu: mtu ?? Math.min(pool.mtu, master.mtu), ...(port.vlan === undefined ? {} : { mac: port.mac }) }
}

function withoutIpvlan(error: unknown, { network, mode }: Leasing['pool']): unknown {
  if (!isOf(error, 'kernel-feature-missing')) return error
  return cniError('neutron-mode-unfit', {
    network,
    reason: `in mode ${mode} pods share the MAC address of the NIC, by links of kind ipvlan, which the kernel of this node lacks`,
    advice: 'load the module ipvlan or use a kernel that has it, or set mode: trunk in the NeutronNetwork',
  })
}

function isOf(error: unknown, id: string): error is CniError {
  return error instanceof CniError && error.id === id
}
