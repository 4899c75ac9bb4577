/**
 * Ports of our own in Neutron: made many at a time, found by their tags, deleted when nobody has them.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { DEVICE_OWNER } from '../../compat/ipam-neutron/names.ts'
import type { PooledPort, PortPool } from '../../network/model/neutron.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import type { Port, PortSpec } from '../../openstack/neutron/model.ts'
import type { AskedGroups, PoolWork } from './mode.ts'
import { hasTags, poolPortName, poolTags } from './ours.ts'
import { ipOf, macOf } from './place.ts'

/** Calls at a time where there is none for many objects. */
const AT_ONCE = 4

/** All of a pool's, by their tags. */
export async function listReserved({ cloud, owner, signal }: PoolWork): Promise<readonly Port[]> {
  const { ports, tags } = cloud.neutron
  const wanted = poolTags(owner)
  const found = [...(await ports.list({ tags: wanted }, signal))]
  if (cloud.takesTags === true) return found
  // Where they could not be tagged from the beginning, their name is ours alone.
  const name = poolPortName(owner)
  for (const port of await ports.list({ name, deviceOwner: DEVICE_OWNER }, signal)) {
    if (port.name !== name || port.deviceId !== '' || hasTags(port, wanted)) continue
    await tags.replace('ports', port.id, [...port.tags, ...wanted])
    found.push({ ...port, tags: [...port.tags, ...wanted] })
  }
  return found
}

/** Makes them, all of a call or none: fewer where there are not so many addresses, or no such quota. The problem is why. */
export async function makeReserved(
  work: PoolWork,
  n: number,
  groups: readonly string[],
): Promise<{ readonly made: readonly Port[]; readonly problem?: unknown }> {
  let problem: unknown
  for (let count = n; count > 0; count = Math.floor(count / 2)) {
    for (const fixedIps of addressChoices(work.place)) {
      try {
        return { made: await makeMany(work, count, groups, fixedIps), ...(problem === undefined ? {} : { problem }) }
      } catch (error) {
        const isLess =
          error instanceof OpenStackError && (error.code === 'OPENSTACK_EXHAUSTED' || error.code === 'OPENSTACK_QUOTA')
        if (!isLess || error.isUncertain) throw error
        problem = error
        if (error.code === 'OPENSTACK_QUOTA') break
      }
    }
  }
  return { made: [], problem }
}

async function makeMany(
  work: PoolWork,
  count: number,
  securityGroups: readonly string[],
  fixedIps: PortSpec['fixedIps'],
): Promise<readonly Port[]> {
  const { cloud, owner, place, signal } = work
  const { ports, tags } = cloud.neutron
  const wanted = poolTags(owner)
  const isTagged = cloud.takesTags !== false
  const spec: PortSpec = {
    networkId: place.pool.networkId,
    name: poolPortName(owner),
    // A port with a device cannot become a part of a trunk; whose it is its tags say.
    deviceOwner: DEVICE_OWNER,
    securityGroups,
    ...(fixedIps === undefined ? {} : { fixedIps }),
    ...(isTagged ? { tags: wanted } : {}),
  }
  cloud.quotaChanged()
  const specs = Array.from({ length: count }, () => spec)
  let made: readonly Port[]
  try {
    made = await ports.createMany(specs, signal)
  } catch (error) {
    // It may be the tags that it does not know.
    const isTagless =
      cloud.takesTags === undefined && error instanceof OpenStackError && error.code === 'OPENSTACK_INVALID'
    if (!isTagless) throw error
    cloud.takesTags = false
    try {
      return await makeMany(work, count, securityGroups, fixedIps)
    } catch (other) {
      // It was not the tags, or nobody can say.
      cloud.takesTags = undefined
      throw other
    }
  }
  cloud.takesTags = isTagged && made.every((port) => hasTags(port, wanted))
  if (cloud.takesTags) return made
  await eachOf(made, (port) => tags.replace('ports', port.id, wanted))
  return made.map((port) => ({ ...port, tags: wanted }))
}

/** One subnet of each family; left to Neutron where any will do. */
function addressChoices({ subnets, isNarrowed }: PoolWork['place']): readonly PortSpec['fixedIps'][] {
  if (!isNarrowed) return [undefined]
  const [fours, sixes] = [subnets[4], subnets[6]]
  const rounds = Math.max(fours.length, sixes.length)
  return Array.from({ length: rounds }, (_, i) =>
    [fours[Math.min(i, fours.length - 1)], sixes[Math.min(i, sixes.length - 1)]].flatMap((subnetId) =>
      subnetId === undefined ? [] : [{ subnetId }],
    ),
  )
}

/** Deletes them, those alone that are ours. */
export async function deleteReserved({ cloud, owner, signal }: PoolWork, ports: readonly Port[]): Promise<void> {
  const ours = ports.filter((port) => hasTags(port, poolTags(owner)))
  cloud.quotaChanged()
  await eachOf(ours, (port) => cloud.neutron.ports.delete(port.id, undefined, signal))
}

/** What a look found, held against what is written down. */
export interface Sorted {
  /** In the order in which they are written down; those that were found come last. */
  readonly kept: readonly (readonly [Port, PooledPort])[]
  /** Ours, in no pool, and nobody's. */
  readonly surplus: readonly Port[]
  /** Written down, and gone. */
  readonly gone: readonly PooledPort[]
}

/** Sorts what was found. */
export function sortFound(work: PoolWork, pool: PortPool, found: readonly Port[]): Sorted {
  const byId = new Map(found.map((port) => [port.id, port]))
  const kept: (readonly [Port, PooledPort])[] = []
  const gone: PooledPort[] = []
  for (const known of pool.ports) {
    const port = byId.get(known.id)
    byId.delete(known.id)
    const addresses = port === undefined ? [] : addressesOf(port, pool)
    if (port === undefined || addresses.length === 0) gone.push(known)
    else kept.push([port, { ...known, addresses, mac: macIn(port, pool) }])
  }
  const surplus: Port[] = []
  for (const port of byId.values()) {
    const groups = groupsOf(work, port)
    const isUsable = port.networkId === pool.networkId && addressesOf(port, pool).length > 0 && !work.given.has(port.id)
    if (isUsable && (groups !== undefined || work.held.has(port.id)))
      kept.push([port, pooledOf(port, pool, groups?.names)])
    else if (!work.held.has(port.id)) surplus.push(port)
  }
  return { kept, surplus, gone }
}

/**
 * What of those that a look kept stays in the pool. One that does not fit goes: at once where nobody ever heard of it, else once the node
 * agrees, as a pod may have got it a moment ago.
 */
export async function stayingOf(
  work: PoolWork,
  pool: PortPool,
  kept: Sorted['kept'],
  isFit: (id: string) => boolean,
): Promise<readonly PooledPort[]> {
  const told = new Set(pool.ports.map(({ id }) => id))
  const isUnheardOf = ({ id }: Port): boolean => !isFit(id) && !told.has(id) && !work.held.has(id)
  await deleteReserved(
    work,
    kept.flatMap(([port]) => (isUnheardOf(port) ? [port] : [])),
  )
  return kept
    .filter(([port]) => !isUnheardOf(port))
    .map(([{ id }, pooled]) => (isFit(id) ? pooled : { ...pooled, withdrawn: true }))
}

/** Whose wish a port that nobody wrote down was made for; undefined where nobody has it now. */
function groupsOf({ place, asked }: PoolWork, { securityGroups }: Port): Partial<AskedGroups> | undefined {
  const ids = [...securityGroups].sort()
  if (isDeepStrictEqual(ids, place.pool.groups)) return {}
  return asked.find((one) => isDeepStrictEqual(one.ids, ids))
}

/** A port as it is written down. */
export function pooledOf(port: Port, pool: PortPool, groups?: readonly string[]): PooledPort {
  return {
    id: port.id,
    mac: macIn(port, pool),
    addresses: addressesOf(port, pool),
    ...(groups === undefined ? {} : { groups }),
  }
}

/** What its packets have. */
function macIn({ mac }: Port, { mode, parent }: PortPool): PooledPort['mac'] {
  return mode === 'trunk' ? macOf(mac) : parent.mac
}

function addressesOf({ fixedIps }: Port, { subnets }: PortPool): PooledPort['addresses'] {
  return fixedIps
    .filter(({ subnetId }) => subnets.some(({ id }) => id === subnetId))
    .map(({ subnetId, address }) => ({ subnetId, address: ipOf(address) }))
    .sort((a, b) => Number(a.address.includes(':')) - Number(b.address.includes(':')))
}

/** The groups of ports that name none follow the pool's. */
export async function alignGroups(work: PoolWork, kept: Sorted['kept']): Promise<void> {
  const { cloud, place, asked, signal } = work
  await eachOf(kept, async ([port, { groups }]) => {
    const wanted =
      groups === undefined ? place.pool.groups : asked.find(({ names }) => isDeepStrictEqual(names, groups))?.ids
    if (wanted === undefined || isDeepStrictEqual([...port.securityGroups].sort(), [...wanted])) return
    await cloud.neutron.ports.update(port.id, { securityGroups: wanted }, port.revision, signal)
  })
}

/** A few at a time, each of them; throws what the first one that fails throws, when none is under way any more. */
export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = [...items]
  const failures: unknown[] = []
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined && failures.length === 0; item = waiting.shift()) {
      await work(item).catch((error: unknown) => failures.push(error))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  if (failures.length > 0) throw failures[0]
}
