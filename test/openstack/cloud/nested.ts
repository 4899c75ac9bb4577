/**
 * Ports inside a machine's port: a switch in the machine that tells them apart by VLAN, as a trunk has them, and a namespace
 * for each. The machine's own address moves from its link to the switch.
 * @module
 */

import type { Neutron } from '../../../src/openstack/neutron/neutron.ts'
import { type OvsSandbox, startOvsSandbox } from '../../../src/ovs/testing/ovs-sandbox.ts'
import { address, ipIn, newNetns, veth } from './links.ts'
import { described, type VirtualMachine, withoutOffloads } from './virtual-machine.ts'

const BRIDGE = 'br0'

/** A switch in a machine. `stop()` it before the machine. */
export class NestedSwitch {
  readonly machine: VirtualMachine
  readonly ovs: OvsSandbox

  private constructor(machine: VirtualMachine, ovs: OvsSandbox) {
    this.machine = machine
    this.ovs = ovs
  }

  /** Puts a machine's first link under a switch. */
  static async start(machine: VirtualMachine): Promise<NestedSwitch> {
    const { netns, chassis, nics } = machine
    const [nic] = nics
    if (nic === undefined) throw new Error(`${machine.name} has no port`)
    const ovs = await startOvsSandbox({ netns, parent: chassis.underlay.folder })
    const settings = ['datapath_type=netdev', 'fail_mode=standalone', `other_config:hwaddr="${nic.port.mac}"`]
    await ovs.vsctl('add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, ...settings)
    await ipIn(netns, `addr flush dev ${nic.ifname}`)
    await ovs.vsctl('add-port', BRIDGE, nic.ifname)
    await address({ netns, ifname: BRIDGE }, nic.addressing)
    return new NestedSwitch(machine, ovs)
  }

  /** A namespace behind a VLAN of the machine's port, with a port's MAC and addresses on its `eth0`. Gives its name. */
  async plug(neutron: Neutron, { portId, vlan }: { readonly portId: string; readonly vlan: number }): Promise<string> {
    const { netns, chassis, name } = this.machine
    const { addressing } = await described(neutron, portId)
    const inner = { netns: chassis.underlay.netns(`${name}-${vlan}`), ifname: 'eth0' }
    await newNetns(inner.netns)
    const outer = { netns, ifname: `vlan${vlan}` }
    await veth(outer, inner)
    withoutOffloads(inner)
    await ipIn(netns, `link set ${outer.ifname} up`)
    await this.ovs.vsctl('add-port', BRIDGE, outer.ifname, `tag=${vlan}`)
    await address(inner, addressing)
    return inner.netns
  }

  async stop(): Promise<void> {
    await this.ovs.stop()
  }
}
