/**
 * One pass over one pool: where it is, what is there, what is given back, what is missing.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import {
  type AddressMode,
  type NeutronNetwork,
  type PortPool,
  type PortUse,
  poolSizesOf,
} from '../../network/model/neutron.ts'
import type { Node } from '../../network/model/node.ts'
import type { PoolLimit } from '../../network/warm/decide.ts'
import { demandAfter, expectedDemand } from '../../network/warm/demand.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import type { Cloud } from './cloud.ts'
import { fixedWay } from './fixed.ts'
import type { PoolMemory } from './memory.ts'
import type { AddressWay, AskedGroups, PoolStep, PoolWork } from './mode.ts'
import type { PoolOwner } from './ours.ts'
import { pairWay } from './pair.ts'
import { findPlace, type Place } from './place.ts'
import { PortsError } from './problem.ts'
import { hasGroups, idleOfOthers, type SizedGroups, sizePool } from './sizing.ts'
import { trunkWay } from './trunk.ts'

const WAYS: Readonly<Record<AddressMode, AddressWay>> = { pair: pairWay, fixed: fixedWay, trunk: trunkWay }
const PLACE_FRESH_MS = 300_000

/** What a pass is made with. */
export interface PoolContext {
  readonly cloud: Cloud
  readonly owner: PoolOwner
  readonly memory: PoolMemory
  readonly use: PortUse | undefined
  /** Milliseconds since 1970. */
  readonly now: number
  readonly signal: AbortSignal
  readonly publish: (pool: PortPool | undefined) => Promise<void>
  /** Throws where it is another node's. */
  readonly claimParent: (portId: string) => void
  readonly tell: (message: string) => void
}

/** What a pass left: something in the way, or more to do at once. */
export interface PassEnd {
  readonly problem?: unknown
  readonly more: boolean
  /** What pods ask for in vain: nobody else is concerned. */
  readonly refused?: readonly RefusedGroups[]
}

/** Security groups that pods ask for, and why they get no port with them. */
export interface RefusedGroups {
  readonly groups: readonly string[]
  readonly error: unknown
}

/** One pass over a pool that is to be there. */
export async function keepPool(
  context: PoolContext,
  {
    node,
    wish,
    pool: before,
  }: { readonly node: Node; readonly wish: NeutronNetwork; readonly pool: PortPool | undefined },
): Promise<PassEnd> {
  const { publish, owner } = context
  const place = await placeOf(context, node, wish, before)
  context.claimParent(place.pool.parent.portId)
  if (before !== undefined && !isSamePool(before, place.pool)) {
    if (await drainPool(context, before, { isForced: false })) return { more: true }
    const problem = `network ${owner.network} was another one before, and pods of node ${owner.node} still have ports of that`
    return { problem: new PortsError('PORTS_CHANGING', problem, 'replace these pods', true), more: false }
  }
  const asked = await askedGroups(context, place.pool)
  const work = workOf(context, place, asked.known)
  let pool: PortPool = { ...place.pool, ...carriedOver(before, place.pool) }
  const way = WAYS[pool.mode]
  const step = await looked(context, way, work, pool)
  pool = step.pool
  await publish(pool)
  pool = await releaseGiven(way, work, pool)
  await publish(pool)
  if (step.isCut === true) return { problem: step.problem, more: false }
  const end = await sized(context, { way, work, wish, pool })
  const refused = [...asked.refused, ...(end.refused ?? [])]
  return { problem: step.problem ?? end.problem, more: end.more, refused }
}

/**
 * Takes a pool away: what the node agrees to, or all of it where the node is gone. True when nothing is left. The tags say which ports
 * they are, so that nothing has to be known of the network any more.
 */
export async function drainPool(
  context: PoolContext,
  before: PortPool,
  { isForced }: { readonly isForced: boolean },
): Promise<boolean> {
  const place: Place = { pool: { ...before, ports: [] }, subnets: { 4: [], 6: [] }, isNarrowed: false }
  const work = workOf(context, place, [])
  const way = WAYS[before.mode]
  if (isForced) {
    await way.release(work, before, new Set(before.ports.map(({ id }) => id)))
    await context.publish(undefined)
    return true
  }
  const { pool: found } = await looked(context, way, work, before)
  const leaving = { ...found, ports: found.ports.map((port) => ({ ...port, withdrawn: true as const })) }
  await context.publish(leaving)
  const left = await releaseGiven(way, work, leaving)
  await context.publish(left.ports.length === 0 ? undefined : left)
  return left.ports.length === 0
}

async function looked({ memory }: PoolContext, way: AddressWay, work: PoolWork, pool: PortPool): Promise<PoolStep> {
  if (memory.isSure) return { pool }
  const step = await way.look(work, pool)
  memory.isSure = step.isCut !== true
  return step
}

async function releaseGiven(way: AddressWay, work: PoolWork, pool: PortPool): Promise<PortPool> {
  const ids = pool.ports
    .filter(({ id, withdrawn }) => withdrawn === true && work.given.has(id) && !work.held.has(id))
    .map(({ id }) => id)
  return ids.length === 0 ? pool : await way.release(work, pool, new Set(ids))
}

interface Sized {
  readonly way: AddressWay
  readonly work: PoolWork
  readonly wish: NeutronNetwork
  readonly pool: PortPool
}

/** Makes and withdraws; one batch for each set of groups, so that others have their turn. */
async function sized(context: PoolContext, { pool: start, ...rest }: Sized): Promise<PassEnd> {
  const { cloud, use, publish, memory, now } = context
  const base = { sizes: poolSizesOf(rest.wish), use, demand: demandOf(memory, use, start, now) }
  const isFetching = sizePool({ ...base, pool: start }).some(({ decision }) => decision.do === 'fetch')
  const quotaLeft = isFetching && start.mode !== 'fixed' ? await cloud.quotaLeft() : undefined
  const decided = sizePool({ ...base, pool: start, ...(quotaLeft === undefined ? {} : { quotaLeft }) })
  let pool = start
  let problem: unknown
  const refused: RefusedGroups[] = []
  for (const one of decided) {
    try {
      const step = await followed(context, { ...rest, pool }, one)
      pool = step.pool
      problem ??= step.problem
    } catch (error) {
      if (one.groups === undefined || !isRefused(error)) throw error
      memory.isSure = false
      refused.push({ groups: one.groups, error })
    }
    await publish(pool)
  }
  const known = new Set(rest.work.asked.map(({ names }) => JSON.stringify(names)))
  const isOpen = ({ groups, decision }: SizedGroups): boolean =>
    decision.do === 'fetch' && (groups === undefined || known.has(JSON.stringify(groups)))
  const more = problem === undefined && refused.length === 0 && sizePool({ ...base, pool }).some(isOpen)
  return { problem, more: more && isFetching, refused }
}

/** Neutron does not give ports with these groups. */
function isRefused(error: unknown): boolean {
  return error instanceof OpenStackError && !error.isUncertain && REFUSALS.has(error.code)
}

const REFUSALS: ReadonlySet<string> = new Set(['OPENSTACK_NOT_FOUND', 'OPENSTACK_FORBIDDEN', 'OPENSTACK_INVALID'])

/** Does what was decided for ports of one set of groups. */
async function followed(
  context: PoolContext,
  { way, work, wish, pool }: Sized,
  { groups, decision, isWanted }: SizedGroups,
): Promise<PoolStep> {
  const { use, owner } = context
  const sizes = poolSizesOf(wish)
  if (decision.do === 'withdraw') return { pool: withdrawn(pool, new Set(decision.ids)) }
  const limit = await limitOf(context, decision.limit)
  if (decision.do === 'fetch') {
    const named = work.asked.find(({ names }) => isDeepStrictEqual(names, groups))
    // Groups that are not there are told elsewhere.
    if (groups !== undefined && named === undefined) return { pool }
    const step = await way.grow(work, pool, decision.n, named)
    return { ...step, problem: step.problem ?? limit }
  }
  if (decision.limit !== 'max' || !isWanted) return { pool, problem: limit }
  const spare = idleOfOthers({ pool, use }, groups).slice(0, sizes.batch)
  if (spare.length > 0) return { pool: withdrawn(pool, new Set(spare)) }
  return { pool, problem: full(owner, sizes.max) }
}

async function limitOf(context: PoolContext, limit: PoolLimit | undefined): Promise<PortsError | undefined> {
  return limit === 'quota' ? await noQuota(context) : undefined
}

function withdrawn(pool: PortPool, ids: ReadonlySet<string>): PortPool {
  return { ...pool, ports: pool.ports.map((port) => (ids.has(port.id) ? { ...port, withdrawn: true } : port)) }
}

function demandOf(memory: PoolMemory, use: PortUse | undefined, { ports }: PortPool, now: number): number {
  const mine = new Set(ports.map(({ id }) => id))
  const leased = new Set((use?.leased ?? []).map(({ id }) => id).filter((id) => mine.has(id)))
  const before = memory.leased
  // After a restart all of them look new, and none is.
  const news = before === undefined ? 0 : [...leased].filter((id) => !before.has(id)).length
  memory.leased = leased
  memory.demand = demandAfter(memory.demand, news, now)
  return expectedDemand(memory.demand, now)
}

async function placeOf(
  { memory, cloud, now }: PoolContext,
  node: Node,
  wish: NeutronNetwork,
  before: PortPool | undefined,
): Promise<Place> {
  const { status: _, ...spec } = wish
  const key = JSON.stringify([spec, node.addresses])
  const known = memory.place
  if (known !== undefined && known.for === key && memory.isSure && now - known.at < PLACE_FRESH_MS) return known.place
  const place = await findPlace(cloud, node, wish, before)
  memory.place = { at: now, for: key, place }
  return place
}

/** What names of groups mean. One that is not there is the problem of the pods that ask for it alone. */
async function askedGroups(
  { cloud, use }: PoolContext,
  pool: PortPool,
): Promise<{ readonly known: readonly AskedGroups[]; readonly refused: readonly RefusedGroups[] }> {
  const wishes = (use?.wants ?? []).filter(({ network }) => network === pool.network).map(({ groups }) => groups)
  const known: AskedGroups[] = []
  const refused: RefusedGroups[] = []
  for (const names of hasGroups(pool) ? wishes : []) {
    if (names === undefined) continue
    try {
      known.push({ names, ids: await cloud.groups(names) })
    } catch (error) {
      if (!(error instanceof PortsError)) throw error
      const problem = `pods ask for a group: ${error.message}`
      refused.push({ groups: names, error: new PortsError('PORTS_POD_GROUP', problem, error.remedy, true) })
    }
  }
  return { known, refused }
}

function workOf(
  { cloud, owner, use, publish, signal, tell }: PoolContext,
  place: Place,
  asked: readonly AskedGroups[],
): PoolWork {
  const held = new Set([...(use?.leased ?? []), ...(use?.resting ?? [])].map(({ id }) => id))
  return { cloud, owner, place, held, given: new Set(use?.given ?? []), asked, publish, signal, tell }
}

/** What a pool that goes on has of its own. The MAC address is the VM port's as it is now. */
function carriedOver(before: PortPool | undefined, { mode, parent: { mac } }: PortPool): Partial<PortPool> {
  if (before === undefined) return {}
  const ports = mode === 'trunk' ? before.ports : before.ports.map((port) => ({ ...port, mac }))
  return { parent: { ...before.parent, mac }, ports }
}

function isSamePool(a: PortPool, b: PortPool): boolean {
  return a.networkId === b.networkId && a.mode === b.mode && a.parent.portId === b.parent.portId
}

function full({ network, node }: PoolOwner, max: number): PortsError {
  const problem = `node ${node} has all ports of network ${network} that it may have, ${max}`
  return new PortsError('PORTS_FULL', problem, 'raise spec.pool.max of the NeutronNetwork', true)
}

async function noQuota({ cloud }: PoolContext): Promise<PortsError> {
  const project = (await cloud.neutron.projectId()) ?? ''
  const remedy = `have it raised (openstack quota set --ports N ${project}), or delete what nobody uses`
  return new PortsError('OPENSTACK_QUOTA', `the quota for ports of project ${project} is used up`, remedy)
}
