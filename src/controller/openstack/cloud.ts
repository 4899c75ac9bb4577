/**
 * What is asked of a cloud for many nodes at once, remembered for a minute: networks, subnets, security groups, extensions, the quota.
 * @module
 */
import { OpenStackError } from '../../openstack/errors.ts'
import type { Network, SecurityGroup, Subnet } from '../../openstack/neutron/model.ts'
import type { Neutron } from '../../openstack/neutron/neutron.ts'
import { Backoff } from '../../registry/backoff.ts'
import { PortsError } from './problem.ts'

const FRESH_MS = 60_000
const QUOTA_FRESH_MS = 15_000
/** Nothing is written on a revision that is not there. */
export const REVISIONS = 'revision-if-match'
const SHARED_GROUPS = 'security-groups-shared-filtering'
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/
/** What an account, or Neutron as a whole, fails by: nobody else gets through, either. */
const OUTAGES: ReadonlySet<string> = new Set(['OPENSTACK_UNAVAILABLE', 'OPENSTACK_UNAUTHORIZED', 'OPENSTACK_CONFIG'])

/** A Keystone that counts failed logins locks an account after some, for everybody who has it. */
const REFUSED_MS = 30_000

/** How a cloud is asked. */
export interface CloudOptions {
  /** A session with the credentials as they are now. Throws `OPENSTACK_CONFIG`. */
  readonly open: () => Neutron
  /** Milliseconds since whenever. */
  readonly now: () => number
  readonly random?: () => number
}

/** One account's cloud. */
export class Cloud {
  readonly #options: CloudOptions
  readonly #known = new Map<string, { readonly at: number; readonly value: Promise<unknown> }>()
  readonly #patience: Backoff
  #neutron: Neutron | undefined
  #quietUntil = 0
  #outage: unknown
  /**
   * Ports get tags as they are made; absent: nobody tried. The list of extensions does not say: with OVN, Neutron 21 takes them and does not
   * name `tag-ports-during-bulk-creation`.
   */
  takesTags: boolean | undefined

  constructor(options: CloudOptions) {
    this.#options = options
    this.#patience = new Backoff(options.random ?? Math.random, { first: 1_000, most: 60_000 })
  }

  /** Throws `OPENSTACK_CONFIG` where no cloud can be made of what is configured. */
  get neutron(): Neutron {
    this.#neutron ??= this.#options.open()
    return this.#neutron
  }

  /** Milliseconds to leave it alone for, after an outage that everybody met. */
  get pause(): number {
    return Math.max(0, this.#quietUntil - this.#options.now())
  }

  /** What everybody met, while it is left alone for that. */
  get outage(): unknown {
    return this.pause > 0 ? this.#outage : undefined
  }

  /** It answered, whatever it said. */
  answered(): void {
    this.#patience.reset()
    this.#quietUntil = 0
  }

  /** A call failed. What nobody gets through is not tried by everybody; credentials that are refused are read anew. */
  failed(error: unknown): void {
    if (!(error instanceof OpenStackError) || !OUTAGES.has(error.code)) return
    this.#outage = error
    if (this.pause === 0) this.#quietUntil = this.#options.now() + Math.max(this.#patience.next(), leastPause(error))
    if (error.code !== 'OPENSTACK_UNAVAILABLE') this.#neutron = undefined
  }

  /** What was remembered may be wrong. */
  forget(): void {
    this.#known.clear()
  }

  /** By id or by name. */
  network(reference: string): Promise<Network> {
    return this.#once(`network ${reference}`, async () => {
      const { networks } = this.neutron
      if (UUID.test(reference)) return await networks.get(reference)
      return one(await networks.list({ name: reference }), 'network', reference)
    })
  }

  /** All that a network has. */
  subnets(networkId: string): Promise<readonly Subnet[]> {
    return this.#once(`subnets ${networkId}`, () => this.neutron.subnets.list({ networkId }))
  }

  /** Ids of security groups, sorted. Whoever writes an annotation names some: all of them cost one list. */
  async groups(references: readonly string[]): Promise<readonly string[]> {
    const { own, shared } = await this.#once('groups', () => this.#listGroups())
    const ids = references.map((reference) => {
      const known = [...own, ...shared].find(({ id }) => id === reference)
      if (known !== undefined) return known.id
      const named = own.filter(({ name }) => name === reference)
      const found = named.length > 0 ? named : shared.filter(({ name }) => name === reference)
      return one(found, 'security group', reference).id
    })
    return [...new Set(ids)].sort()
  }

  /** The project's, and those that others share with it. An administrator's account is shown everybody's. */
  async #listGroups(): Promise<Readonly<Record<'own' | 'shared', readonly SecurityGroup[]>>> {
    const { securityGroups } = this.neutron
    const projectId = await this.neutron.projectId()
    if (projectId === undefined) return { own: await securityGroups.list({}), shared: [] }
    const own = (await securityGroups.list({ projectId })).filter((group) => group.projectId === projectId)
    const all = (await this.has(SHARED_GROUPS)) ? await securityGroups.list({ isShared: true }) : []
    return { own, shared: all.filter((group) => group.isShared && group.projectId !== projectId) }
  }

  /** Whether Neutron has an extension, such as {@link REVISIONS}. */
  async has(alias: string): Promise<boolean> {
    return (await this.#once('extensions', () => this.neutron.extensions())).has(alias)
  }

  /** Ports that the project may still have; undefined where that has no limit, or nobody may ask. */
  async quotaLeft(): Promise<number | undefined> {
    return await this.#once('quota', () => this.#askQuota(), QUOTA_FRESH_MS)
  }

  /** After ports were made or deleted. */
  quotaChanged(): void {
    this.#known.delete('quota')
  }

  async #askQuota(): Promise<number | undefined> {
    try {
      const projectId = await this.neutron.projectId()
      if (projectId === undefined) return undefined
      const quota = (await this.neutron.quotas.get(projectId)).get('port')
      if (quota?.limit === undefined) return undefined
      return Math.max(0, quota.limit - quota.used - quota.reserved)
    } catch (error) {
      const isWithheld = error instanceof OpenStackError && WITHHELD.has(error.code)
      if (isWithheld) return undefined
      throw error
    }
  }

  #once<T>(key: string, ask: () => Promise<T>, freshMs = FRESH_MS): Promise<T> {
    const now = this.#options.now()
    const known = this.#known.get(key)
    if (known !== undefined && now - known.at < freshMs) return known.value as Promise<T>
    const value = ask()
    this.#known.set(key, { at: now, value })
    value.catch(() => {
      if (this.#known.get(key)?.value === value) this.#known.delete(key)
    })
    return value
  }
}

/** Clouds differ in who may see quotas. */
const WITHHELD: ReadonlySet<string> = new Set(['OPENSTACK_FORBIDDEN', 'OPENSTACK_NOT_FOUND', 'OPENSTACK_UNSUPPORTED'])

function one<T extends { readonly id: string }>(found: readonly T[], what: string, name: string): T {
  const [first, ...others] = found
  const code = what === 'network' ? 'PORTS_NO_SUBNET' : 'PORTS_NO_GROUP'
  const quoted = JSON.stringify(name)
  if (first === undefined) {
    const list = what === 'network' ? 'openstack network list' : 'openstack security group list'
    throw new PortsError(code, `there is no ${what} ${quoted} that this project sees`, `correct the name (${list})`)
  }
  if (others.length === 0) return first
  const ids = found
    .map(({ id }) => id)
    .slice(0, 5)
    .join(', ')
  throw new PortsError(
    'PORTS_AMBIGUOUS',
    `${found.length} of them are called ${quoted}: ${what}s ${ids}`,
    'write the ID',
  )
}

function leastPause({ code }: OpenStackError): number {
  return code === 'OPENSTACK_UNAUTHORIZED' ? REFUSED_MS : 0
}
