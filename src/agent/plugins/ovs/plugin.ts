/**
 * The CNI type `ovs`: pods on bridges that a site has already. Ports, rows and results are those of ovs-cni; what an ADD that
 * was interrupted anywhere left is found again in Open vSwitch's database and by the name of the pod's link.
 * @module
 */
import { type CniResult, cniError, EMPTY_RESULT, type JsonObject } from '../../../cni/index.ts'
import { linkStateWaitMs } from '../../../compat/ovs-cni/netconf.ts'
import { type Ip, type Mac, parseIp } from '../../../network/model/address.ts'
import { endpointId } from '../../../network/model/endpoint.ts'
import { type Lease, linkName } from '../../attach/lease.ts'
import type { OneAtATime } from '../../attach/one-at-a-time.ts'
import { configureInterface } from '../configure.ts'
import { extendResult, ipamToUndo } from '../ipam-result.ts'
import type { Plugin, PluginCall, PluginCallAfter, PluginCallInside, PluginCallStanding, Plugins } from '../plugin.ts'
import { checkPort } from './check.ts'
import { macFromAddress } from './mac.ts'
import { type Admission, aliasOf, leaseFor, orderFor, placeIn } from './order.ts'
import type { PodLinks } from './pod-link.ts'
import type { FoundPort, GuardedPort, UnderlayPorts } from './ports.ts'
import { statusProblem } from './status.ts'
import { configOf, type Terms, type TermsSource, termsOf } from './terms.ts'

/** Guards pods on bridges that are ours to guard; does nothing on others. */
export interface PortGuard {
  /** Throws `agent-starting` as long as a pod on this bridge could not be guarded. */
  checkReady(bridge: string): void
  /** What a pod's port has from the start; undefined on a bridge of others'. Throws `bandwidth-refused`. */
  admit(bridge: string, pod: PluginCall['args']['pod']): Promise<Admission | undefined>
  /** Holds a pod to its limits before its port is there. `nsFd`: its namespace. */
  shape(lease: Lease, nsFd: number): void
  /** An ADD is over: what was asked for meanwhile may be looked at. */
  attached(link: string): void
  /** Resolves when the bridge holds the pod to its addresses and policies. */
  put(port: GuardedPort): Promise<void>
  /** A pod's port is about to go. */
  remove(id: string): void
}

/** What the plugin works with. */
export interface OvsPluginParts extends Omit<TermsSource, 'tables'> {
  readonly ports: UnderlayPorts
  readonly links: PodLinks
  readonly operations: OneAtATime
  readonly plugins: Pick<Plugins, 'ipam'>
  readonly guard: PortGuard
  /** Tells the wire whose addresses these are. */
  announce(told: {
    readonly nsFd: number
    readonly ifname: string
    readonly mac: Mac
    readonly addresses: readonly Ip[]
  }): void
}

/** What nobody waits for ends by its own time limit. */
const NEVER = new AbortController().signal

/** The plugin `ovs`. */
export class OvsPlugin implements Plugin {
  readonly #parts: OvsPluginParts

  constructor(parts: OvsPluginParts) {
    this.#parts = parts
  }

  /** Puts a pod on a bridge. What an earlier ADD for the same interface left is removed first. */
  async add(call: PluginCallInside, signal: AbortSignal): Promise<CniResult> {
    const result = await this.#parts.operations.exclusive(call, async () => {
      this.#checkConnection()
      const { terms, config } = termsOf(call, this.#source)
      const earlier = this.#parts.ports.of(call.containerId, call.ifname)
      if (earlier !== undefined) await this.#remove([earlier])
      return await this.#attach({ ...call, config }, terms, signal)
    })
    // Not before it is nobody's operation any more: whoever limits leaves those alone.
    this.#parts.guard.attached(linkName(endpointId(call.containerId, call.ifname)))
    return result
  }

  /** Takes a pod off whichever bridge it is on, and gives back its addresses. */
  del(call: PluginCallAfter): Promise<void> {
    return this.#parts.operations.exclusive(call, async () => {
      this.#checkConnection()
      const { containerId, ifname, netns } = call
      const { ports, links } = this.#parts
      const port = ports.of(containerId, ifname)
      const older = netns === undefined ? [] : ports.ofOvsCni(netns.path, ifname)
      await this.#remove([...(port === undefined ? [] : [port]), ...older])
      ports.forget(linkName(endpointId(containerId, ifname)))
      links.doom(linkName(endpointId(containerId, ifname)))
      for (const { link } of older) await links.removeOfOvsCni(link)
      // Not before nothing is sent from them any more.
      const config = this.#configToUndo(call)
      const type = ipamToUndo(config)
      if (type !== undefined) await this.#parts.plugins.ipam(type).del({ ...call, config })
    })
  }

  /** Compares what stands with what ADD made and answered. */
  async check(call: PluginCallInside): Promise<void> {
    this.#checkConnection()
    const { prevResult } = call
    if (prevResult === undefined) throw cniError('previous-result-missing', { verb: 'CHECK' })
    const { terms, config } = termsOf(call, this.#source)
    const { ports, links, plugins } = this.#parts
    const difference = checkPort({ call, prevResult, terms, ports, links })
    if (difference !== undefined) throw cniError('check-failed', { difference })
    const { ipam } = terms.netconf
    if (ipam !== undefined) await plugins.ipam(ipam).check({ ...call, config })
  }

  /** Throws `status-not-ready` where Open vSwitch is away, or the bridge. */
  async status({ config, version, path }: Pick<PluginCall, 'config' | 'version' | 'path'>): Promise<void> {
    const { ports, plugins, flatFiles } = this.#parts
    const reason = statusProblem(config, ports, flatFiles)
    if (reason !== undefined) throw cniError('status-not-ready', { reason })
    const type = ipamToUndo(config)
    if (type !== undefined) await plugins.ipam(type).status?.({ config, version, path })
  }

  /** Removes the ports of a network whose attachments are not in the list; goes on after a failure and throws it at the end. */
  async gc(network: string, valid: ReadonlySet<string>): Promise<void> {
    this.#checkConnection()
    const { ports, links, operations } = this.#parts
    const stale = ports
      .all()
      .filter(({ record }) => record.network === network && !valid.has(endpointId(record.containerId, record.ifname)))
    const results = await Promise.allSettled(
      stale.map((port) =>
        operations.whenIdle(endpointId(port.record.containerId, port.record.ifname), async () => {
          await this.#remove([port])
          links.doom(port.link)
        }),
      ),
    )
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** Puts the port of a standing pod back that somebody removed while no agent was there. */
  async restore(call: PluginCallStanding): Promise<void> {
    const { ports, links, operations } = this.#parts
    const id = endpointId(call.containerId, call.ifname)
    const link = linkName(id)
    await operations.whenIdle(id, async () => {
      if (ports.named(link) !== undefined || links.nodeEnd(link) === undefined) return
      const { terms } = termsOf(call, this.#source)
      const admission = await this.#admit(call, terms)
      await ports.add(orderFor(call, terms, placeIn(call, link), admission), NEVER)
      links.raise(link)
      await this.#guard(link)
    })
  }

  /** A step behind this one gave a pod another MAC address. Pods that are on no bridge are none of this plugin's. */
  async macChanged({ containerId, ifname }: Pick<PluginCall, 'containerId' | 'ifname'>, mac: Mac): Promise<void> {
    const { ports } = this.#parts
    const port = ports.of(containerId, ifname)
    if (port === undefined) return
    await ports.recordPlace(port.link, { mac, addresses: port.record.addresses })
    await this.#guard(port.link)
  }

  /** Takes what a port needs, step by step, each with its undo. */
  async #attach(call: PluginCallInside, terms: Terms, signal: AbortSignal): Promise<CniResult> {
    const { ports, links, guard } = this.#parts
    const { ifname, netns } = call
    const { netconf } = terms
    const link = linkName(endpointId(call.containerId, ifname))
    guard.checkReady(terms.bridge.name)
    const admission = await this.#admit(call, terms)
    await using undo = new AsyncDisposableStack()
    const otherwise = (step: () => Promise<unknown> | unknown): void => {
      // Every step is undone, whatever becomes of the others; the error that led here is the one to tell.
      undo.defer(async () => void (await Promise.try(step).catch(() => undefined)))
    }
    otherwise(() => links.doom(link))
    await links.create({
      link,
      ifname,
      netns,
      datapath: terms.bridge.datapath,
      alias: aliasOf(call),
      ...(terms.mac === undefined ? {} : { mac: terms.mac }),
      ...(terms.podMtu === undefined ? {} : { podMtu: terms.podMtu }),
      ...(terms.nodeMtu === undefined ? {} : { nodeMtu: terms.nodeMtu }),
    })
    // Without addresses it stays as it is; with them its MAC address may follow from the first.
    const isSettled = netconf.ipam === undefined || terms.mac !== undefined
    const known = isSettled ? links.settleMac(ifname, netns) : undefined
    otherwise(() => {
      guard.remove(endpointId(call.containerId, ifname))
      return ports.withdraw(link)
    })
    const order = orderFor(call, terms, { link, netns: netns.path, mac: known }, admission)
    const end = links.nodeEnd(link)
    if (admission !== undefined && end?.mac !== undefined) {
      const own = { mac: known ?? (end.mac as Mac), mtu: end.mtu, datapath: terms.bridge.datapath }
      // From the first packet on.
      guard.shape(leaseFor(call, order, admission, own), netns.fd)
    }
    await ports.add(order, signal)
    links.raise(link)
    await this.#guard(link)
    const { mac, answer } =
      netconf.ipam === undefined
        ? { mac: known, answer: EMPTY_RESULT }
        : await this.#address(call, terms, { link, ipam: netconf.ipam, mac: known }, otherwise, signal)
    const outside = links.nodeEnd(link)
    if (outside === undefined) throw cniError('link-failed', { ifname, reason: `${link} went away` })
    const mtu = terms.podMtu === undefined ? {} : { mtu: terms.podMtu }
    const made = [
      { name: link, mtu: outside.mtu, ...(outside.mac === undefined ? {} : { mac: outside.mac }) },
      { name: ifname, sandbox: netns.path, ...mtu, ...(mac === undefined ? {} : { mac }) },
    ]
    const result = extendResult(call, made, answer)
    undo.move()
    return result
  }

  /** What guarding asks for. Refuses a number that somebody else chose. */
  async #admit({ args }: PluginCall, { bridge, netconf }: Terms): Promise<Admission | undefined> {
    const admission = await this.#parts.guard.admit(bridge.name, args.pod)
    if (admission === undefined || netconf.ofportRequest === undefined) return admission
    const expected = `left out on bridge ${bridge.name}: on bridges of its own the agent gives out the numbers`
    throw cniError('config-invalid', { field: 'ofport_request', expected })
  }

  /** Has the port guarded, as far as it is recorded what the pod may send. */
  async #guard(link: string): Promise<void> {
    const port = this.#parts.ports.named(link)
    const guarded = port === undefined ? undefined : this.#parts.ports.guardedPort(port)
    if (guarded !== undefined) await this.#parts.guard.put(guarded)
  }

  /** Asks the IPAM plugin, once the port forwards, and gives the pod what it answers. */
  async #address(
    call: PluginCallInside,
    { netconf }: Terms,
    { link, ipam, mac: fixed }: { readonly link: string; readonly ipam: string; readonly mac: Mac | undefined },
    otherwise: (step: () => Promise<unknown>) => void,
    signal: AbortSignal,
  ): Promise<{ readonly mac: Mac; readonly answer: CniResult }> {
    const { ports, links, plugins, announce } = this.#parts
    const { ifname, netns } = call
    await ports.linkIsUp(link, linkStateWaitMs(netconf), signal)
    const plugin = plugins.ipam(ipam)
    otherwise(() => plugin.del(call))
    const answer = await plugin.add(call, signal)
    const addresses = answer.ips.flatMap(({ address }) => parseIp(address.split('/')[0] ?? '') ?? [])
    const [first] = addresses
    if (first === undefined) throw cniError('ipam-without-address', { type: ipam })
    const mac = fixed ?? links.settleMac(ifname, netns, macFromAddress(first))
    // Before anything is sent from them: a guard of the bridge knows them by this record.
    await ports.recordPlace(link, { mac, addresses })
    await this.#guard(link)
    await configureInterface({ nsFd: netns.fd, ifname }, answer, signal)
    announce({ nsFd: netns.fd, ifname, mac, addresses })
    return { mac, answer }
  }

  /** The guard first: a number that comes free may be another pod's at once. */
  async #remove(
    ports: readonly (Pick<FoundPort, 'uuid' | 'link'> & Partial<Pick<FoundPort, 'record'>>)[],
  ): Promise<void> {
    for (const { record } of ports)
      if (record !== undefined) this.#parts.guard.remove(endpointId(record.containerId, record.ifname))
    await this.#parts.ports.remove(ports)
  }

  get #source(): TermsSource {
    const { ports, ovsdb, flatFiles } = this.#parts
    return {
      tables: ports.tables,
      ovsdb,
      grants: () => this.#parts.grants(),
      ...(flatFiles === undefined ? {} : { flatFiles }),
    }
  }

  /** No file that was broken since may keep an attachment from being undone. */
  #configToUndo(call: PluginCallAfter): JsonObject {
    try {
      return configOf(call, this.#source)
    } catch {
      return call.config
    }
  }

  #checkConnection(): void {
    if (this.#parts.ports.connected) return
    throw cniError('ovs-unreachable', { target: 'ovsdb-server', reason: 'the connection is down' })
  }
}
