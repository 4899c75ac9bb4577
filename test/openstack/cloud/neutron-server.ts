/**
 * Neutron on a loopback port, with one of its drivers.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Daemon } from '../../../src/ovs/testing/daemon.ts'
import { ini, ml2Conf, type NeutronFacts, neutronConf } from './files.ts'
import { answers, lastWords, must, started } from './programs.ts'

/** A running Neutron. */
export class NeutronServer {
  readonly #daemon: Daemon
  readonly #folder: string

  private constructor(folder: string, daemon: Daemon) {
    this.#folder = folder
    this.#daemon = daemon
  }

  /** Writes its files, and gives the arguments that name them. */
  static prepare(facts: NeutronFacts): readonly string[] {
    const { folder } = facts
    for (const one of ['', 'lock', 'policy.d']) mkdirSync(join(folder, one), { recursive: true })
    const files = { 'neutron.conf': neutronConf(facts), 'ml2.ini': ml2Conf(facts) }
    for (const [name, sections] of Object.entries(files)) writeFileSync(join(folder, name), ini(sections))
    return Object.keys(files).flatMap((name) => ['--config-file', join(folder, name)])
  }

  /** Brings an empty database up to its version: half a minute. */
  static async migrate(args: readonly string[]): Promise<void> {
    await must(['neutron-db-manage', ...args, 'upgrade', 'heads'])
  }

  static async start({ folder, port }: NeutronFacts, args: readonly string[]): Promise<NeutronServer> {
    const isReady = (): Promise<boolean> => answers(`http://127.0.0.1:${port}/`)
    return new NeutronServer(
      folder,
      await started(['neutron-server', ...args], { folder, log: 'neutron.log', isReady }),
    )
  }

  /** The end of its log. */
  log(): string {
    return lastWords(join(this.#folder, 'neutron.log'))
  }

  async stop(): Promise<void> {
    await this.#daemon.end()
  }
}
