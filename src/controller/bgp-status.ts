/**
 * Tells authors of BGP objects what of them cannot be, by events at the objects. Reading them is what finds those that mean nothing,
 * which are told of as any other kind's are. Where nodes do not speak BGP nothing of it is read. What a node alone knows, such as
 * sessions that are down, its agent tells.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { type BgpObjects, wishedBgp } from '../compat/calico/bgp/cluster.ts'
import type { BgpProblem } from '../compat/calico/bgp/problem.ts'
import { CALICO_IP_POOLS } from '../compat/spiderpool/coordinator-sources.ts'
import { fullMesh } from '../network/fabric/bgp/cluster.ts'
import { fabricOf } from '../network/fabric/way.ts'
import { aborted, sleep } from '../registry/backoff.ts'
import { type Reflection, reflect } from '../registry/reflector.ts'
import type { Kinds, Registry, Stored } from '../registry/registry.ts'
import { Complaints } from './complaints.ts'
import type { ControllerLog } from './controller.ts'
import type { KubeEvents } from './kube-events.ts'
import type { ToldElsewhere } from './refused-status.ts'
import { Telling } from './telling.ts'

/** What they are looked after with. */
export interface BgpStatusOptions {
  readonly registry: Registry
  readonly cluster: Pick<Reflection<'Cluster'>, 'store' | 'synced' | 'listen'>
  readonly networks: Pick<Reflection<'NodeNetwork'>, 'store' | 'synced' | 'listen'>
  readonly nodes: Pick<Reflection<'Node'>, 'store' | 'synced' | 'listen'>
  readonly events: Pick<KubeEvents, 'warn' | 'settled'>
  readonly signal: AbortSignal
  readonly log: ControllerLog
  /** What comes together is looked at together: so long is waited, in milliseconds. */
  readonly settleMs?: number
}

const KINDS = ['BgpConfiguration', 'BgpFilter', 'BgpPeering', 'BgpRange'] as const
type Kind = (typeof KINDS)[number]

const SETTLE_MS = 1_000
/** More problems are not told at a time: anybody who writes Node annotations makes one. */
const MOST = 1_000
const CODE = 'BGP_NOT_DONE'

/** Looks after them from when nodes speak BGP until `signal` aborts. Does not reject for anything that the registry does. */
export async function runBgpStatus(options: BgpStatusOptions): Promise<void> {
  const { cluster, signal } = options
  const wanted = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => wanted.resolve(), { once: true })
  cluster.listen(() => {
    if (speaksBgp(options)) wanted.resolve()
  })
  await wanted.promise
  if (!signal.aborted) await lookAfter(options)
}

/** Of pools more is told by events here, where nodes speak BGP. */
export function poolsToldHere({ cluster }: Pick<BgpStatusOptions, 'cluster'>): ToldElsewhere {
  return {
    ready: cluster.synced,
    isTold: ({ kind }) => kind === CALICO_IP_POOLS.kind && speaksBgp({ cluster }),
    listen: (onChange) => cluster.listen(onChange),
  }
}

/** Whether nodes speak BGP, as far as the cluster's configuration is known. */
function speaksBgp({ cluster }: Pick<BgpStatusOptions, 'cluster'>): boolean {
  const one = cluster.store.get('default')?.value
  return one !== undefined && fabricOf(one).way === 'bgp'
}

async function lookAfter(options: BgpStatusOptions): Promise<void> {
  const { registry, cluster, networks, nodes, signal, log, settleMs = SETTLE_MS } = options
  const complaints = new Complaints(log)
  let changed = Promise.withResolvers<void>()
  const ring = (): void => changed.resolve()
  const of = <K extends Kind>(kind: K): Reflection<K> => {
    const onError = (error: unknown): void => complaints.say(`cannot watch ${kind}`, error)
    return reflect(registry, kind, { signal, onChange: ring, onError })
  }
  const objects: Reflections = {
    BgpConfiguration: of('BgpConfiguration'),
    BgpFilter: of('BgpFilter'),
    BgpPeering: of('BgpPeering'),
    BgpRange: of('BgpRange'),
  }
  cluster.listen(ring)
  nodes.listen((change) => {
    if (change.type === 'delete' || !isDeepStrictEqual(change.object.value, change.before?.value)) ring()
  })
  networks.listen((change) => {
    // Most of what changes is how its agent does.
    if (change.type === 'delete' || !isDeepStrictEqual(placeOf(change.object), placeOf(change.before))) ring()
  })
  signal.addEventListener('abort', ring, { once: true })
  const all = [cluster, networks, nodes, ...Object.values(objects)]
  await Promise.all(all.map(({ synced }) => synced))
  const told = new Told(options)
  const telling = told.work(signal)
  while (!signal.aborted) {
    changed = Promise.withResolvers()
    if (signal.aborted) break
    told.tell(problemsOf(options, objects))
    await changed.promise
    await sleep(settleMs, signal)
  }
  await Promise.all([telling, ...Object.values(objects).map(({ done }) => done)])
}

type Reflections = { readonly [K in Kind]: Reflection<K> }

function placeOf(network: Stored<'NodeNetwork'> | undefined): unknown {
  return network && [network.value.machine, network.value.addresses, network.value.ranges]
}

/** None where nodes speak BGP no more. */
function problemsOf(options: BgpStatusOptions, objects: Reflections): readonly BgpProblem[] {
  const { cluster, networks, nodes } = options
  const one = cluster.store.get('default')?.value
  if (one === undefined || !speaksBgp(options)) return []
  const configuration = objects.BgpConfiguration.store.get('default')?.value
  const wishes: BgpObjects = {
    ...(configuration === undefined ? {} : { configuration }),
    peerings: valuesOf<'BgpPeering'>(objects.BgpPeering),
    filters: valuesOf<'BgpFilter'>(objects.BgpFilter),
    ranges: valuesOf<'BgpRange'>(objects.BgpRange),
    nodes: valuesOf<'Node'>(nodes),
  }
  return wishedBgp(fullMesh(one, valuesOf<'NodeNetwork'>(networks)), wishes).problems
}

function valuesOf<K extends keyof Kinds>({ store }: Pick<Reflection<K>, 'store'>): readonly Kinds[K][] {
  return [...store.values()].map(({ value }) => value)
}

/** What was told, for as long as it is so. */
class Told {
  readonly #log: ControllerLog
  readonly #telling: Telling<BgpProblem>
  #before: ReadonlySet<string> = new Set()

  constructor({ events, log }: Pick<BgpStatusOptions, 'events' | 'log'>) {
    this.#log = log
    const tell = async ({ object, field, reason, remedy }: BgpProblem): Promise<void> => {
      events.warn(object, { code: CODE, message: `${field}: ${reason}`, remedy })
      await events.settled()
    }
    this.#telling = new Telling({ tell, most: MOST })
  }

  /** Writes events until `signal` aborts. */
  work(signal: AbortSignal): Promise<void> {
    return Promise.race([this.#telling.work(signal), aborted(signal)])
  }

  tell(problems: readonly BgpProblem[]): void {
    const now = new Set<string>()
    for (const problem of problems.slice(0, MOST)) {
      const { object, field, reason, remedy } = problem
      const key = `${object.kind}/${object.name} ${field} ${reason}`
      now.add(key)
      if (this.#before.has(key)) continue
      this.#telling.put(key, problem, remedy)
      this.#log.warn({ ...object, code: CODE }, `${field}: ${reason}; ${remedy}`)
    }
    for (const key of this.#before) if (!now.has(key)) this.#telling.drop(key)
    this.#before = now
  }
}
