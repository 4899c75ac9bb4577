/**
 * The plugin `ipam-neutron` as it is without an agent: what a runtime asks for becomes a port for each network, straight at
 * Neutron, by the account that the configuration brings (docs/adr/0039).
 * @module
 */

import { readingConfig } from '../../cni/config-fault.ts'
import {
  type AddRequest,
  type AttachmentKey,
  type CheckRequest,
  type CniResult,
  cniError,
  type NetworkConfig,
} from '../../cni/index.ts'
import { parseIp } from '../../network/model/address.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import type { Port, Subnet } from '../../openstack/neutron/model.ts'
import type { Neutron } from '../../openstack/neutron/neutron.ts'
import { Deadline } from '../../registry/deadline.ts'
import { addressesAsked, type NetworkWish, wishesFor } from './asked.ts'
import { hashOf, OURS, portNameOf, tagOf } from './names.ts'
import { networksIn, readNeutronNetconf } from './netconf.ts'
import {
  findOldPorts,
  findPorts,
  freePorts,
  type NeutronPorts,
  type Owner,
  type PortWish,
  sweepPorts,
  takePorts,
  withdrawPorts,
} from './ports.ts'
import { parseResolvConf } from './resolv-conf.ts'
import { resultOf } from './result.ts'

/** What of Neutron it takes. A {@link Neutron} is one. */
export interface NeutronForIpam extends NeutronPorts {
  readonly subnets: Pick<Neutron['subnets'], 'list'>
  readonly networks: Pick<Neutron['networks'], 'get'>
  readonly securityGroups: Pick<Neutron['securityGroups'], 'list'>
  readonly quotas: Pick<Neutron['quotas'], 'get'>
  projectId: Neutron['projectId']
}

/** Where it runs. */
export interface IpamSurroundings {
  readonly neutron: NeutronForIpam
  /** The node's name, and what tells it apart from another machine of that name; empty where there is nothing. */
  readonly node: string
  readonly machine: string
  /** A file's text. Throws where it cannot be read. */
  readonly readFile: (path: string) => string
  /** What people should know, in sentences. */
  readonly warn: (sentence: string) => void
}

/** What ADD and CHECK are about. */
export type IpamCall = Pick<AddRequest, 'containerId' | 'ifname' | 'args' | 'config'>

/** Milliseconds for what has to be undone, whatever time is left. */
const UNDOING = 25_000

/** One account's `ipam-neutron` on one machine. Errors are `CniError`s and `OpenStackError`s. */
export class NeutronIpam {
  readonly #surroundings: IpamSurroundings

  constructor(surroundings: IpamSurroundings) {
    this.#surroundings = surroundings
  }

  /** Repeated it gives the same answer. A failed one leaves no port that it made. `begun` is called before the first one is made. */
  async add(call: IpamCall, signal: AbortSignal, begun: () => void = () => undefined): Promise<CniResult> {
    const { neutron, readFile, warn } = this.#surroundings
    const netconf = readingConfig(() => readNeutronNetconf(call.config))
    for (const sentence of netconf.warnings) warn(sentence)
    const asked = addressesAsked(call)
    const dns = dnsOf(netconf.resolvConf, readFile)
    const owner = this.#ownerOf(call.config)
    const [standing, subnets, securityGroups] = await Promise.all([
      findPorts(neutron, { key: call, owner }, signal),
      subnetsOf(neutron, netconf.networks, signal),
      groupIds(neutron, netconf.securityGroups, signal),
    ])
    const wish = this.#wishOf(call, owner, wishesFor(subnets, asked), securityGroups)
    let isUncertain = false
    const doubted = (): void => {
      isUncertain = true
    }
    begun()
    try {
      const ports = await takePorts(neutron, wish, standing, { signal, doubted })
      const byId = new Map([...subnets.values()].flat().map((subnet) => [subnet.id, subnet] as const))
      return resultOf(ports.map(withAddress), byId, { routes: netconf.routes, dns }, call.config.version)
    } catch (error) {
      await this.#withdraw(wish, standing, isUncertain)
      throw error
    }
  }

  /** Compares with what a runtime has of ADD. */
  async check(call: IpamCall & Pick<CheckRequest, 'prevResult'>, signal: AbortSignal): Promise<void> {
    const { networks } = readingConfig(() => readNeutronNetconf(call.config))
    const { neutron } = this.#surroundings
    const ports = await findPorts(neutron, { key: call, owner: this.#ownerOf(call.config) }, signal)
    const believed = new Set(call.prevResult.ips.map(({ address }) => parseIp(address.slice(0, address.indexOf('/')))))
    for (const networkId of networks) {
      const port = ports.find((one) => one.networkId === networkId)
      if (port === undefined) {
        throw cniError('check-failed', { difference: `its port on Neutron network ${networkId} is gone` })
      }
      const [other] = port.fixedIps.filter(({ address }) => !believed.has(parseIp(address)))
      if (other === undefined) continue
      const difference = `Neutron port ${port.id} has address ${other.address}, which the container does not have`
      throw cniError('check-failed', { difference })
    }
  }

  /** Succeeds where nothing is left. */
  async del(call: AttachmentKey & { readonly config: NetworkConfig }, signal: AbortSignal): Promise<void> {
    const { neutron } = this.#surroundings
    const own = await findPorts(neutron, { key: call, owner: this.#ownerOf(call.config) }, signal)
    const ports = own.length > 0 ? own : await findOldPorts(neutron, call.containerId, networksIn(call.config), signal)
    await freePorts(neutron, ports, signal)
  }

  /** Deletes this machine's ports on this network but for those of the valid attachments. */
  async gc(config: NetworkConfig, valid: readonly AttachmentKey[], signal: AbortSignal): Promise<void> {
    const owner = [...this.#ownerOf(config), tagOf('weft-node', this.#surroundings.node)]
    await sweepPorts(this.#surroundings.neutron, owner, valid, signal)
  }

  /** Throws why no ADD can be served now. */
  async status(config: NetworkConfig, signal: AbortSignal): Promise<void> {
    const { neutron } = this.#surroundings
    const { networks, securityGroups } = readingConfig(() => readNeutronNetconf(config))
    await Promise.all([
      subnetsOf(neutron, networks, signal),
      groupIds(neutron, securityGroups, signal),
      quotaLeft(neutron, networks.length, signal),
    ])
  }

  /** Found by all of these. The node's name may change, and with it what a DEL would find: it is not among them. */
  #ownerOf({ name }: Pick<NetworkConfig, 'name'>): Owner {
    return [OURS, tagOf('weft-network', name), tagOf('weft-machine', hashOf(this.#surroundings.machine, 16))]
  }

  #wishOf(
    call: IpamCall,
    owner: Owner,
    networks: readonly NetworkWish[],
    securityGroups: readonly string[] | undefined,
  ): PortWish {
    const name = portNameOf(call, call.args.pod)
    return { key: call, owner, name, tags: [tagOf('weft-node', this.#surroundings.node)], networks, securityGroups }
  }

  /** Has its own time: the caller's may be over, or somebody ended it. */
  async #withdraw(wish: PortWish, standing: readonly Port[], isUncertain: boolean): Promise<void> {
    const { neutron, warn } = this.#surroundings
    const deadline = new Deadline(undefined, UNDOING)
    try {
      await withdrawPorts(neutron, wish, standing, { isUncertain, signal: deadline.signal })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      warn(`A port of this container may be left in Neutron until its DEL or GC: ${reason}`)
    } finally {
      deadline.clear()
    }
  }
}

async function subnetsOf(
  { subnets, networks }: NeutronForIpam,
  networkIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Subnet[]>> {
  const lists = networkIds.map(async (networkId) => {
    const found = (await subnets.list({ networkId }, signal)).filter((subnet) => subnet.networkId === networkId)
    if (found.length > 0) return [networkId, found] as const
    // It says what is wrong where the network is not there at all.
    const { id } = await networks.get(networkId, signal).catch((error: unknown) => {
      throw UUID.test(networkId) ? error : notAnId(error, networkId)
    })
    throw cniError('neutron-no-subnet', { network: id })
  })
  return new Map(await Promise.all(lists))
}

/** A network that is written by its name is told apart from one that is gone. */
function notAnId(error: unknown, networkId: string): unknown {
  if (!(error instanceof OpenStackError) || error.code !== 'OPENSTACK_NOT_FOUND') return error
  const reason = `${networkId} in ipam.neutronConf.networks is no ID of a network`
  return cniError('openstack-not-found', { reason, advice: `write it: openstack network show ${networkId} -c id` })
}

/** The IDs of groups by name or ID. */
async function groupIds(
  neutron: NeutronForIpam,
  groups: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (groups === undefined) return undefined
  // An administrator's account sees the groups of all projects.
  const projectId = await neutron.projectId()
  const ofProject = projectId === undefined ? {} : { projectId }
  return Promise.all(
    groups.map(async (group) => {
      if (UUID.test(group)) return group
      const found = (await neutron.securityGroups.list({ name: group, ...ofProject }, signal)).filter(
        ({ name }) => name === group,
      )
      const [only, ...others] = found
      if (others.length > 0) throw cniError('neutron-group-ambiguous', { group, count: found.length })
      if (only !== undefined) return only.id
      const reason = `no security group named ${group} is in the project`
      throw cniError('openstack-not-found', { reason, advice: 'correct the name, or write the ID' })
    }),
  )
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A cloud that tells nobody about quotas has none that could be told. */
async function quotaLeft(neutron: NeutronForIpam, wanted: number, signal: AbortSignal): Promise<void> {
  const project = await neutron.projectId()
  if (project === undefined) return
  const port = await neutron.quotas.get(project, signal).then(
    (found) => found.get('port'),
    () => undefined,
  )
  if (port?.limit === undefined || port.used + port.reserved + wanted <= port.limit) return
  const reason = `project ${project} has ${port.used} of ${port.limit} ports`
  const advice = `have it raised (openstack quota set --ports N ${project}), or delete what nobody uses`
  throw cniError('openstack-quota', { reason, advice })
}

/** A port of a network whose subnets give nothing out by themselves. */
function withAddress(port: Port): Port {
  if (port.fixedIps.length > 0) return port
  throw cniError('neutron-no-subnet', { network: port.networkId })
}

function dnsOf(path: string | undefined, readFile: (path: string) => string): CniResult['dns'] {
  if (path === undefined) return parseResolvConf('')
  try {
    return parseResolvConf(readFile(path))
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException
    throw cniError('config-invalid', { field: 'ipam.resolvConf', expected: `${path} cannot be read (${code})` })
  }
}
