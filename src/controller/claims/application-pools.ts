/**
 * Makes the pools that applications ask of SpiderSubnets, lets them grow and shrink with their applications, and takes
 * them away.
 * @module
 */

import type { MergePatch } from '../../compat/merge.ts'
import { SPIDER_IP_POOLS } from '../../compat/spiderpool/resources.ts'
import { type Application, applicationIn, applicationKey, placeOf } from '../../compat/spiderpool/subnet/application.ts'
import {
  applicationPoolIn,
  nameProblem,
  newPool,
  poolLabels,
  poolNameOf,
  poolPatch,
  type Subnet,
} from '../../compat/spiderpool/subnet/pool-object.ts'
import { type SubnetWish, type WishedPool, wantedAddresses } from '../../compat/spiderpool/subnet/wish.ts'
import { type RangeSet, single, sizeOf, without } from '../../ipam/range-set.ts'
import { resized } from '../../ipam/resize.ts'
import type { KubeApi } from '../../kube/api.ts'
import type { ClaimIndex } from './claim-index.ts'
import { unlessOvertaken } from './objects.ts'
import type { PoolEntry } from './pool-keeper.ts'

/** What pools of applications are made with. */
export interface ApplicationPoolParts {
  readonly api: KubeApi
  readonly claims: ClaimIndex
  app(key: string): Application | undefined
  /** The subnet of a name, or why it gives nothing. */
  subnet(name: string): Subnet | { readonly problem: string }
  pool(name: string): PoolEntry | undefined
  /** Names of the pools that say they are an application's. */
  poolsOf(app: string): readonly string[]
  /** What of a subnet's addresses no pool has, and nobody reserves. */
  free(subnet: Subnet): RangeSet
  /** When what was written is known here, too. */
  heard(pool: string, resourceVersion: string): Promise<void>
  /** Tells an application's owner what it cannot have; nothing: it has all. */
  tell(app: Application, problems: readonly string[]): void
}

/** Nothing tells when a subnet has room again: other pools may get smaller. */
const LOOK_AGAIN_MS = 30_000

/** Looks after the pools of applications. One application at a time: two must not get the same addresses. */
export class ApplicationPools {
  readonly #parts: ApplicationPoolParts

  constructor(parts: ApplicationPoolParts) {
    this.#parts = parts
  }

  /** Brings an application's pools in line. A number: again after so many milliseconds. */
  async lookAfter(key: string): Promise<number | undefined> {
    const { app: find, tell } = this.#parts
    const app = find(key)
    const asked = app === undefined || !('wish' in app.request) ? undefined : app.request.wish
    const own = new Set<string>()
    const problems: string[] = []
    if (app !== undefined && 'problem' in app.request) problems.push(app.request.problem)
    if (app !== undefined && asked !== undefined) {
      for (const wished of asked.pools) {
        const end = await this.#ensure(app, asked, wished)
        if (end.pool !== undefined) own.add(end.pool)
        if (end.problem !== undefined) problems.push(end.problem)
      }
    }
    // What cannot be understood takes nothing away.
    if (app === undefined || asked !== undefined) await this.#remove(key, own)
    if (app !== undefined) tell(app, problems)
    return problems.length > 0 ? LOOK_AGAIN_MS : undefined
  }

  async #ensure(
    app: Application,
    wish: SubnetWish,
    wished: WishedPool,
  ): Promise<{ readonly pool?: string; readonly problem?: string }> {
    const { api, claims, pool, subnet: find, free, heard } = this.#parts
    const found = this.#existing(app, wished)
    const subnet = find(wished.subnet)
    const keep = found === undefined ? {} : { pool: found }
    const problem = nameProblem(app) ?? sizeProblem(app, wish) ?? subnetProblem(subnet, wished)
    if (problem !== undefined || 'problem' in subnet) return { ...keep, ...(problem === undefined ? {} : { problem }) }
    const wanted = wantedAddresses(wish, app.pods ?? 0)
    const entry = found === undefined ? undefined : pool(found)
    const current = entry?.pool?.ranges ?? []
    const claimed = found === undefined ? [] : claims.ofPool(found).map(({ value }) => single(value.address))
    const used = [...claimed, ...(entry?.pool?.occupied ?? [])]
    const ranges = resized({ current, used, free: free(subnet), wanted })
    const name = found ?? poolNameOf(app, wished)
    if (entry === undefined && pool(name) !== undefined) {
      return { problem: `a pool named ${name} is there already, and is not its own` }
    }
    const labels = poolLabels(app, wished, wish.isReclaimed)
    const written =
      entry === undefined
        ? await api
            .create(SPIDER_IP_POOLS, newPool(name, app, wished, wish.isReclaimed, subnet, ranges))
            .catch(unlessOvertaken)
        : await this.#amend(entry, poolPatch({ labels: entry.metadata.labels, ranges: current }, labels, ranges))
    if (written !== undefined) await heard(name, written.metadata.resourceVersion ?? '')
    const missing = BigInt(wanted) - sizeOf(ranges)
    if (missing <= 0n) return { pool: name }
    const lack = `SpiderSubnet ${wished.subnet} has ${sizeOf(ranges)} of the ${wanted} addresses that ${wished.ifname} needs`
    return { pool: name, problem: `${lack}: give it more (spec.ips), or let other pools of it get smaller` }
  }

  async #amend({ metadata: { name, resourceVersion } }: PoolEntry, patch: MergePatch | undefined) {
    if (patch === undefined) return undefined
    const metadata = { ...(patch['metadata'] as object | undefined), resourceVersion }
    const whole = { ...patch, metadata }
    // What somebody else wrote meanwhile is told by the watch, and looked at then.
    return await this.#parts.api.patch(SPIDER_IP_POOLS, { name }, 'merge', whole).catch(unlessOvertaken)
  }

  /** The application's own pool, or one that an earlier application of that name left for it. */
  #existing(app: Application, wished: WishedPool): string | undefined {
    const { pool, poolsOf } = this.#parts
    return poolsOf(applicationKey(app)).find((name) => {
      const entry = pool(name)
      const made = applicationPoolIn(entry?.metadata.labels)
      if (made === undefined || entry?.metadata.deletionTimestamp !== undefined) return false
      const { ifname, family, subnet } = made.wished
      const isSame = ifname === wished.ifname && family === wished.family && subnet === wished.subnet
      return isSame && (made.uid === undefined || made.uid === app.uid)
    })
  }

  /** Whether an application that nobody told of is there after all, and asks for pools. */
  async #isAlive(key: string): Promise<boolean> {
    const { api, app } = this.#parts
    const place = app(key) === undefined ? placeOf(key) : undefined
    if (place === undefined) return false
    const object = await api.get(place.kind.resource, place.at)
    return object !== undefined && applicationIn(place.kind, object) !== undefined
  }

  /** Takes away what is not its own any more, unless it is kept for the next one of that name. */
  async #remove(key: string, own: ReadonlySet<string>): Promise<void> {
    const { api, pool, poolsOf } = this.#parts
    for (const name of poolsOf(key)) {
      const metadata = pool(name)?.metadata
      const made = applicationPoolIn(metadata?.labels)
      if (own.has(name) || metadata?.deletionTimestamp !== undefined || made?.isReclaimed !== true) continue
      if (await this.#isAlive(key)) return
      const uid = metadata?.uid
      await api.delete(SPIDER_IP_POOLS, { name }, uid === undefined ? {} : { uid }).catch(unlessOvertaken)
    }
  }
}

function sizeProblem({ pods, kind }: Application, { size }: SubnetWish): string | undefined {
  if (pods !== undefined || size.is === 'fixed') return undefined
  return `nobody can tell how many pods a ${kind} is going to have: ask for a fixed number of addresses (ipam.spidernet.io/ippool-ip-number: "5")`
}

function subnetProblem(subnet: Subnet | { readonly problem: string }, { family }: WishedPool): string | undefined {
  if ('problem' in subnet) return subnet.problem
  const { value, metadata } = subnet
  return value.family === family ? undefined : `SpiderSubnet ${metadata.name} is of IPv${value.family}`
}

/** What of a subnet is given to no pool. Its gateway is for nobody. */
export function freeOf({ value }: Subnet, taken: RangeSet): RangeSet {
  const gateway = value.gateway === undefined ? [] : [single(value.gateway)]
  return without(value.ranges, [...value.excluded, ...gateway, ...taken])
}
