/**
 * Mode `trunk`: a pod's port is a part of the trunk on the VM's port, told apart by a VLAN.
 * @module
 */
import type { PooledPort, PortPool } from '../../network/model/neutron.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import type { Port, Subport } from '../../openstack/neutron/model.ts'
import type { AddressWay, PoolStep, PoolWork } from './mode.ts'
import { PortsError } from './problem.ts'
import { alignGroups, deleteReserved, listReserved, makeReserved, pooledOf, sortFound } from './reserved.ts'
import { freeVlans } from './vlans.ts'

export const trunkWay: AddressWay = { look, grow, release }

/** Others who take VLANs of the same trunk may be faster so many times in a row. */
const TRIES = 4

async function look(work: PoolWork, pool: PortPool): Promise<PoolStep> {
  const found = await listReserved(work)
  const { kept, surplus, gone } = sortFound(work, pool, found)
  for (const { id } of gone) work.tell(`port ${id} is gone from Neutron`)
  await alignGroups(work, kept)
  await detach(work, pool, new Set(surplus.map(({ id }) => id)))
  await deleteReserved(work, surplus)
  const { fitting, problem } = await attach(work, pool, kept)
  const unfit = kept.filter(([{ id }]) => !fitting.has(id))
  // A pod that has one is told by its agent; nobody else gets it.
  await deleteReserved(
    work,
    unfit.filter(([{ id }]) => !work.held.has(id)).map(([port]) => port),
  )
  const ports = kept.flatMap(([, pooled]) => withVlan(pooled, fitting.get(pooled.id)))
  return { pool: { ...pool, ports }, ...(problem === undefined ? {} : { problem }) }
}

async function grow(
  work: PoolWork,
  pool: PortPool,
  n: number,
  groups?: Parameters<AddressWay['grow']>[3],
): Promise<PoolStep> {
  const { made, problem } = await makeReserved(work, n, groups?.ids ?? work.place.pool.groups)
  const pairs = made.map((port) => [port, pooledOf(port, pool, groups?.names)] as const)
  const attached = await attach(work, pool, pairs)
  await deleteReserved(
    work,
    made.filter(({ id }) => !attached.fitting.has(id)),
  )
  const ports = [...pool.ports, ...pairs.flatMap(([, pooled]) => withVlan(pooled, attached.fitting.get(pooled.id)))]
  const why = attached.problem ?? problem
  return { pool: { ...pool, ports }, ...(why === undefined ? {} : { problem: why }) }
}

async function release(work: PoolWork, pool: PortPool, ids: ReadonlySet<string>): Promise<PortPool> {
  await detach(work, pool, ids)
  const found = await listReserved(work)
  await deleteReserved(
    work,
    found.filter(({ id }) => ids.has(id)),
  )
  return { ...pool, ports: pool.ports.filter(({ id }) => !ids.has(id)) }
}

function withVlan(pooled: PooledPort, vlan: number | undefined): readonly PooledPort[] {
  return vlan === undefined ? [] : [{ ...pooled, vlan }]
}

/** Puts those on the trunk that are not; all VLANs by port then. */
async function attach(
  work: PoolWork,
  { parent }: PortPool,
  all: readonly (readonly [Port, PooledPort])[],
): Promise<{ readonly fitting: ReadonlyMap<string, number>; readonly problem?: unknown }> {
  if (all.length === 0) return { fitting: new Map() }
  const { cloud } = work
  const trunkId = await trunkOf(work, parent.portId)
  for (let attempt = 1; ; attempt += 1) {
    const there = await cloud.neutron.trunks.subports(trunkId, work.signal)
    const vlans = vlansOf(there)
    const missing = all.filter(([{ id }]) => !vlans.has(id))
    const taken = new Set(there.map(({ vlan }) => vlan))
    // A pod that has it goes on with the VLAN that it knows, where that is free.
    const again = missing.filter(([, { vlan }]) => vlan !== undefined && !taken.has(vlan))
    for (const [, { vlan }] of again) if (vlan !== undefined) taken.add(vlan)
    const others = missing.filter((one) => !again.includes(one))
    const free = freeVlans(taken, others.length)
    const added = [
      ...again.map(([{ id }, { vlan }]) => ({ portId: id, vlan: vlan ?? 0 })),
      ...others.slice(0, free.length).map(([{ id }], i) => ({ portId: id, vlan: free[i] ?? 0 })),
    ]
    try {
      if (added.length > 0) await cloud.neutron.trunks.addSubports(trunkId, added)
    } catch (error) {
      const isTaken = error instanceof OpenStackError && error.type === 'DuplicateSubPort'
      if (!isTaken || attempt >= TRIES) throw error
      continue
    }
    const fitting = new Map([...vlans, ...added.map(({ portId, vlan }) => [portId, vlan] as const)])
    if (free.length >= others.length) return { fitting }
    const problem = new PortsError(
      'PORTS_NO_VLAN',
      `trunk ${trunkId} has no free VLAN`,
      'remove ports that nobody uses from it',
      true,
    )
    return { fitting, problem }
  }
}

/** Takes those off the trunk that are on it. */
async function detach(
  { cloud, signal, ...work }: PoolWork,
  { parent }: PortPool,
  ids: ReadonlySet<string>,
): Promise<void> {
  if (ids.size === 0) return
  const trunk = await cloud.neutron.trunks.ofPort(parent.portId, signal)
  if (trunk === undefined) return
  for (let attempt = 1; ; attempt += 1) {
    const there = await cloud.neutron.trunks.subports(trunk.id, signal)
    const leaving = there.filter(({ portId }) => ids.has(portId)).map(({ portId }) => portId)
    if (leaving.length === 0) return
    try {
      await cloud.neutron.trunks.removeSubports(trunk.id, leaving)
      return
    } catch (error) {
      // Somebody else took one of them off in the meantime: none of them went.
      const isGone = error instanceof OpenStackError && error.code === 'OPENSTACK_NOT_FOUND'
      if (!isGone || attempt >= TRIES) throw error
      work.tell(`trunk ${trunk.id} changed while ports were taken off it`)
    }
  }
}

async function trunkOf({ cloud, signal }: PoolWork, portId: string): Promise<string> {
  const trunk = await cloud.neutron.trunks.ofPort(portId, signal)
  if (trunk !== undefined) return trunk.id
  const remedy = `make it again: openstack network trunk create --parent-port ${portId} NAME`
  throw new PortsError('PORTS_NO_TRUNK', `the trunk on port ${portId} is gone`, remedy, true)
}

function vlansOf(subports: readonly Subport[]): ReadonlyMap<string, number> {
  return new Map(subports.map(({ portId, vlan }) => [portId, vlan]))
}
