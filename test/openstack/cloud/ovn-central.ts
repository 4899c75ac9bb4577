/**
 * OVN's two databases and what translates one into the other. Databases are unix sockets, which reach into every namespace.
 * @module
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Daemon } from '../../../src/ovs/testing/daemon.ts'
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

  /** One that another process runs for a cloud. */
  static of(parent: string): OvnCentral {
    return new OvnCentral(join(parent, 'ovn'), [])
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
