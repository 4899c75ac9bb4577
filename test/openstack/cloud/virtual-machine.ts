/**
 * A machine in the cloud: a network namespace whose links are ports of Neutron, plugged into its chassis as Nova would. What
 * cloud-init would configure is configured from what Neutron says of the port.
 * @module
 */

import { closeSync } from 'node:fs'
import { disableOffloads } from '../../../src/linux/ethtool.ts'
import { netnsOpen } from '../../../src/linux/netns.ts'
import type { Port, Subnet } from '../../../src/openstack/neutron/model.ts'
import type { Neutron } from '../../../src/openstack/neutron/neutron.ts'
import { type Outcome, run } from '../../lab/command.ts'
import { eventually } from '../../lab/lab.ts'
import type { Chassis } from './chassis.ts'
import { type Addressing, address, ipIn, newNetns, veth } from './links.ts'

/** A port in a machine. */
export interface Nic {
  readonly ifname: string
  readonly port: Port
  readonly addressing: Addressing
}

let made = 0
const PATIENCE = 120_000

/** A running machine. `stop()` it before its chassis. */
export class VirtualMachine {
  readonly name: string
  readonly chassis: Chassis
  readonly netns: string
  readonly nics: Nic[] = []
  /** Of its links' other ends, by port. */
  readonly #taps = new Map<string, string>()

  private constructor(name: string, chassis: Chassis, netns: string) {
    this.name = name
    this.chassis = chassis
    this.netns = netns
  }

  /** Starts one with a port as its `eth0`. `name` is of its own among all in the underlay. */
  static async start(
    chassis: Chassis,
    { name, admin, portId }: { readonly name: string; readonly admin: Neutron; readonly portId: string },
  ): Promise<VirtualMachine> {
    const netns = chassis.underlay.netns(name)
    await newNetns(netns)
    const machine = new VirtualMachine(name, chassis, netns)
    await machine.plug(admin, portId)
    return machine
  }

  /** Plugs a port in, with its addresses, as `eth0`, `eth1` and on, and waits until Neutron says that it is up. */
  async plug(admin: Neutron, portId: string): Promise<Nic> {
    await bind(admin, portId, this.chassis.name)
    const nic = { ifname: `eth${this.nics.length}`, ...(await described(admin, portId)) }
    made += 1
    const tap = { netns: this.chassis.netns, ifname: `tap${made}` }
    const own = { netns: this.netns, ifname: nic.ifname }
    await veth(tap, own)
    withoutOffloads(own)
    const gateways = this.nics.length === 0 ? nic.addressing.gateways : []
    await address(own, { ...nic.addressing, gateways })
    this.#taps.set(portId, tap.ifname)
    this.nics.push(nic)
    await connect(this.chassis, admin, { portId, tap: tap.ifname })
    return nic
  }

  /** Takes a port out again, as a detached interface: its link is gone, the port stays. */
  async unplug(admin: Neutron, portId: string): Promise<void> {
    const tap = this.#taps.get(portId)
    if (tap === undefined) throw new Error(`port ${portId} is not in ${this.name}`)
    await this.chassis.unplug(tap)
    await ipIn(this.chassis.netns, `link del ${tap}`)
    this.#taps.delete(portId)
    this.nics.splice(0, this.nics.length, ...this.nics.filter(({ port }) => port.id !== portId))
    await admin.ports.update(portId, { hostId: '' })
  }

  /** Runs a program in it. */
  run(...argv: readonly string[]): Promise<Outcome> {
    return run(['ip', 'netns', 'exec', this.netns, ...argv])
  }

  /** Whether an address answers it, once within some attempts. */
  reaches(to: string): Promise<boolean> {
    return reaches(this.netns, to)
  }

  /** Takes its ports out; the ports stay. Its namespace goes with the underlay. */
  async stop(): Promise<void> {
    for (const tap of this.#taps.values()) await this.chassis.unplug(tap)
    this.#taps.clear()
  }
}

/** Whether an address answers a namespace. */
export async function reaches(netns: string, to: string): Promise<boolean> {
  const { code } = await run(['ip', 'netns', 'exec', netns, 'ping', '-n', '-c', '1', '-W', '2', to])
  return code === 0
}

/** How a port's link is configured. */
export async function described(
  neutron: Neutron,
  portId: string,
): Promise<{ readonly port: Port; readonly addressing: Addressing }> {
  const port = await neutron.ports.get(portId)
  const { mtu } = await neutron.networks.get(port.networkId)
  const subnets = await Promise.all(port.fixedIps.map(({ subnetId }) => neutron.subnets.get(subnetId)))
  const addresses = port.fixedIps.map((one, i) => `${one.address}/${lengthOf(subnets[i])}`)
  const gateways = [...new Set(subnets.flatMap(({ gateway }) => (gateway === undefined ? [] : [gateway])))]
  return { port, addressing: { mac: port.mac, ...(mtu === undefined ? {} : { mtu }), addresses, gateways } }
}

/** What is sent into the userspace datapath has to be finished: no hardware comes behind it. */
export function withoutOffloads({ netns, ifname }: { readonly netns: string; readonly ifname: string }): void {
  const fd = netnsOpen(netns)
  try {
    disableOffloads(ifname, fd)
  } finally {
    closeSync(fd)
  }
}

/** Makes a link that is in a chassis' namespace the end of a port that is bound there, and waits until Neutron says that the port is up. */
export async function connect(
  chassis: Chassis,
  admin: Neutron,
  { portId, tap }: { readonly portId: string; readonly tap: string },
): Promise<void> {
  const { port, addressing } = await described(admin, portId)
  await ipIn(chassis.netns, `link set ${tap} mtu ${addressing.mtu ?? 1500} up`)
  await chassis.plug(tap, portId, port.mac)
  await eventually(`port ${portId} is up`, async () => (await admin.ports.get(portId)).status === 'ACTIVE', PATIENCE)
}

/** Neutron hears of a new chassis a moment after OVN: until then it cannot bind a port there. */
export async function bind(admin: Neutron, portId: string, host: string): Promise<void> {
  await eventually(
    `port ${portId} is bound to ${host}`,
    async () => {
      const bound = await admin.ports.update(portId, { hostId: host })
      if (bound.vifType === 'ovs') return true
      await admin.ports.update(portId, { hostId: '' })
      return false
    },
    PATIENCE,
  )
}

function lengthOf(subnet: Subnet | undefined): string {
  return subnet?.cidr.split('/')[1] ?? '32'
}
