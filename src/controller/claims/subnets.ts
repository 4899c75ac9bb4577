/**
 * SpiderSubnets: pools of their networks become theirs, applications get pools of them, and they say what became of their
 * addresses.
 * @module
 */
import { dress, SUBNET_CIDR_LABEL } from '../../compat/spiderpool/pool-status/dress.ts'
import { SPIDER_IP_POOLS, SPIDER_RESERVED_IPS, SPIDER_SUBNETS } from '../../compat/spiderpool/resources.ts'
import { adoption, isOfSubnet, type PoolOfNetwork, subnetStatus } from '../../compat/spiderpool/subnet/adoption.ts'
import { APPLICATION_KINDS, type Application } from '../../compat/spiderpool/subnet/application.ts'
import { applicationPoolIn, type Subnet } from '../../compat/spiderpool/subnet/pool-object.ts'
import { overlappingSubnets } from '../../ipam/pool-problems.ts'
import { isWithin, type RangeSet, sizeOf, without } from '../../ipam/range-set.ts'
import type { KubeApi } from '../../kube/api.ts'
import type { KubeObject, ObjectMeta, Resource } from '../../kube/object.ts'
import { WorkQueue } from '../../kube/queue.ts'
import { type Picked, reflectPicked } from '../../kube/reflector.ts'
import type { PodLife } from '../../network/model/pod-life.ts'
import type { AddressPool } from '../../network/model/pool.ts'
import type { MapChange, SourceReflection } from '../../registry/reflect.ts'
import type { Complaints } from '../complaints.ts'
import { Groups } from '../groups.ts'
import { ApplicationPools, freeOf } from './application-pools.ts'
import { type ApplicationEntry, Applications, type AskingPod, applicationEntry } from './applications.ts'
import type { ClaimIndex } from './claim-index.ts'
import { Heard } from './heard.ts'
import { unlessOvertaken } from './objects.ts'
import { Pace } from './pace.ts'
import type { PoolEntry } from './pool-keeper.ts'
import { digestOf, type ReservedEntry, reservedEntry, type SubnetEntry, subnetEntry } from './subnet-entry.ts'
import type { Told } from './told.ts'

/** What subnets are looked after with. */
export interface SubnetParts {
  readonly api: KubeApi
  readonly told: Told
  readonly signal: AbortSignal
  readonly complaints: Complaints
  readonly claims: ClaimIndex
  readonly pools: () => ReadonlyMap<string, Picked<PoolEntry>>
  /** Kinds of applications that somebody else follows, and tells of by `applicationChanged`. */
  readonly followed: readonly Resource[]
}

/** Looks after subnets. */
export class SubnetKeeper {
  readonly #parts: SubnetParts
  readonly #apps = new Applications()
  readonly #subnets: SourceReflection<Picked<SubnetEntry>>
  readonly #reserved: SourceReflection<Picked<ReservedEntry>>
  readonly #objects: readonly SourceReflection<Picked<ApplicationEntry>>[]
  readonly #byApp = new Groups()
  readonly #byNetwork = new Groups()
  readonly #appQueue: WorkQueue
  readonly #subnetQueue: WorkQueue
  readonly #pace = new Pace()
  readonly #heard = new Heard()
  #isReady = false

  constructor(parts: SubnetParts) {
    this.#parts = parts
    const { signal, complaints, told, api, claims, followed } = parts
    const pools = new ApplicationPools({
      api,
      claims,
      app: (key) => this.#apps.get(key),
      subnet: (name) => this.#subnet(name),
      pool: (name) => this.#pool(name),
      poolsOf: (app) => [...this.#byApp.get(app)],
      free: (subnet) => this.#free(subnet),
      heard: (pool, revision) => this.#heard.until(pool, revision, this.#pool(pool)?.metadata.resourceVersion, signal),
      tell: (app, problems) => told.say(aboutApplication(app), 'PoolOfSubnetMissing', problems.join('; ')),
    })
    this.#appQueue = new WorkQueue({
      signal,
      // Two at a time could give out the same addresses.
      concurrency: 1,
      work: (key) => pools.lookAfter(key),
      onError: (key, error) => complaints.say(`cannot make a pool for ${key}`, error),
    })
    this.#subnetQueue = new WorkQueue({
      signal,
      work: (name) => this.#lookAfter(name),
      onError: (name, error) => complaints.say(`cannot look after SpiderSubnet ${name}`, error),
    })
    this.#subnets = this.#reflect(SPIDER_SUBNETS, subnetEntry, ({ object }) => this.#subnetChanged(object.name))
    this.#reserved = this.#reflect(SPIDER_RESERVED_IPS, reservedEntry, ({ object: { value } }) =>
      told.say(about(SPIDER_RESERVED_IPS, value.metadata), 'RefusedReservedIP', value.reserved?.problem ?? ''),
    )
    this.#objects = APPLICATION_KINDS.filter(({ resource }) => !followed.includes(resource)).map(({ resource }) =>
      this.#reflect(
        resource,
        applicationEntry,
        (change) => this.applicationChanged(change),
        ({ app }) => app !== undefined,
      ),
    )
  }

  /** When everything is known. */
  get synced(): Promise<unknown> {
    return Promise.all([this.#subnets, this.#reserved, ...this.#objects].map(({ synced }) => synced))
  }

  /** When nothing runs any more. */
  get done(): Promise<unknown> {
    const reflections = [this.#subnets, this.#reserved, ...this.#objects].map(({ done }) => done)
    return Promise.all([...reflections, this.#appQueue.done, this.#subnetQueue.done])
  }

  /** Everything is known, pools and claims too. */
  start(): void {
    this.#isReady = true
    for (const name of this.#subnets.store.keys()) this.#subnetQueue.add(name)
    for (const key of [...this.#apps.keys(), ...this.#byApp.keys()]) this.#appQueue.add(key)
  }

  /** What was heard of an object that may be an application. */
  applicationChanged(change: MapChange<Picked<ApplicationEntry>>): void {
    this.#appChanged(this.#apps.object(change))
  }

  podChanged(change: MapChange<Picked<PodLife & AskingPod>>): void {
    this.#appChanged(this.#apps.pod(change))
  }

  poolChanged({ type, object, before }: MapChange<Picked<PoolEntry>>): void {
    const { name } = object
    const [old, now] = [groupsOf(before?.value), groupsOf(type === 'put' ? object.value : undefined)]
    if (old.app !== undefined) this.#byApp.delete(old.app, name)
    if (old.network !== undefined) this.#byNetwork.delete(old.network, name)
    if (now.app !== undefined) this.#byApp.add(now.app, name)
    if (now.network !== undefined) this.#byNetwork.add(now.network, name)
    // Work may begin at once: from here on all is as it is.
    this.#heard.tell(name, type === 'put' ? object.revision : undefined)
    for (const app of new Set([old.app, now.app])) this.#appChanged(app)
    for (const network of new Set([old.network, now.network])) this.#networkChanged(network)
  }

  /** What a pool's claims are decides how far it can shrink. */
  claimChanged(pool: string): void {
    this.#appChanged(applicationPoolIn(this.#pool(pool)?.metadata.labels)?.application)
  }

  #appChanged(key: string | undefined): void {
    if (this.#isReady && key !== undefined) this.#appQueue.add(key)
  }

  #networkChanged(network: string | undefined): void {
    if (!this.#isReady || network === undefined) return
    for (const { name, value } of this.#subnets.store.values()) {
      if (value.value?.subnet === network) this.#subnetQueue.add(name)
    }
  }

  #subnetChanged(changed: string): void {
    if (!this.#isReady) return
    this.#subnetQueue.add(changed)
    for (const key of this.#apps.askingFor(changed)) this.#appQueue.add(key)
  }

  #pool(name: string): PoolEntry | undefined {
    return this.#parts.pools().get(name)?.value
  }

  #subnet(name: string): Subnet | { readonly problem: string } {
    const entry = this.#subnets.store.get(name)?.value
    if (entry === undefined) return { problem: `there is no SpiderSubnet ${name}` }
    const problem = this.#problemOf(name, entry)
    if (problem !== undefined) return { problem: `SpiderSubnet ${name} gives nothing out: ${problem}` }
    return entry.value === undefined
      ? { problem: `SpiderSubnet ${name} cannot be read` }
      : { ...entry, value: entry.value }
  }

  #problemOf(name: string, { metadata, value }: SubnetEntry): string | undefined {
    if (metadata.deletionTimestamp !== undefined) return 'it is being deleted'
    if (value === undefined) return 'it cannot be read'
    if (value.problem !== undefined) return value.problem
    const values = [...this.#subnets.store.values()].flatMap((one) => one.value.value ?? [])
    const older = overlappingSubnets(values.filter(({ problem }) => problem === undefined)).get(name)
    return older === undefined ? undefined : `${value.subnet} overlaps ${older.subnet} of ${older.name}, which is older`
  }

  #free(subnet: Subnet): RangeSet {
    const given = this.#poolsOf(subnet.value).flatMap(({ ranges }) => ranges)
    const reserved = [...this.#reserved.store.values()].flatMap(({ value }) => value.reserved?.ranges ?? [])
    return freeOf(subnet, [...given, ...reserved])
  }

  #poolsOf({ subnet }: AddressPool): readonly PoolOfNetwork[] {
    return [...this.#byNetwork.get(subnet)].flatMap((name): readonly PoolOfNetwork[] => {
      const entry = this.#pool(name)
      if (entry?.pool === undefined) return []
      const { ranges, excluded } = entry.pool
      return [{ metadata: entry.metadata, spec: entry.spec, ranges, excluded }]
    })
  }

  async #lookAfter(name: string): Promise<number | undefined> {
    const { api } = this.#parts
    const entry = this.#subnets.store.get(name)?.value
    if (entry === undefined) {
      this.#pace.forget(name)
      return undefined
    }
    const { metadata, value } = entry
    const pools = value === undefined ? [] : this.#poolsOf(value)
    const own = pools.filter((pool) => isOfSubnet(pool.metadata, name))
    const missing = dress(entry, SUBNET_CIDR_LABEL, own.length > 0)
    if (missing !== undefined) await this.#patch(SPIDER_SUBNETS, name, metadata, missing)
    const problem = this.#problemOf(name, entry)
    this.#parts.told.say(about(SPIDER_SUBNETS, metadata), 'RefusedSubnet', problem ?? '')
    if (value === undefined || metadata.deletionTimestamp !== undefined) return undefined
    if (problem === undefined) for (const pool of pools) await this.#adopt(pool, { metadata, value })
    const pause = this.#pace.pause(name, own.length)
    if (pause > 0) return pause
    const total = sizeOf(without(value.ranges, value.excluded))
    const given = own.reduce((sum, { ranges }) => sum + sizeOf(ranges), 0n)
    const status = subnetStatus(total, given, own)
    const words = `${metadata.uid} ${digestOf(status)}`
    if (digestOf(status) === entry.digest) return undefined
    const insisting = this.#pace.insistence(name, words)
    if (insisting > 0) return insisting
    const patch = { metadata: { uid: metadata.uid }, status }
    await api.patch(SPIDER_SUBNETS, { name }, 'merge', patch, 'status').catch(unlessOvertaken)
    this.#pace.wrote(name, words)
    return undefined
  }

  async #adopt(pool: PoolOfNetwork, subnet: Subnet): Promise<void> {
    const { metadata, ranges } = pool
    if (metadata.deletionTimestamp !== undefined) return
    const isContained = isWithin(ranges, without(subnet.value.ranges, []))
    const words = isContained
      ? ''
      : `not all of its addresses are among those of SpiderSubnet ${subnet.metadata.name} (spec.ips)`
    this.#parts.told.say(about(SPIDER_IP_POOLS, metadata), 'PoolNotOfSubnet', words)
    const patch = isContained ? adoption(pool, subnet) : undefined
    if (patch !== undefined) await this.#patch(SPIDER_IP_POOLS, metadata.name, metadata, patch)
  }

  async #patch(
    resource: Resource,
    name: string,
    { resourceVersion }: ObjectMeta,
    patch: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const metadata = { ...(patch['metadata'] as object | undefined), resourceVersion }
    await this.#parts.api.patch(resource, { name }, 'merge', { ...patch, metadata }).catch(unlessOvertaken)
  }

  #reflect<T>(
    resource: Resource,
    pick: (object: KubeObject) => T,
    onChange: (change: MapChange<Picked<T>>) => void,
    keep: (value: T) => boolean = () => true,
  ): SourceReflection<Picked<T>> {
    const { api, signal, complaints } = this.#parts
    const onError = (error: unknown): void => complaints.say(`cannot watch ${resource.kind}`, error)
    // Of what a server does not have, playgrounds' workloads for one, there is none.
    return reflectPicked(api, { resource, isOptional: true, pick, keep }, { signal, onChange, onError })
  }
}

/** The application and the network that a pool is of. */
function groupsOf(entry: PoolEntry | undefined) {
  return { app: applicationPoolIn(entry?.metadata.labels)?.application, network: entry?.pool?.subnet }
}

function about({ group, version, kind }: Resource, metadata: ObjectMeta): KubeObject {
  return { apiVersion: `${group}/${version}`, kind, metadata }
}

function aboutApplication({ apiVersion, kind, namespace, name, uid }: Application): KubeObject {
  return { apiVersion, kind, metadata: { namespace, name, uid } }
}
