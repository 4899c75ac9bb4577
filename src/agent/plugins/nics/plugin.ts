/**
 * The CNI type `host-device`: a NIC of the node becomes an interface of a pod, and is the node's again afterwards, as it was.
 * @module
 */
import { readingConfig } from '../../../cni/config-fault.ts'
import { type CniResult, cniError, EMPTY_RESULT, type JsonObject } from '../../../cni/index.ts'
import type { PortFacts, PortName } from '../../../compat/neutron-nic/port-facts.ts'
import { type Link, linkFind, linkGet, linkSet, netnsId, openRtnl } from '../../../linux/index.ts'
import { parseIp, parseMac } from '../../../network/model/address.ts'
import type { Grants } from '../../../network/model/grants.ts'
import type { PodNetns } from '../../attach/endpoint-links.ts'
import { configurationProblem, configureInterface } from '../configure.ts'
import { inOrder } from '../in-order.ts'
import { extendResult, ipamToUndo } from '../ipam-result.ts'
import type { LinkParts } from '../links/index.ts'
import { checkMayChoose } from '../links/master.ts'
import { keyText, type NoteKey } from '../note-folder.ts'
import type { Plugin, PluginCall, PluginCallAfter, PluginCallInside } from '../plugin.ts'
import { findNic } from './find.ts'
import { whyNotFree } from './free.ts'
import { bringHome, moveIn, type NicHome, nicInside } from './move.ts'
import { type NicNetconf, parseNicNetconf } from './netconf.ts'
import { atHome, type NicNote } from './note.ts'
import type { NicNotes } from './notes.ts'

/** What the plugin works with. */
export interface NicParts extends Pick<LinkParts, 'bridgeOf' | 'plugins' | 'announce'> {
  readonly home: NicHome
  readonly notes: NicNotes
  grants(): Grants
  /** Asks Neutron, in the name of a configuration's `openstackConf`. */
  portFacts(cloud: JsonObject, port: PortName, signal: AbortSignal): Promise<PortFacts>
}

/** The plugin. */
export class HostDevicePlugin implements Plugin {
  readonly #parts: NicParts

  constructor(parts: NicParts) {
    this.#parts = parts
  }

  async add(call: PluginCallInside, signal: AbortSignal): Promise<CniResult> {
    const netconf = this.#read(call)
    const { ifname, netns } = call
    await this.#release(call, netns)
    await using undo = new AsyncDisposableStack()
    // The error that led there is the one to tell.
    undo.defer(() => this.del(call).catch(() => undefined))
    const facts = await this.#take(call, netconf, signal)
    const made = raise(netns.fd, ifname, netconf.mtu ?? facts?.mtu)
    const answer = await this.#address(call, netconf, made, facts, signal)
    undo.move()
    const { mac, mtu } = made
    const inside = { name: ifname, mtu, sandbox: netns.path, ...(mac === undefined ? {} : { mac }) }
    return extendResult(call, [inside], answer)
  }

  /** The NIC first: nothing is sent from its addresses once they are free. While it is away, they stay its. */
  async del(call: PluginCallAfter): Promise<void> {
    const type = ipamToUndo(call.config)
    await this.#release(call, call.netns)
    if (type !== undefined) await this.#parts.plugins.ipam(type).del(call)
  }

  async check(call: PluginCallInside): Promise<void> {
    const netconf = this.#read(call)
    const { prevResult } = call
    if (prevResult === undefined) throw cniError('previous-result-missing', { verb: 'CHECK' })
    const difference = this.#difference(call, prevResult)
    if (difference !== undefined) throw cniError('check-failed', { difference })
    if (netconf.ipam !== undefined) await this.#parts.plugins.ipam(netconf.ipam).check(call)
  }

  async status({ config, version, path }: Pick<PluginCall, 'config' | 'version' | 'path'>): Promise<void> {
    const type = ipamToUndo(config)
    if (type !== undefined) await this.#parts.plugins.ipam(type).status?.({ config, version, path })
  }

  /** Brings home what went into pods that are gone, and whose runtime said nothing. */
  async gc(network: string, valid: ReadonlySet<string>): Promise<void> {
    const stale = this.#parts.notes.values().filter((note) => note.network === network && !valid.has(keyText(note)))
    await inOrder(...stale.map((note) => () => this.#release(note)))
  }

  #read(call: PluginCall): NicNetconf {
    const netconf = readingConfig(() => parseNicNetconf(call.config))
    checkMayChoose(this.#parts.grants(), call.origin, 'device')
    return netconf
  }

  /** Finds the NIC, and moves it; what Neutron says of it. */
  async #take(
    { containerId, ifname, network, netns }: PluginCallInside,
    { choice, cloud }: NicNetconf,
    signal: AbortSignal,
  ): Promise<PortFacts | undefined> {
    const { bridgeOf, home, notes, portFacts } = this.#parts
    const ask = (port: PortName) => (cloud === undefined ? undefined : portFacts(cloud, port, signal))
    const named = choice.by === 'port' ? await ask({ id: choice.id }) : undefined
    const find = (): Link => {
      const by = choice.by === 'port' ? ({ by: 'mac', mac: named?.mac ?? '' } as const) : choice
      return findNic(by, { ...home, notes: notes.values() })
    }
    const seen = find()
    const bridge = await bridgeOf(seen.name)
    const facts = named ?? (await ask({ mac: seen.mac ?? '' }))
    // From here to the note nothing is waited for: nobody else takes it in between.
    const link = find()
    const reason = whyNotFree(link, { rtnl: home.rtnl, notes: notes.values(), boot: home.boot, bridge })
    if (reason !== undefined) throw cniError('nic-unfit', { nic: link.name, reason })
    using inside = openRtnl({ nsFd: netns.fd })
    if (linkFind(inside, ifname) !== undefined) throw cniError('interface-exists', { ifname })
    const note: NicNote = {
      containerId,
      ifname,
      network,
      netns: { path: netns.path, ...netnsId(netns.fd) },
      boot: home.boot,
      nic: atHome(link),
    }
    notes.put(note)
    await moveIn(home, link, note, netns)
    return facts
  }

  /** What the IPAM plugin or Neutron gives, once the interface is up. */
  async #address(
    call: PluginCallInside,
    { ipam }: NicNetconf,
    { mac: macText = '' }: Link,
    facts: PortFacts | undefined,
    signal: AbortSignal,
  ): Promise<CniResult> {
    const { plugins, announce } = this.#parts
    if (ipam === undefined && facts === undefined) return EMPTY_RESULT
    const given = ipam === undefined ? facts?.answer : await plugins.ipam(ipam).add(call, signal)
    const answer: CniResult = { ...EMPTY_RESULT, ...given }
    const addresses = answer.ips.flatMap((ip) => parseIp(ip.address.split('/')[0] ?? '') ?? [])
    if (ipam !== undefined && addresses.length === 0) throw cniError('ipam-without-address', { type: ipam })
    const place = { nsFd: call.netns.fd, ifname: call.ifname }
    await configureInterface(place, answer, signal)
    const mac = parseMac(macText)
    if (mac !== undefined) announce({ ...place, mac, addresses })
    return answer
  }

  #difference({ containerId, ifname, netns }: PluginCallInside, { interfaces, ips, routes }: CniResult) {
    const { notes, home } = this.#parts
    const note = notes.get({ containerId, ifname })
    const link = note === undefined ? undefined : nicInside(note, netns.fd, home.boot)
    if (link?.name !== ifname) return `interface ${ifname} is gone from the container, or is another link`
    if (!link.up) return `interface ${ifname} is down`
    const at = interfaces.findIndex(({ name, sandbox }) => name === ifname && sandbox !== undefined)
    const told = interfaces[at]
    if (told?.mac !== undefined && told.mac !== link.mac) {
      return `interface ${ifname} has MAC address ${link.mac ?? 'none'} instead of ${told.mac}`
    }
    const own = ips.filter((ip) => ip.interface === at)
    const isOwn = ({ gw }: { readonly gw?: string }): boolean =>
      own.some(({ gateway }) => gw === undefined || gateway === gw)
    return configurationProblem({ nsFd: netns.fd, ifname }, { ips: own, routes: routes.filter(isOwn) })
  }

  async #release(key: NoteKey, netns?: PodNetns): Promise<void> {
    const { notes, home } = this.#parts
    const note = notes.get(key)
    if (note === undefined) return
    await bringHome(home, note, netns)
    notes.remove(note)
  }
}

/** Sets the interface up, with its MTU; how it is then. */
function raise(nsFd: number, ifname: string, mtu: number | undefined): Link {
  using inside = openRtnl({ nsFd })
  linkSet(inside, 'lo', { up: true })
  if (mtu !== undefined) linkSet(inside, ifname, { mtu })
  linkSet(inside, ifname, { up: true })
  return linkGet(inside, ifname)
}
