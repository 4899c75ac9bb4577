/**
 * The IPAM plugin `ipam-neutron` where an agent runs: addresses of ports that are prepared for this node; of networks without such, by the
 * account that the configuration brings (docs/adr/0039).
 * @module
 */
import { readingConfig } from '../../../cni/config-fault.ts'
import { type CniResult, cniError, type JsonObject, parseIpamConfig } from '../../../cni/index.ts'
import { addressesAsked } from '../../../compat/ipam-neutron/asked.ts'
import { type NeutronNetconf, readNeutronNetconf } from '../../../compat/ipam-neutron/netconf.ts'
import { parseResolvConf } from '../../../compat/ipam-neutron/resolv-conf.ts'
import type { LocalPorts } from '../../neutron/local-ports.ts'
import { inOrder } from '../in-order.ts'
import type { IpamPlugin, PluginCall, PluginCallAfter, PluginCallInside } from '../plugin.ts'
import { addressesOf } from './answer.ts'
import type { DirectNeutron } from './direct.ts'
import type { GroupSources } from './groups.ts'
import { leasePort, whyNotReady } from './plugin.ts'

/** What the plugin works with. */
export interface NeutronIpamParts {
  readonly ports: LocalPorts
  readonly groups: GroupSources
  readonly direct: DirectNeutron
  /** A file's text. Throws where it cannot be read. */
  readonly readFile: (path: string) => string
}

/** Where the networks of a call are to be had. */
interface Sources {
  readonly netconf: NeutronNetconf
  readonly pooled: readonly string[]
  readonly direct: readonly string[]
}

/** The plugin of a node. */
export class NeutronIpamPlugin implements IpamPlugin {
  readonly #parts: NeutronIpamParts

  constructor(parts: NeutronIpamParts) {
    this.#parts = parts
  }

  async add(call: PluginCallInside, signal: AbortSignal): Promise<CniResult> {
    const { netconf, pooled, direct } = this.#sources(call)
    await using undo = new AsyncDisposableStack()
    undo.defer(() => this.del(call).catch(() => undefined))
    const leasings = []
    for (const network of pooled) {
      const leasing = await leasePort(call, network, this.#parts, signal)
      if (leasing.port.vlan !== undefined) throw inTrunk(leasing.pool.network)
      leasings.push(leasing)
    }
    const others = direct.length === 0 ? undefined : await this.#addDirect(call, direct, signal)
    undo.move()
    const ips = [...addressesOf(leasings), ...(others?.ips ?? [])]
    return { interfaces: [], ips, routes: netconf.routes, dns: others?.dns ?? this.#dnsOf(netconf) }
  }

  /** Of pools nobody is asked; Neutron is where there may be something of a configuration's own account. */
  async del(call: PluginCallAfter): Promise<void> {
    const { ports, direct } = this.#parts
    const isAll = ports.countOf(call) >= networksIn(call.config)
    await inOrder(
      async () => ports.release(call),
      async () => {
        if (isAll || !direct.isFor(call)) return
        await direct.using(call, undefined, (ipam, config, signal) => ipam.del({ ...keyOf(call), config }, signal))
      },
    )
  }

  async check(call: PluginCallInside): Promise<void> {
    const { pooled, direct } = this.#sources(call)
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
    const { pooled } = this.#sources({ ...call, network: '', args: { pairs: new Map(), pod: undefined } })
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
  #sources(call: Pick<PluginCall, 'config' | 'version' | 'network' | 'args'>): Sources {
    const { ports, direct } = this.#parts
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
    const pooled = asked === undefined ? netconf.networks.filter((network) => ports.has(network)) : []
    return { netconf, pooled, direct: netconf.networks.filter((network) => !pooled.includes(network)) }
  }

  #addDirect(call: PluginCallInside, networks: readonly string[], signal: AbortSignal): Promise<CniResult> {
    return this.#parts.direct.using(onlyOf(call, networks), signal, (ipam, config, within) =>
      ipam.add({ ...keyOf(call), args: call.args, config }, within),
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

/** How many networks a configuration names, well formed or not. */
function networksIn(config: JsonObject): number {
  const networks: unknown = Object(Object(config['ipam'])['neutronConf'])['networks']
  return Array.isArray(networks) ? new Set(networks).size : 1
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
