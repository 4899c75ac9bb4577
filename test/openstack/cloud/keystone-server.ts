/**
 * Keystone on a loopback port.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Daemon } from '../../../src/ovs/testing/daemon.ts'
import { freePort } from '../../kube/process.ts'
import type { Database } from './database.ts'
import { ini, keystoneConf } from './files.ts'
import { answers, must, started } from './programs.ts'

/** A running Keystone. Its administrator is `admin` with the password of the same name. */
export class KeystoneServer {
  /** Without `/v3`. */
  readonly url: string
  readonly #daemon: Daemon

  private constructor(url: string, daemon: Daemon) {
    this.url = url
    this.#daemon = daemon
  }

  static async start(parent: string, database: Database): Promise<KeystoneServer> {
    const folder = join(parent, 'keystone')
    for (const one of ['', 'fernet-keys', 'credential-keys']) mkdirSync(join(folder, one), { mode: 0o700 })
    await database.create('keystone')
    const file = join(folder, 'keystone.conf')
    writeFileSync(file, ini(keystoneConf(folder, database.url('keystone'))))
    const url = `http://127.0.0.1:${freePort()}`
    const manage = (...args: string[]): Promise<string> => must(['keystone-manage', '--config-file', file, ...args])
    const owner = ['--keystone-user', 'root', '--keystone-group', 'root']
    await manage('db_sync')
    await manage('fernet_setup', ...owner)
    await manage('credential_setup', ...owner)
    await manage('bootstrap', '--bootstrap-password', 'admin')
    return new KeystoneServer(url, await serve(folder, file, url))
  }

  async stop(): Promise<void> {
    await this.#daemon.end()
  }
}

/**
 * Several threads: Neutron asks about a token while we wait for an answer. A connection is closed after each, and says so: clients that
 * kept it for the next question were reset now and then.
 */
function serve(folder: string, file: string, url: string): Promise<Daemon> {
  const { host } = new URL(url)
  const argv = [
    ...['uwsgi_python3', '--http-socket', host, '--plugins', 'python3', '--master', '--lazy-apps', '--die-on-term'],
    ...['--processes', '1', '--threads', '6', '--buffer-size', '65535', '--need-app', '--no-orphans'],
    ...['--add-header', 'Connection: close'],
    ...['--wsgi-file', '/usr/bin/keystone-wsgi-public'],
  ]
  return started(argv, { folder, env: { OS_KEYSTONE_CONFIG_FILES: file }, isReady: () => answers(`${url}/v3`) })
}
