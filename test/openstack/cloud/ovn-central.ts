/**
 * OVN's two databases and what translates one into the other, and chassis: an Open vSwitch each, in a network namespace or
 * not, with an ovn-controller. Databases are unix sockets, which reach into every namespace.
 * @module
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Daemon } from '../../../src/ovs/testing/daemon.ts'
import { type OvsSandbox, startOvsSandbox } from '../../../src/ovs/testing/ovs-sandbox.ts'
import { must, started } from './programs.ts'

/** OVN's central part. */
export class OvnCentral {
  readonly northbound: string
  readonly southbound: string
  readonly #folder: string
  readonly #daemons: readonly Daemon[]

  private constructor(folder: string, daemons: readonly Daemon[]) {
    this.#folder = folder
    this.#daemons = daemons
    this.northbound = `unix:${join(folder, 'nb', 'db.sock')}`
    this.southbound = `unix:${join(folder, 'sb', 'db.sock')}`
  }

  static async start(parent: string): Promise<OvnCentral> {
    const folder = join(parent, 'ovn')
    mkdirSync(folder)
    const daemons: Daemon[] = []
    try {
      daemons.push(await database(folder, 'nb'), await database(folder, 'sb'))
      const central = new OvnCentral(folder, daemons)
      daemons.push(await central.#northd())
      return central
    } catch (error) {
      await endAll(daemons)
      throw error
    }
  }

  /** Runs ovn-nbctl. */
  nbctl(...args: readonly string[]): Promise<string> {
    return must(['ovn-nbctl', `--db=${this.northbound}`, '--timeout=60', ...args]).then((text) => text.trim())
  }

  /** Runs ovn-sbctl. */
  sbctl(...args: readonly string[]): Promise<string> {
    return must(['ovn-sbctl', `--db=${this.southbound}`, '--timeout=60', ...args]).then((text) => text.trim())
  }

  async stop(): Promise<void> {
    await endAll(this.#daemons.toReversed())
  }

  #northd(): Promise<Daemon> {
    const folder = join(this.#folder, 'northd')
    mkdirSync(folder)
    const control = join(folder, 'northd.ctl')
    const databases = [`--ovnnb-db=${this.northbound}`, `--ovnsb-db=${this.southbound}`]
    const argv = ['ovn-northd', ...databases, `--unixctl=${control}`, '--log-file=northd.log', '-vconsole:off']
    return started(argv, { folder, env: { OVN_RUNDIR: folder }, isReady: () => existsSync(control) })
  }
}

/** Where a chassis is. */
export interface ChassisOptions {
  readonly name: string
  /** Absent: here. */
  readonly netns?: string
  /** Its end of tunnels. */
  readonly address: string
}

/** A machine of the cloud: its switch, and OVN's hand on it. */
export class Chassis {
  readonly name: string
  readonly ovs: OvsSandbox
  readonly #controller: Daemon

  private constructor(name: string, ovs: OvsSandbox, controller: Daemon) {
    this.name = name
    this.ovs = ovs
    this.#controller = controller
  }

  static async start(central: OvnCentral, { name, netns, address }: ChassisOptions): Promise<Chassis> {
    const ovs = await startOvsSandbox(netns === undefined ? {} : { netns })
    try {
      const ids = {
        'system-id': name,
        hostname: name,
        'ovn-remote': central.southbound,
        'ovn-encap-type': 'geneve',
        'ovn-encap-ip': address,
      }
      await ovs.vsctl(
        ...['set', 'Open_vSwitch', '.', ...Object.entries(ids).map(([key, value]) => `external_ids:${key}="${value}"`)],
        ...['--', 'add-br', 'br-int', '--', 'set', 'bridge', 'br-int', 'datapath_type=netdev', 'fail_mode=secure'],
      )
      const folder = join(ovs.dir, 'ovn')
      mkdirSync(folder)
      const control = join(folder, 'controller.ctl')
      const enter = netns === undefined ? [] : ['ip', 'netns', 'exec', netns]
      const argv = [
        'ovn-controller',
        `unix:${ovs.dbSocket}`,
        `--unixctl=${control}`,
        '--log-file=controller.log',
        '-vconsole:off',
      ]
      const env = { ...ovs.env, OVN_RUNDIR: folder }
      const controller = await started([...enter, ...argv], { folder, env, isReady: () => existsSync(control) })
      return new Chassis(name, ovs, controller)
    } catch (error) {
      await ovs.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    await this.#controller.end()
    await this.ovs.stop()
  }
}

async function database(parent: string, which: 'nb' | 'sb'): Promise<Daemon> {
  const folder = join(parent, which)
  mkdirSync(folder)
  const file = join(folder, 'ovn.db')
  const socket = join(folder, 'db.sock')
  await must(['ovsdb-tool', 'create', file, `/usr/share/ovn/ovn-${which}.ovsschema`])
  const argv = ['ovsdb-server', `--remote=punix:${socket}`, `--unixctl=${join(folder, 'ovsdb.ctl')}`]
  return started([...argv, '--log-file=ovsdb.log', '-vconsole:off', file], {
    folder,
    isReady: () => existsSync(socket),
  })
}

async function endAll(daemons: readonly Daemon[]): Promise<void> {
  for (const daemon of daemons) await daemon.end()
}
