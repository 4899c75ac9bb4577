/**
 * This machine's part of the mesh: its devices, and the way to everybody else's pods. Every call says the whole, and brings
 * the kernel there from wherever it is.
 * @module
 */
import type { Backend } from '../compat/flannel/backend.ts'
import type { NetworkConfig } from '../compat/flannel/config.ts'
import { FlannelError } from '../compat/flannel/errors.ts'
import { type Lease, type LeaseAttributes, vtepMacIn, vxlanData } from '../compat/flannel/lease.ts'
import { type MeshPlan, meshMtu, meshPlan } from '../compat/flannel/mesh.ts'
import { linkFind, linkSet, type RtnlSocket } from '../linux/index.ts'
import type { Cidr, Ip, Mac } from '../network/model/address.ts'
import { applyToKernel, baseAddress, type Links } from './kernel/apply.ts'
import { ALIAS, ensureAddress, ensureVxlan, removeOthers, type VxlanDevice, vxlanName } from './kernel/vxlan.ts'
import type { Tunnel } from './ruleset.ts'
import type { ProxyKeeper } from './udp/keeper.ts'
import { isOnLink, type Uplink } from './uplink.ts'

/** The TUN device of the back end `udp`, as flannel calls its first. */
const TUN = 'flannel0'

/** What a mesh is made from. */
export interface MeshParts {
  readonly rtnl: RtnlSocket
  readonly config: NetworkConfig
  readonly uplink: Uplink
  readonly keeper: ProxyKeeper
  /** Networks of the time before: routes of ours to them are removed. */
  readonly oldNetworks: readonly Cidr[]
  readonly hasBlackhole: boolean
}

/** What came of it. */
export interface Applied {
  /** From where the other machines' own packets come. */
  readonly machines: readonly Ip[]
  /** What is in the way, a sentence each. */
  readonly problems: readonly string[]
}

/** This machine's part of the mesh. */
export class Mesh {
  readonly #parts: MeshParts
  readonly #backend: Backend
  #oldNetworks: readonly Cidr[]
  /** The MAC addresses that the other machines know. */
  readonly #macs: { 4?: Mac; 6?: Mac } = {}

  /** Throws FLANNEL_CONFIG where the back end cannot work with these addresses. */
  constructor(parts: MeshParts) {
    const { config, uplink } = parts
    this.#parts = parts
    this.#oldNetworks = parts.oldNetworks
    this.#backend = config.backend
    if (config.backend.type === 'host-gw') refuseForeignAddresses(uplink)
  }

  /** MTU for pods, in bytes. */
  get mtu(): number {
    const { config, uplink } = this.#parts
    return meshMtu(this.#backend, uplink.link.mtu, config.ipv6 !== undefined)
  }

  get networks(): readonly Cidr[] {
    const { ipv4, ipv6 } = this.#parts.config
    return [ipv4?.network, ipv6?.network].filter((network) => network !== undefined)
  }

  /** Those of the time before that routes of ours may still lead to: none since all went into the kernel, and out of it. */
  get oldNetworks(): readonly Cidr[] {
    return this.#oldNetworks
  }

  /** Makes what has to be there before a lease can tell of it. `stored`: what the last one told. */
  async attributes(stored: LeaseAttributes | undefined): Promise<LeaseAttributes> {
    const { uplink } = this.#parts
    const reached = {
      ...(uplink.publicIp && { publicIp: uplink.publicIp }),
      ...(uplink.publicIpv6 && { publicIpv6: uplink.publicIpv6 }),
    }
    const backend = this.#backend
    if (backend.type !== 'vxlan') return { ...reached, backendType: backend.type }
    const known = { 4: vtepMacIn(stored?.backendData), 6: vtepMacIn(stored?.backendV6Data) }
    if (known[4] !== undefined) this.#macs[4] = known[4]
    if (known[6] !== undefined) this.#macs[6] = known[6]
    const { 4: four, 6: six } = await this.#devices()
    return {
      ...reached,
      backendType: backend.type,
      ...(four && { backendData: vxlanData(backend.vni, four.mac) }),
      ...(six && { backendV6Data: vxlanData(backend.vni, six.mac) }),
    }
  }

  /** By what packets of the tunnel are known; undefined where there is none. */
  get tunnel(): Tunnel | undefined {
    const backend = this.#backend
    if (backend.type === 'host-gw') return undefined
    return backend.type === 'vxlan' ? { port: backend.port, vni: backend.vni } : { port: backend.port }
  }

  /** Brings the kernel to these leases. Throws what nothing works without. */
  async apply(own: Lease, leases: readonly Lease[]): Promise<Applied> {
    const { rtnl, uplink, hasBlackhole } = this.#parts
    const plan = meshPlan({
      backend: this.#backend,
      networks: this.networks,
      own,
      leases,
      isOnLink: (address) => isOnLink(rtnl, address, uplink.link.index),
    })
    const links = { uplink: uplink.link.index, ...(await this.#tunnels(own, plan)) }
    const { ipv4, ipv6 } = own.subnets
    const problems = applyToKernel(rtnl, {
      plan,
      links,
      networks: [...this.networks, ...this.#oldNetworks],
      blackholes: hasBlackhole ? [ipv4, ipv6].filter((subnet) => subnet !== undefined) : [],
    })
    // What others' leases say is no matter of the kernel's; from now on routes there are somebody else's.
    if (problems.length === 0) this.#oldNetworks = []
    await this.#removeUnused()
    return { machines: plan.machines, problems: [...plan.refusals, ...problems] }
  }

  async #tunnels({ subnets }: Lease, { remotes }: MeshPlan): Promise<Links> {
    const { rtnl } = this.#parts
    switch (this.#backend.type) {
      case 'host-gw':
        return {}
      case 'vxlan': {
        const { 4: four, 6: six } = await this.#devices()
        if (four && subnets.ipv4) ensureAddress(rtnl, four.index, baseAddress(subnets.ipv4))
        if (six && subnets.ipv6) ensureAddress(rtnl, six.index, baseAddress(subnets.ipv6))
        return { ...(four && { tunnel4: four.index }), ...(six && { tunnel6: six.index }) }
      }
      case 'udp': {
        const index = await this.#tun(this.#backend.port, subnets.ipv4, remotes)
        return index === undefined ? {} : { tunnel4: index }
      }
    }
  }

  async #tun(port: number, subnet: Cidr | undefined, remotes: MeshPlan['remotes']): Promise<number | undefined> {
    const { rtnl, uplink, keeper } = this.#parts
    const { ipv4: address } = uplink.addresses
    if (subnet === undefined || address === undefined) return undefined
    await keeper.order({ device: TUN, address, port, subnet, remotes })
    const link = linkFind(rtnl, TUN)
    if (link === undefined) throw new FlannelError('FLANNEL_HOST', `link ${TUN} is not there`, 'try again')
    const isRight = link.mtu === this.mtu && link.alias === ALIAS && link.up
    if (!isRight) linkSet(rtnl, link.index, { mtu: this.mtu, alias: ALIAS, up: true })
    ensureAddress(rtnl, link.index, baseAddress(subnet))
    return link.index
  }

  async #devices(): Promise<{ readonly 4?: VxlanDevice; readonly 6?: VxlanDevice }> {
    const { uplink } = this.#parts
    const four = uplink.addresses.ipv4 && (await this.#device(4, uplink.addresses.ipv4))
    const six = uplink.addresses.ipv6 && (await this.#device(6, uplink.addresses.ipv6))
    return { ...(four && { 4: four }), ...(six && { 6: six }) }
  }

  async #device(family: 4 | 6, local: NonNullable<Uplink['addresses']['ipv4']>): Promise<VxlanDevice | undefined> {
    const backend = this.#backend
    if (backend.type !== 'vxlan') return undefined
    const { rtnl, uplink } = this.#parts
    const { vni, port, learning } = backend
    const mac = this.#macs[family]
    const device = await ensureVxlan(rtnl, {
      name: vxlanName(family, vni),
      vni,
      port,
      learning,
      local,
      parent: uplink.link.index,
      mtu: this.mtu,
      ...(mac && { mac }),
    })
    this.#macs[family] = device.mac
    return device
  }

  /** What another back end, or another number, left. */
  async #removeUnused(): Promise<void> {
    const { rtnl, keeper } = this.#parts
    const backend = this.#backend
    const wanted = backend.type === 'vxlan' ? ([4, 6] as const).map((family) => vxlanName(family, backend.vni)) : []
    await removeOthers(rtnl, wanted)
    if (backend.type !== 'udp') await keeper.end()
  }
}

/** The next hop of host-gw is a link's own address: an advertised one of another machine would be nobody's. */
function refuseForeignAddresses({ link, addresses, publicIp, publicIpv6 }: Uplink): void {
  const foreign = publicIp !== addresses.ipv4 ? publicIp : publicIpv6 !== addresses.ipv6 ? publicIpv6 : undefined
  if (foreign === undefined) return
  const message = `host-gw needs an address of this machine's own link: ${foreign} is none of ${link.name}`
  throw new FlannelError('FLANNEL_CONFIG', message, 'leave --public-ip out, choose the link with --iface, or use vxlan')
}
