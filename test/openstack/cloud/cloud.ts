/**
 * A cloud on this machine: the real Keystone, and the real Neutron once with each of its drivers, in a region of its own each.
 * Everything listens on the loopback or on sockets in one folder, and ends with this process at the latest.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cloudConfig } from '../../../src/openstack/config/cloud.ts'
import type { CloudConfig } from '../../../src/openstack/config/model.ts'
import { Neutron } from '../../../src/openstack/neutron/neutron.ts'
import { OpenStackSession } from '../../../src/openstack/session.ts'
import { freePort } from '../../kube/process.ts'
import { Database } from './database.ts'
import type { NetworkDriver, NeutronFacts } from './files.ts'
import { ownFolder, removeFolder } from './folder.ts'
import { Identity } from './identity.ts'
import { KeystoneServer } from './keystone-server.ts'
import { NeutronServer } from './neutron-server.ts'
import { OvnCentral } from './ovn-central.ts'
import { step } from './programs.ts'

/** Programs that have to be there. */
const PROGRAMS = ['mariadbd', 'keystone-manage', 'uwsgi_python3', 'neutron-server', 'neutron-db-manage', 'ovn-northd']

/** Those of them that are not. */
export function missingPrograms(): readonly string[] {
  return PROGRAMS.filter((name) => Bun.which(name, { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` }) === null)
}

/** Accounts: of an administrator, and of a member of a project whose name and password are its own. */
export type Account = 'admin' | 'cni'

/** Where a cloud's services are, in a file of its folder: another process may use them. */
interface Whereabouts {
  /** Without `/v3`. */
  readonly keystone: string
  readonly neutron: Readonly<Partial<Record<NetworkDriver, number>>>
}

const WHEREABOUTS = 'cloud.json'

/** A running cloud. Always `stop()` it. */
export class Cloud {
  readonly folder: string
  /** Another process runs it. */
  readonly isBorrowed: boolean
  #database: Database | undefined
  #keystone: KeystoneServer | undefined
  #keystoneUrl: string | undefined
  #identity: Identity | undefined
  #ovn: OvnCentral | undefined
  readonly #neutrons = new Map<NetworkDriver, NeutronServer>()
  readonly #ports = new Map<NetworkDriver, number>()

  private constructor(folder: string, isBorrowed: boolean) {
    this.folder = folder
    this.isBorrowed = isBorrowed
  }

  /**
   * Starts MariaDB, Keystone and a Neutron for each of the drivers, which takes a minute. Where WEFT_TEST_CLOUD names the folder
   * of one that runs it is that one.
   */
  static async start(drivers: readonly NetworkDriver[]): Promise<Cloud> {
    const running = process.env['WEFT_TEST_CLOUD'] ?? ''
    return running === '' ? Cloud.startOwn(drivers) : Cloud.#borrow(running)
  }

  /** One that nobody else uses, for what would get in others' way. */
  static async startOwn(drivers: readonly NetworkDriver[]): Promise<Cloud> {
    const cloud = new Cloud(await ownFolder(), false)
    try {
      await cloud.#start(drivers)
      return cloud
    } catch (error) {
      await cloud.stop()
      throw error
    }
  }

  static async #borrow(folder: string): Promise<Cloud> {
    const { keystone, neutron } = JSON.parse(readFileSync(join(folder, WHEREABOUTS), 'utf8')) as Whereabouts
    const cloud = new Cloud(folder, true)
    cloud.#keystoneUrl = keystone
    for (const driver of ['ovs', 'ovn'] as const) {
      const port = neutron[driver]
      if (port !== undefined) cloud.#ports.set(driver, port)
    }
    if (neutron.ovn !== undefined) cloud.#ovn = OvnCentral.of(folder)
    cloud.#identity = await Identity.login(cloud.authUrl)
    return cloud
  }

  /** `http://127.0.0.1:port/v3`. */
  get authUrl(): string {
    return `${part(this.#keystoneUrl)}/v3`
  }

  get identity(): Identity {
    return part(this.#identity)
  }

  get ovn(): OvnCentral {
    return part(this.#ovn)
  }

  neutron(driver: NetworkDriver): NeutronServer {
    return part(this.#neutrons.get(driver))
  }

  /** Neutron's address, without a version. */
  neutronUrl(driver: NetworkDriver): string {
    return `http://127.0.0.1:${part(this.#ports.get(driver))}`
  }

  /** An application credential of an account. */
  async applicationCredential(
    account: Account,
    name: string,
  ): Promise<{ readonly id: string; readonly secret: string }> {
    return this.identity.applicationCredential(account, account === 'cni' ? 'k8s' : 'admin', name)
  }

  /** What an operator would export. */
  variables(driver: NetworkDriver, account: Account): Readonly<Record<string, string>> {
    return {
      OS_AUTH_URL: this.authUrl,
      OS_USERNAME: account,
      OS_PASSWORD: account,
      OS_PROJECT_NAME: account === 'cni' ? 'k8s' : 'admin',
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_DOMAIN_NAME: 'Default',
      OS_IDENTITY_API_VERSION: '3',
      OS_REGION_NAME: driver,
    }
  }

  /** An account's configuration, as it comes of such variables. */
  config(driver: NetworkDriver, account: Account, change: Partial<CloudConfig> = {}): CloudConfig {
    const settings = {
      authUrl: this.authUrl,
      username: account,
      password: account,
      projectName: account === 'cni' ? 'k8s' : 'admin',
      region: driver,
    }
    return { ...cloudConfig(settings, { from: 'the test', readFile: () => '' }), ...change }
  }

  /** A client of it, with patience: Neutron has one worker here, on a machine that may have much else to do. */
  client(driver: NetworkDriver, account: Account, change: Partial<CloudConfig> = {}): Neutron {
    const limits = { attempt: 240_000, total: 280_000 }
    return new Neutron(new OpenStackSession(this.config(driver, account, change), { limits }))
  }

  /** A borrowed one goes on. */
  async stop(): Promise<void> {
    if (this.isBorrowed) return
    for (const neutron of this.#neutrons.values()) await neutron.stop()
    await this.#keystone?.stop()
    await this.#ovn?.stop()
    await this.#database?.stop()
    removeFolder(this.folder)
  }

  async #start(drivers: readonly NetworkDriver[]): Promise<void> {
    this.#database = await step('Starting MariaDB', () => Database.start(this.folder))
    await step('Starting Keystone', () => this.#startKeystone(part(this.#database)))
    if (drivers.includes('ovn')) this.#ovn = await OvnCentral.start(this.folder)
    const [first] = drivers
    for (const driver of drivers) {
      await step(`Starting Neutron with ${driver}`, () =>
        this.#startNeutron(driver, driver === first ? undefined : first),
      )
    }
    const whereabouts: Whereabouts = { keystone: part(this.#keystoneUrl), neutron: Object.fromEntries(this.#ports) }
    writeFileSync(join(this.folder, WHEREABOUTS), JSON.stringify(whereabouts))
  }

  async #startKeystone(database: Database): Promise<void> {
    this.#keystone = await KeystoneServer.start(this.folder, database)
    this.#keystoneUrl = this.#keystone.url
    this.#identity = await Identity.login(this.authUrl)
    await this.#accounts(this.#identity)
  }

  async #accounts(identity: Identity): Promise<void> {
    const service = await identity.create('projects', 'project', { name: 'service', domain_id: 'default' })
    const neutron = await identity.create('users', 'user', {
      name: 'neutron',
      password: 'neutron',
      domain_id: 'default',
    })
    await identity.grant(service, neutron, 'admin')
    const k8s = await identity.create('projects', 'project', { name: 'k8s', domain_id: 'default' })
    const cni = await identity.create('users', 'user', { name: 'cni', password: 'cni', domain_id: 'default' })
    await identity.grant(k8s, cni, 'member')
  }

  /** The second one's database begins as a copy of the first one's: migrations take longest of all. */
  async #startNeutron(driver: NetworkDriver, like: NetworkDriver | undefined): Promise<void> {
    const database = part(this.#database)
    const facts: NeutronFacts = {
      driver,
      folder: join(this.folder, `neutron-${driver}`),
      database: database.url(`neutron_${driver}`),
      port: freePort(),
      keystone: part(this.#keystone).url,
      ...(driver === 'ovn' ? { northbound: this.ovn.northbound, southbound: this.ovn.southbound } : {}),
    }
    const args = NeutronServer.prepare(facts)
    if (like === undefined) {
      await database.create(`neutron_${driver}`)
      await NeutronServer.migrate(args)
      await database.copy(`neutron_${driver}`, 'neutron_empty')
    } else {
      await database.copy('neutron_empty', `neutron_${driver}`)
    }
    this.#neutrons.set(driver, await NeutronServer.start(facts, args))
    this.#ports.set(driver, facts.port)
    await this.identity.publish({ type: 'network', name: 'neutron' }, driver, this.neutronUrl(driver))
    await this.identity.publish({ type: 'identity', name: 'keystone' }, driver, `${this.authUrl}/`)
    // With the first question it asks Keystone for a token of its own, which may fail while both are busy with starting.
    await this.client(driver, 'admin').networks.list({ name: 'any' })
  }
}

function part<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('that part of the cloud is not running')
  return value
}
