/**
 * A machine of the cloud that runs others: a network namespace with an Open vSwitch and OVN's hand on it. Packets go through the
 * userspace datapath: the switch has the machine's link, and tunnels find their way over the switch's own one.
 * @module
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Daemon } from '../../../src/ovs/testing/daemon.ts'
import { type OvsSandbox, startOvsSandbox } from '../../../src/ovs/testing/ovs-sandbox.ts'
import type { Capture } from '../../lab/capture.ts'
import { eventually } from '../../lab/lab.ts'
import { address } from './links.ts'
import type { OvnCentral } from './ovn-central.ts'
import { started } from './programs.ts'
import type { Underlay } from './underlay.ts'

/** Where tunnels begin and end. */
const WIRE = 'br-phy'
const INTEGRATION = 'br-int'

/** A running chassis. Always `stop()` it, after its machines and before its underlay. */
export class Chassis {
  /** What Neutron calls its host. */
  readonly name: string
  readonly netns: string
  readonly underlay: Underlay
  readonly ovs: OvsSandbox
  readonly #short: string
  readonly #controller: Daemon

  private constructor(short: string, netns: string, underlay: Underlay, ovs: OvsSandbox, controller: Daemon) {
    this.#short = short
    this.name = hostOf(underlay, short)
    this.netns = netns
    this.underlay = underlay
    this.ovs = ovs
    this.#controller = controller
  }

  /** Starts one, and waits until OVN knows it. `short` is a name of its own in the underlay. */
  static async start(underlay: Underlay, central: OvnCentral, short: string): Promise<Chassis> {
    const place = await underlay.join(short)
    const { netns } = place
    const ovs = await startOvsSandbox({ netns, parent: underlay.folder })
    const daemons: Daemon[] = []
    try {
      await wire(ovs, netns, place.address)
      const name = hostOf(underlay, short)
      await integrate(ovs, { name, southbound: central.southbound, address: place.address })
      daemons.push(await controller(ovs, netns))
      await isHeardOf(central, name)
      const [running] = daemons
      if (running === undefined) throw new Error('no controller')
      return new Chassis(short, netns, underlay, ovs, running)
    } catch (error) {
      for (const daemon of daemons) await daemon.end()
      await ovs.stop()
      throw error
    }
  }

  /** What it sends to other machines from now on. */
  capture(): Capture {
    return this.underlay.capture(this.#short)
  }

  /** Makes a link of its namespace a port of a logical switch: OVN knows whose it is by the ID of the port. */
  async plug(ifname: string, portId: string, mac: string): Promise<void> {
    const ids = [`external_ids:iface-id=${portId}`, `external_ids:attached-mac="${mac}"`]
    await this.ovs.vsctl(
      ...[
        '--',
        'add-port',
        INTEGRATION,
        ifname,
        '--',
        'set',
        'interface',
        ifname,
        ...ids,
        'external_ids:iface-status=active',
      ],
    )
  }

  async unplug(ifname: string): Promise<void> {
    await this.ovs.vsctl('--if-exists', 'del-port', INTEGRATION, ifname)
  }

  /** Ends as a chassis that is taken down does: it leaves OVN's database. */
  async stop(): Promise<void> {
    const control = join(folderOf(this.ovs), `ovn-controller.${this.#controller.pid}.ctl`)
    await this.ovs.tool(['ovs-appctl', '-t', control, '--timeout=10', 'exit'])
    await this.#controller.end()
    await this.ovs.stop()
  }
}

function hostOf(underlay: Underlay, short: string): string {
  return `${short}-${underlay.id}`
}

async function wire(ovs: OvsSandbox, netns: string, own: string): Promise<void> {
  const bridge = ['add-br', WIRE, '--', 'set', 'bridge', WIRE, 'datapath_type=netdev', 'fail_mode=standalone']
  await ovs.vsctl(...bridge, '--', 'add-port', WIRE, 'eth0')
  await address({ netns, ifname: WIRE }, { addresses: [`${own}/24`], gateways: [] })
}

async function integrate(
  ovs: OvsSandbox,
  { name, southbound, address: own }: { readonly name: string; readonly southbound: string; readonly address: string },
): Promise<void> {
  const ids = {
    'system-id': name,
    hostname: name,
    'ovn-remote': southbound,
    'ovn-encap-type': 'geneve',
    'ovn-encap-ip': own,
    'ovn-bridge-datapath-type': 'netdev',
  }
  const settings = Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`)
  const bridge = ['set', 'bridge', INTEGRATION, 'datapath_type=netdev', 'fail_mode=secure']
  await ovs.vsctl('set', 'Open_vSwitch', '.', ...settings, '--', 'add-br', INTEGRATION, '--', ...bridge)
}

/**
 * Waits until OVN knows a chassis, and until the chassis has followed a change of the northbound database: Neutron takes one
 * that never did for dead, and binds no port there.
 */
async function isHeardOf(central: OvnCentral, name: string): Promise<void> {
  await central.nbctl('--wait=sb', 'sync')
  await eventually(
    `OVN hears from ${name}`,
    async () => {
      const asked = ['--bare', '--columns=nb_cfg', 'find', 'Chassis_Private', `name=${name}`]
      return Number(await central.sbctl(...asked)) > 0
    },
    120_000,
  )
}

/** It takes no option for its control socket: that is in its run folder, by its process's number. */
function controller(ovs: OvsSandbox, netns: string): Promise<Daemon> {
  const folder = folderOf(ovs)
  mkdirSync(folder)
  const argv = ['ovn-controller', `unix:${ovs.dbSocket}`, '--log-file=controller.log', '-vconsole:off']
  const env = { ...ovs.env, OVN_RUNDIR: folder }
  const isReady = (): boolean => readdirSync(folder).some((name) => name.endsWith('.ctl'))
  return started(['ip', 'netns', 'exec', netns, ...argv], { folder, env, isReady })
}

function folderOf(ovs: OvsSandbox): string {
  return join(ovs.dir, 'ovn')
}
