/**
 * Mode `fixed`: pods get further addresses of the VM's own port. An address carries no name of ours: which are the VM's is written down
 * before the first one is asked for, and that some were asked for before each call (docs/adr/0040).
 * @module
 */
import { type Family, familyOf, type Ip } from '../../network/model/address.ts'
import { fixedPortId, type PooledPort, type PortAddress, type PortPool } from '../../network/model/neutron.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import { addressChange } from '../../openstack/neutron/lists.ts'
import type { Port } from '../../openstack/neutron/model.ts'
import { changePort } from '../../openstack/neutron/on-revision.ts'
import type { AddressWay, PoolStep, PoolWork } from './mode.ts'
import { ipOf } from './place.ts'

export const fixedWay: AddressWay = { look, grow, release }

async function look(work: PoolWork, pool: PortPool): Promise<PoolStep> {
  try {
    const port = await work.cloud.neutron.ports.get(pool.parent.portId, work.signal)
    return { pool: settled(work, pool, port) }
  } catch (problem) {
    if (!(problem instanceof OpenStackError) || problem.code !== 'OPENSTACK_NOT_FOUND') throw problem
    const ports = pool.ports.map((port) => ({ ...port, withdrawn: true as const }))
    return { pool: { ...pool, ports }, problem, isCut: true }
  }
}

/**
 * The pool as the VM's port has it. Addresses that nobody knows are pods' where as many were asked for, and otherwise the VM's: one too
 * many that is kept for the VM does no harm.
 */
function settled(work: PoolWork, pool: PortPool, port: Port): PortPool {
  const there = new Map(usable(port, pool).map((one) => [one.address, one]))
  const all = new Set(port.fixedIps.map(({ address }) => ipOf(address)))
  const isHeld = (address: Ip): boolean => work.held.has(fixedPortId(port.id, address))
  const kept: PooledPort[] = []
  for (const entry of pool.ports) {
    const left = entry.addresses.filter(({ address }) => there.has(address))
    for (const { address } of entry.addresses) there.delete(address)
    if (left.length === entry.addresses.length) kept.push(entry)
    else work.tell(`${entry.id} lost addresses of the VM's port in Neutron`)
    // One of two families is not what a pod asks for: it goes when nobody has it.
    if (left.length > 0 && left.length < entry.addresses.length)
      kept.push({ ...entry, addresses: left, withdrawn: true })
  }
  const own = (pool.parent.own ?? []).filter((address) => all.has(address) && !isHeld(address))
  for (const address of own) there.delete(address)
  const unknown = [...there.values()]
  const { asked, ...parent } = pool.parent
  const ours = unknown.length === asked ? unknown : unknown.filter(({ address }) => isHeld(address))
  const others = unknown.filter((one) => !ours.includes(one)).map(({ address }) => address)
  if (others.length > 0) work.tell(`port ${port.id} has further addresses of its own: ${others.join(', ')}`)
  return {
    ...pool,
    parent: { ...parent, own: [...own, ...others] },
    ports: [...kept, ...entriesOf(work, pool, ours)],
  }
}

function usable({ fixedIps }: Port, { subnets }: PortPool): readonly PortAddress[] {
  return fixedIps
    .filter(({ subnetId }) => subnets.some(({ id }) => id === subnetId))
    .map(({ subnetId, address }) => ({ subnetId, address: ipOf(address) }))
}

/** One address of each family that the network has makes an entry. What has no other half is given back by and by. */
function entriesOf(
  { place, given }: PoolWork,
  { parent }: PortPool,
  addresses: readonly PortAddress[],
): readonly PooledPort[] {
  const of = (family: Family): readonly PortAddress[] => addresses.filter(({ address }) => familyOf(address) === family)
  const [fours, sixes] = [of(4), of(6)]
  const isDual = place.subnets[4].length > 0 && place.subnets[6].length > 0
  return Array.from({ length: Math.max(fours.length, sixes.length) }, (_, i) => {
    const pair = [fours[i], sixes[i]].filter((one) => one !== undefined)
    const [first] = pair
    // Its agent has not yet heard that the same address was another entry before.
    const isToGo =
      (isDual && pair.length < 2) || (first !== undefined && given.has(fixedPortId(parent.portId, first.address)))
    return first === undefined
      ? []
      : [
          {
            id: fixedPortId(parent.portId, first.address),
            mac: parent.mac,
            addresses: pair,
            ...(isToGo ? { withdrawn: true as const } : {}),
          },
        ]
  }).flat()
}

async function grow(work: PoolWork, pool: PortPool, n: number): Promise<PoolStep> {
  let problem: unknown
  let before = pool
  for (let count = n; count > 0; count = Math.floor(count / 2)) {
    for (const subnets of subnetChoices(work)) {
      try {
        const grown = await ask(work, before, count, subnets)
        return { pool: grown, ...(problem === undefined ? {} : { problem }) }
      } catch (error) {
        if (!(error instanceof OpenStackError) || error.code !== 'OPENSTACK_EXHAUSTED') throw error
        problem = error
        const { asked: _, ...parent } = before.parent
        before = { ...before, parent }
      }
    }
  }
  return { pool: before, problem }
}

/** One of each family. */
function subnetChoices({ place: { subnets } }: PoolWork): readonly (readonly string[])[] {
  const [fours, sixes] = [subnets[4], subnets[6]]
  return Array.from({ length: Math.max(fours.length, sixes.length) }, (_, i) =>
    [fours[Math.min(i, fours.length - 1)], sixes[Math.min(i, sixes.length - 1)]].filter((one) => one !== undefined),
  )
}

/** Others who write to the VM's port may be faster so many times in a row. */
const TRIES = 8

/** Asks for addresses on the revision that was read: what is new then came of it. */
async function ask(work: PoolWork, start: PortPool, count: number, subnets: readonly string[]): Promise<PortPool> {
  const { ports } = work.cloud.neutron
  const add = subnets.flatMap((subnetId) => Array.from({ length: count }, () => ({ subnetId })))
  let pool = start
  for (let attempt = 1; ; attempt += 1) {
    const port = await ports.get(pool.parent.portId, work.signal)
    const known = pool.ports.length
    pool = settled(work, pool, port)
    // An answer was lost, and its call was repeated on a revision that it had changed itself.
    if (pool.ports.length > known) return pool
    const asking: PortPool = { ...pool, parent: { ...pool.parent, asked: add.length } }
    await work.publish(asking)
    const change = addressChange(port, { add, remove: [], own: pool.parent.own ?? [] })
    if (change === undefined) return pool
    try {
      return settled(work, asking, await ports.update(port.id, change, port.revision, work.signal))
    } catch (error) {
      const isOvertaken = error instanceof OpenStackError && error.code === 'OPENSTACK_REVISION'
      if (!isOvertaken || attempt >= TRIES) throw error
      pool = asking
    }
  }
}

async function release(work: PoolWork, pool: PortPool, ids: ReadonlySet<string>): Promise<PortPool> {
  const { cloud, signal } = work
  const remove = pool.ports
    .filter(({ id }) => ids.has(id))
    .flatMap(({ addresses }) => addresses.map(({ address }) => address))
  const own: readonly Ip[] = pool.parent.own ?? []
  try {
    await changePort(
      cloud.neutron.ports,
      pool.parent.portId,
      (port) => addressChange(port, { add: [], remove, own }),
      signal,
    )
  } catch (error) {
    // With the VM's port its addresses are gone, too.
    if (!(error instanceof OpenStackError) || error.code !== 'OPENSTACK_NOT_FOUND') throw error
  }
  return { ...pool, ports: pool.ports.filter(({ id }) => !ids.has(id)) }
}
