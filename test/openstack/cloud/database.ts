/**
 * MariaDB on a unix socket in a folder of its own. What it holds is thrown away: it syncs nothing.
 * @module
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Daemon } from '../../../src/ovs/testing/daemon.ts'
import { run } from '../../lab/command.ts'
import { must, started } from './programs.ts'

/** A running MariaDB. */
export class Database {
  readonly #socket: string
  readonly #daemon: Daemon

  private constructor(socket: string, daemon: Daemon) {
    this.#socket = socket
    this.#daemon = daemon
  }

  static async start(parent: string): Promise<Database> {
    const folder = join(parent, 'mariadb')
    const data = join(folder, 'data')
    const socket = join(folder, 'my.sock')
    mkdirSync(folder)
    const common = ['--no-defaults', '--user=root', `--datadir=${data}`]
    await must(['mariadb-install-db', ...common, '--auth-root-authentication-method=normal', '--skip-test-db'])
    const careless = [
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-flush-method=nosync',
      '--innodb-doublewrite=0',
      '--innodb-log-file-size=64M',
      '--skip-log-bin',
      '--performance-schema=0',
    ]
    const argv = [
      'mariadbd',
      ...common,
      `--socket=${socket}`,
      '--skip-networking',
      '--max-connections=400',
      ...careless,
    ]
    const asks = ['mariadb-admin', '--no-defaults', `--socket=${socket}`, '--user=root', 'ping']
    const isReady = async (): Promise<boolean> => (await run(asks)).code === 0
    return new Database(socket, await started(argv, { folder, isReady }))
  }

  /** Makes an empty database. */
  async create(name: string): Promise<void> {
    await this.#sql(['-e', `CREATE DATABASE ${name} CHARACTER SET utf8mb3`])
  }

  /** Makes a database that holds what another one does. */
  async copy(from: string, to: string): Promise<void> {
    await this.create(to)
    const dump = ['mariadb-dump', '--no-defaults', `--socket=${this.#socket}`, '--user=root', from]
    const client = ['mariadb', '--no-defaults', `--socket=${this.#socket}`, '--user=root', to]
    await must(['sh', '-c', `${dump.join(' ')} | ${client.join(' ')}`])
  }

  /** Where Python's SQLAlchemy finds a database. */
  url(name: string): string {
    return `mysql+pymysql://root@localhost/${name}?charset=utf8&unix_socket=${this.#socket}`
  }

  async stop(): Promise<void> {
    // What it holds goes with its folder: nothing is to be written down.
    await this.#daemon.kill()
  }

  async #sql(args: readonly string[]): Promise<void> {
    await must(['mariadb', '--no-defaults', `--socket=${this.#socket}`, '--user=root', ...args])
  }
}
