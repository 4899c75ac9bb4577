/**
 * The IPAM plugin `ipam-neutron` where an agent runs: addresses of ports that are prepared for this node; of networks without such, by the
 * account that the configuration brings (docs/adr/0039).
 * @module
 */
import { readingConfig } from '../../../cni/config-fault.ts'
import { type CniResult, cniError, type JsonObject, NO_ARGS, parseIpamConfig, toCniError } from '../../../cni/index.ts'
import { addressesAsked } from '../../../compat/ipam-neutron/asked.ts'
import { type NeutronNetconf, readNeutronNetconf } from '../../../compat/ipam-neutron/netconf.ts'
import { parseResolvConf } from '../../../compat/ipam-neutron/resolv-conf.ts'
import { checkFits } from '../../../compat/ipam-neutron/result.ts'
import { hasGap } from '../../networks/accounts.ts'
import type { LocalPorts } from '../../neutron/local-ports.ts'
import { inOrder } from '../in-order.ts'
import { keyText } from '../note-folder.ts'
import type { IpamPlugin, PluginCall, PluginCallAfter, PluginCallInside } from '../plugin.ts'
import { addressesOf } from './answer.ts'
import type { DirectNeutron } from './direct.ts'
import type { DirectNote, DirectNotes } from './direct-notes.ts'
import { type GroupSources, MOST_GROUPS } from './groups.ts'
import { leasePort, whyNotReady } from './plugin.ts'

/** What the plugin works with. */
export interface NeutronIpamParts {
  readonly ports: LocalPorts
  readonly groups: GroupSources
  readonly direct: DirectNeutron
  readonly notes: DirectNotes
  /** A file's text. Throws where it cannot be read. */
  readonly readFile: (path: string) => string
}

/** Where the networks of a call are to be had. */
interface Sources {
  readonly netconf: NeutronNetconf
  readonly pooled: readonly string[]
  readonly direct: readonly string[]
}

/** An account that cannot be used, whoever tries again. */
const UNUSABLE: ReadonlySet<string> = new Set([
  ...['config-invalid', 'openstack-config', 'openstack-unauthorized', 'openstack-forbidden'],
])
const MOST_UNDONE = 10_000
/** STATUS is about no interface. */
const NOBODY = { containerId: '', ifname: '', network: '', args: NO_ARGS } as const

/** The plugin of a node. */
export class NeutronIpamPlugin implements IpamPlugin {
  readonly #parts: NeutronIpamParts
  /** Interfaces that a DEL left nothing of. */
  readonly #undone = new Set<string>()

  constructor(parts: NeutronIpamParts) {
    this.#parts = parts
  }

  async add(call: PluginCallInside, signal: AbortSignal): Promise<CniResult> {
    const { notes } = this.#parts
    const { netconf, pooled, direct } = this.#sources(call)
    const ownGroups = groupsOf(netconf, pooled)
    this.#undone.delete(keyText(call))
    if (direct.length > 0) notes.open(call, direct)
    await using undo = new AsyncDisposableStack()
    undo.defer(() => this.del(call).catch(() => undefined))
    const leasings = []
    for (const network of pooled) {
      const leasing = await leasePort(call, { network, ownGroups }, this.#parts, signal)
      if (leasing.port.vlan !== undefined) throw inTrunk(leasing.pool.network)
      leasings.push(leasing)
    }
    const others = direct.length === 0 ? undefined : await this.#addDirect(call, direct, signal)
    const ips = [...addressesOf(leasings), ...(others?.ips ?? [])]
    checkFits(ips, call.version)
    undo.move()
    return { interfaces: [], ips, routes: netconf.routes, dns: others?.dns ?? this.#dnsOf(netconf) }
  }

  /** Of pools nobody is asked; Neutron only where it may have made something by a configuration's own account. */
  async del(call: PluginCallAfter): Promise<void> {
    const { ports, notes } = this.#parts
    const note = notes.get(call)
    const isNothing = note === undefined ? ports.countOf(call) > 0 || this.#undone.has(keyText(call)) : !note.isBegun
    await inOrder(
      async () => ports.release(call),
      async () => {
        if (!isNothing) await this.#delDirect(call, note)
        if (note !== undefined) notes.remove(call)
        this.#remember(keyText(call))
      },
    )
  }

  async check(call: PluginCallInside): Promise<void> {
    const { pooled, direct } = this.#standing(call)
    const { prevResult } = call
    if (prevResult === undefined) throw cniError('previous-result-missing', { verb: 'CHECK' })
    const believed = new Set(prevResult.ips.map(({ address }) => address))
    for (const network of pooled) {
      const leasing = this.#parts.ports.leased(call, network)
      const missing = addressesOf([leasing]).find(({ address }) => !believed.has(address))
      if (missing === undefined) continue
      const difference = `port ${leasing.port.id} has address ${missing.address}, which the container does not have`
      throw cniError('check-failed', { difference })
    }
    if (direct.length === 0) return
    await this.#parts.direct.using(onlyOf(call, direct), undefined, (ipam, config, signal) =>
      ipam.check({ ...keyOf(call), args: call.args, config, prevResult }, signal),
    )
  }

  async status(call: Pick<PluginCall, 'config' | 'version' | 'path'>): Promise<void> {
    const { pooled } = this.#sources({ ...call, ...NOBODY })
    const reason = pooled.map((network) => whyNotReady(this.#parts.ports, network)).find((one) => one !== undefined)
    if (reason !== undefined) throw cniError('status-not-ready', { reason })
  }

  async gc(network: string, valid: ReadonlySet<string>): Promise<void> {
    this.#parts.ports.releaseOthers(network, valid)
  }

  /**
   * Ports of this node's come first: nobody has to be asked for them. They have the addresses that they have: who asks for one
   * needs an account.
   */
  #sources(call: Pick<PluginCall, 'config' | 'version' | 'network' | 'args' | 'containerId' | 'ifname'>): Sources {
    const { ports, direct, notes } = this.#parts
    const config = parseIpamConfig(call.config, call.version, call.network)
    const netconf = readingConfig(() => readNeutronNetconf(config))
    const [asked] = addressesAsked({ args: call.args, config })
    if (!direct.isFor(call)) {
      if (asked === undefined) return { netconf, pooled: netconf.networks, direct: [] }
      throw cniError('neutron-mode-unfit', {
        network: netconf.networks.join(', '),
        reason: `address ${asked} is asked for, and ports that are prepared have others`,
        advice: 'ask for no address, or write an account into ipam.openstackConf',
      })
    }
    const before = notes.get(call)?.networks ?? []
    const isPooled = (network: string): boolean => !before.includes(network) && ports.has(network)
    const pooled = asked === undefined ? netconf.networks.filter(isPooled) : []
    return { netconf, pooled, direct: netconf.networks.filter((network) => !pooled.includes(network)) }
  }

  /**
   * Of what an ADD made, where each part is from is known from what was noted then, whatever pools there are today. Where nothing was,
   * it was made before there was an agent.
   */
  #standing(call: PluginCall): Sources {
    const { ports, notes } = this.#parts
    const { netconf, pooled, direct } = this.#sources(call)
    const note = notes.get(call)
    const isNoted = note !== undefined || ports.countOf(call) > 0
    if (!isNoted)
      return this.#parts.direct.isFor(call)
        ? { netconf, pooled: [], direct: netconf.networks }
        : { netconf, pooled, direct }
    const isDirect = (network: string): boolean => note?.networks.includes(network) ?? false
    const networks = netconf.networks
    return { netconf, pooled: networks.filter((one) => !isDirect(one)), direct: networks.filter(isDirect) }
  }

  /**
   * Throws what may pass, so that it is tried again. Where the account cannot be used, and nobody knows of a port, or the account is no
   * more than a gap in a record, it would fail for ever: then people are told.
   */
  async #delDirect(call: PluginCallAfter, note: DirectNote | undefined): Promise<void> {
    const { direct } = this.#parts
    try {
      if (direct.isFor(call)) {
        return await direct.using(call, undefined, (ipam, config, signal) =>
          ipam.del({ ...keyOf(call), config }, signal),
        )
      }
      if (note !== undefined) direct.warnOfLeft(call, 'its configuration has no account any more')
    } catch (error) {
      const { id, message } = toCniError(error)
      const isHopeless = note === undefined ? UNUSABLE.has(id) : id === 'openstack-config' && hasGap(call.config)
      if (!isHopeless) throw error
      direct.warnOfLeft(call, message)
    }
  }

  /** Runtimes repeat a DEL; of the last ones it is known that nothing is left. */
  #remember(key: string): void {
    this.#undone.add(key)
    const [oldest] = this.#undone
    if (this.#undone.size > MOST_UNDONE && oldest !== undefined) this.#undone.delete(oldest)
  }

  #addDirect(call: PluginCallInside, networks: readonly string[], signal: AbortSignal): Promise<CniResult> {
    return this.#parts.direct.using(onlyOf(call, networks), signal, (ipam, config, within) =>
      ipam.add({ ...keyOf(call), args: call.args, config }, within, () => this.#parts.notes.begin(call)),
    )
  }

  #dnsOf({ resolvConf }: NeutronNetconf): CniResult['dns'] {
    if (resolvConf === undefined) return parseResolvConf('')
    try {
      return parseResolvConf(this.#parts.readFile(resolvConf))
    } catch {
      throw cniError('config-invalid', { field: 'ipam.resolvConf', expected: `${resolvConf} cannot be read` })
    }
  }
}

function keyOf({ containerId, ifname }: Pick<PluginCall, 'containerId' | 'ifname'>) {
  return { containerId, ifname }
}

/** The configuration for some of its networks. */
function onlyOf<Call extends Pick<PluginCall, 'config'>>(call: Call, networks: readonly string[]): Call {
  const ipam = Object(call.config['ipam']) as JsonObject
  const neutronConf = { ...(Object(ipam['neutronConf']) as JsonObject), networks }
  return { ...call, config: { ...call.config, ipam: { ...ipam, neutronConf } } as JsonObject }
}

/** The groups that a configuration asks for, as pools name them; undefined for those of the network. */
function groupsOf({ securityGroups }: NeutronNetconf, pooled: readonly string[]): readonly string[] | undefined {
  if (securityGroups === undefined || pooled.length === 0) return undefined
  const groups = [...new Set(securityGroups)].toSorted()
  if (groups.length > 0 && groups.length <= MOST_GROUPS) return groups
  const network = pooled.join(', ')
  const advice = 'name groups, or leave securityGroups out for those of the NeutronNetwork'
  const none = 'ipam.neutronConf.securityGroups is empty, and ports that are prepared have security groups'
  const many = `ipam.neutronConf.securityGroups names ${groups.length} groups, and ports are prepared for ${MOST_GROUPS} at most`
  throw cniError('neutron-mode-unfit', { network, reason: groups.length === 0 ? none : many, advice })
}

function inTrunk(network: string): Error {
  return cniError('neutron-mode-unfit', {
    network,
    reason:
      'the ports of this node are parts of a trunk there (mode trunk), which need a VLAN link and not an address alone',
    advice:
      'write "type": "neutron" with "network" in place of the plugin and its ipam, or set mode: pair in the NeutronNetwork',
  })
}
