/**
 * Everything that is derived from claims on addresses: what pools say of themselves, one SpiderEndpoint for each pod, and
 * the addresses that nobody gave back. Claims are the truth; nothing here is needed for a pod to get its address.
 * @module
 */
import { podLifeIn, podSetIn } from '../../compat/kubernetes/pod-life.ts'
import type { EndpointObject } from '../../compat/spiderpool/endpoint/endpoint.ts'
import { SPIDER_ENDPOINTS, SPIDER_IP_POOLS } from '../../compat/spiderpool/resources.ts'
import { ADDRESS_CLAIMS } from '../../compat/weft/address-claim.ts'
import { type ClaimObject, claimObjectOf } from '../../compat/weft/claim-object.ts'
import type { KubeApi } from '../../kube/api.ts'
import type { EventRecorder } from '../../kube/events.ts'
import type { KubeObject, Resource } from '../../kube/object.ts'
import { WorkQueue } from '../../kube/queue.ts'
import { type Picked, reflectPicked } from '../../kube/reflector.ts'
import { PODS, STATEFUL_SETS } from '../../kube/resources.ts'
import type { PodLife, PodSetLife } from '../../network/model/pod-life.ts'
import { sleep } from '../../registry/backoff.ts'
import type { MapChange, SourceReflection } from '../../registry/reflect.ts'
import { Complaints } from '../complaints.ts'
import type { ControllerLog } from '../controller.ts'
import { Adopter } from './adoption.ts'
import { type ApplicationEntry, type AskingPod, applicationEntry, askingIn } from './applications.ts'
import { ClaimIndex, type IndexedClaim, podKey } from './claim-index.ts'
import { EndpointKeeper, endpointEntry } from './endpoints.ts'
import { Collector, type CollectorParts } from './garbage.ts'
import { isOvertaken } from './objects.ts'
import { PoolJudge } from './pool-judge.ts'
import { type PoolEntry, PoolKeeper, poolEntry } from './pool-keeper.ts'
import { SubnetKeeper } from './subnets.ts'
import { Told } from './told.ts'

/** What claims are looked after with. */
export interface ClaimsOptions {
  readonly api: KubeApi
  readonly events: EventRecorder
  readonly signal: AbortSignal
  readonly log: ControllerLog
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** How often every claim is looked at, whatever was heard. */
  readonly auditEveryMs?: number
}

/** Spiderpool's own interval. */
const AUDIT_MS = 600_000
/** A thousand pods at once ask this much of the API server at a time. */
const ENDPOINTS_AT_ONCE = 8

const BUILT_IN: readonly Resource[] = [PODS, STATEFUL_SETS]

/** Looks after claims until `signal` aborts. Does not reject for anything that the API does. */
export async function runClaims(options: ClaimsOptions): Promise<void> {
  const house = new House(options)
  await house.run()
}

class House {
  readonly #options: ClaimsOptions
  readonly #complaints: Complaints
  readonly #claims = new ClaimIndex()
  readonly #reflections: {
    readonly claims: SourceReflection<Picked<ClaimObject>>
    readonly pods: SourceReflection<Picked<PodLife & AskingPod>>
    readonly sets: SourceReflection<Picked<PodSetLife & ApplicationEntry>>
    readonly pools: SourceReflection<Picked<PoolEntry>>
    readonly endpoints: SourceReflection<Picked<EndpointObject>>
  }
  readonly #garbage: WorkQueue
  readonly #pools: WorkQueue
  readonly #endpoints: WorkQueue
  readonly #subnets: SubnetKeeper
  readonly #judge: PoolJudge
  /** Nothing is decided before all is known. */
  #isReady = false

  constructor(options: ClaimsOptions) {
    this.#options = options
    const { api, log, events, signal } = options
    this.#complaints = new Complaints(log)
    const told = new Told(events, log)
    const common = { told, signal, complaints: this.#complaints, claims: this.#claims }
    const knownPools = (): ReadonlyMap<string, Picked<PoolEntry>> => this.#reflections.pools.store
    this.#subnets = new SubnetKeeper({ ...common, api, pools: knownPools, followed: [STATEFUL_SETS] })
    this.#judge = new PoolJudge({ ...common, pools: knownPools })
    this.#reflections = {
      pods: this.#reflect(PODS, podEntry, (change) => this.#podChanged(change)),
      sets: this.#reflect(STATEFUL_SETS, setEntry, (change) => this.#setChanged(change)),
      pools: this.#reflect(SPIDER_IP_POOLS, poolEntry, (change) => {
        this.#add(this.#pools, change.object.name)
        this.#subnets.poolChanged(change)
        this.#judge.poolChanged(change)
      }),
      endpoints: this.#reflect(SPIDER_ENDPOINTS, endpointEntry, (change) =>
        this.#add(this.#endpoints, change.object.name),
      ),
      claims: this.#reflect(ADDRESS_CLAIMS, claimObjectOf, (change) => this.#claimChanged(change)),
    }
    const { pods, sets, pools, endpoints } = this.#reflections
    const judging: Pick<CollectorParts, 'claims' | 'known' | 'live' | 'now'> = {
      claims: this.#claims,
      known: { pod: (key) => pods.store.get(key)?.value, set: (key) => sets.store.get(key)?.value },
      live: {
        pod: async (namespace, name) => lifeOf(await api.get(PODS, { namespace, name }), podLifeIn),
        set: async (namespace, name) => lifeOf(await api.get(STATEFUL_SETS, { namespace, name }), podSetIn),
      },
      now: () => this.#now(),
    }
    const collector = new Collector({
      ...judging,
      release: (claim) => this.#release(claim),
      onReleased: ({ name, value }, because) =>
        log.info({ claim: name, pod: podKey(value), because }, `the address ${value.address} is given back`),
    })
    const endpoint = (key: string): EndpointObject | undefined => endpoints.store.get(key)?.value
    const pool = (name: string): PoolEntry | undefined => pools.store.get(name)?.value
    const adopter = new Adopter({ ...judging, api, endpoint })
    const keeper = new PoolKeeper({ api, claims: this.#claims, adopter, pool })
    const endpointKeeper = new EndpointKeeper({
      api,
      claims: this.#claims,
      pod: (key) => pods.store.get(key)?.value,
      endpoint,
      hasForeign: (name, address) => pool(name)?.foreign.some((one) => one.address === address) === true,
    })
    this.#garbage = this.#queue('give back an address', (name) => collector.lookAt(name))
    this.#pools = this.#queue('say how a pool does', (name) => keeper.lookAfter(name))
    this.#endpoints = this.#queue('keep a SpiderEndpoint', (key) => endpointKeeper.lookAfter(key), ENDPOINTS_AT_ONCE)
  }

  async run(): Promise<void> {
    const { signal, auditEveryMs = AUDIT_MS } = this.#options
    const reflections = Object.values(this.#reflections)
    await Promise.all([...reflections.map(({ synced }) => synced), this.#subnets.synced])
    this.#isReady = true
    this.#subnets.start()
    this.#judge.start()
    const { pools, endpoints } = this.#reflections
    for (const name of pools.store.keys()) this.#pools.add(name)
    for (const key of endpoints.store.keys()) this.#endpoints.add(key)
    for (const { value } of this.#claims.all.values()) this.#endpoints.add(podKey(value))
    while (!signal.aborted) {
      for (const name of this.#claims.all.keys()) this.#garbage.add(name)
      await sleep(auditEveryMs, signal)
    }
    await Promise.all([
      ...reflections.map(({ done }) => done),
      this.#garbage.done,
      this.#pools.done,
      this.#endpoints.done,
      this.#subnets.done,
      this.#judge.done,
    ])
  }

  #reflect<T>(
    resource: Resource,
    pick: (object: KubeObject) => T,
    onChange: (change: MapChange<Picked<T>>) => void,
  ): SourceReflection<Picked<T>> {
    const onError = (error: unknown): void => this.#complaints.say(`cannot watch ${resource.kind}`, error)
    // A server is without Kubernetes' own kinds only when it is ill: then nothing is known of them.
    const picking = { resource, isOptional: !BUILT_IN.includes(resource), pick, keep: () => true }
    return reflectPicked(this.#options.api, picking, { signal: this.#options.signal, onChange, onError })
  }

  #queue(what: string, work: (key: string) => Promise<number | undefined>, concurrency = 4): WorkQueue {
    return new WorkQueue({
      signal: this.#options.signal,
      concurrency,
      work,
      onError: (key, error) => this.#complaints.say(`cannot ${what} (${key})`, error),
    })
  }

  #claimChanged(change: MapChange<Picked<ClaimObject>>): void {
    const { before, after } = this.#claims.apply(change, this.#now())
    for (const claim of [before, after]) {
      if (claim === undefined) continue
      this.#add(this.#pools, claim.value.pool)
      this.#subnets.claimChanged(claim.value.pool)
      this.#add(this.#endpoints, podKey(claim.value))
      // One more claim of a pod may make another one too many.
      for (const { name } of this.#claims.ofPod(podKey(claim.value))) this.#add(this.#garbage, name)
    }
  }

  #podChanged(change: MapChange<Picked<PodLife & AskingPod>>): void {
    this.#subnets.podChanged(change)
    const key = change.object.name
    const claims = this.#claims.ofPod(key)
    if (claims.length === 0) return
    for (const { name } of claims) this.#add(this.#garbage, name)
    this.#add(this.#endpoints, key)
  }

  #setChanged(change: MapChange<Picked<PodSetLife & ApplicationEntry>>): void {
    this.#subnets.applicationChanged(change)
    for (const { name } of this.#claims.ofSet(change.object.name)) this.#add(this.#garbage, name)
  }

  #add(queue: WorkQueue, key: string): void {
    if (this.#isReady) queue.add(key)
  }

  async #release({ name, uid, resourceVersion }: IndexedClaim): Promise<boolean> {
    try {
      await this.#options.api.delete(ADDRESS_CLAIMS, { name }, { uid, resourceVersion })
      return true
    } catch (error) {
      if (isOvertaken(error)) return false
      throw error
    }
  }

  #now(): number {
    return this.#options.now?.() ?? Date.now()
  }
}

function podEntry(object: KubeObject): PodLife & AskingPod {
  const life = podLifeIn(object)
  return { ...life, ...askingIn(object, life) }
}

function setEntry(object: KubeObject): PodSetLife & ApplicationEntry {
  return { ...podSetIn(object), ...applicationEntry(object) }
}

function lifeOf<T>(object: KubeObject | undefined, read: (object: KubeObject) => T): T | undefined {
  return object === undefined ? undefined : read(object)
}
