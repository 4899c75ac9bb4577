/**
 * Mode `trunk`: a pod's port is a part of the trunk on the VM's port, told apart by a VLAN.
 * @module
 */
import type { PooledPort, PortPool } from '../../network/model/neutron.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import type { Port } from '../../openstack/neutron/model.ts'
import type { AddressWay, PoolStep, PoolWork } from './mode.ts'
import { PortsError } from './problem.ts'
import { alignGroups, deleteReserved, listReserved, makeReserved, pooledOf, sortFound, stayingOf } from './reserved.ts'
import { planVlans, type WantedVlan } from './vlans.ts'

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
  const { fitting, ...why } = await attach(work, pool, kept)
  const staying = await stayingOf(work, pool, kept, (id) => fitting.has(id))
  // A pod goes on with the VLAN that it knows. One that has a port of which nobody knew is told by its agent.
  const ports = staying.flatMap((pooled) => withVlan(pooled, fitting.get(pooled.id) ?? pooled.vlan))
  return { pool: { ...pool, ports }, ...why }
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

/** Puts those on the trunk that are not; the VLANs by port of those that are there then, as they are written down. */
async function attach(
  work: PoolWork,
  { parent }: PortPool,
  all: readonly (readonly [Port, PooledPort])[],
): Promise<{ readonly fitting: ReadonlyMap<string, number> } & Omit<PoolStep, 'pool'>> {
  if (all.length === 0) return { fitting: new Map() }
  const { trunks } = work.cloud.neutron
  const trunk = await trunks.ofPort(parent.portId, work.signal)
  if (trunk === undefined) return { fitting: new Map(), problem: noTrunk(parent.portId), isCut: true }
  const wanted = all.map(([{ id }, { vlan }]) => ({ portId: id, ...(vlan === undefined ? {} : { vlan }) }))
  for (let attempt = 1; ; attempt += 1) {
    const { misplaced, added, fitting, lost, isFull } = planVlans(wanted, await trunks.subports(trunk.id, work.signal))
    try {
      if (misplaced.length > 0) await trunks.removeSubports(trunk.id, misplaced)
      if (added.length > 0) await trunks.addSubports(trunk.id, added)
    } catch (error) {
      // Somebody took one of the VLANs, or a port off, in the meantime.
      const isOvertaken =
        error instanceof OpenStackError && (error.type === 'DuplicateSubPort' || error.code === 'OPENSTACK_NOT_FOUND')
      if (!isOvertaken || attempt >= TRIES) throw error
      continue
    }
    const [worst] = lost.filter(({ portId }) => work.held.has(portId))
    if (worst !== undefined) return { fitting, problem: vlanTaken(trunk.id, worst) }
    return { fitting, ...(isFull ? { problem: noVlan(trunk.id) } : {}) }
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

function noTrunk(portId: string): PortsError {
  const remedy = `make it again: openstack network trunk create --parent-port ${portId} NAME (with ML2/OVS while the VM is off)`
  return new PortsError('PORTS_NO_TRUNK', `the trunk on port ${portId} is gone`, remedy, true)
}

function vlanTaken(trunkId: string, { portId, vlan }: Required<WantedVlan>): PortsError {
  return new PortsError(
    'PORTS_NO_VLAN',
    `somebody else took VLAN ${vlan} of trunk ${trunkId}, which is that of port ${portId} of a pod`,
    'replace the pod, and keep others off the trunk',
    true,
  )
}

function noVlan(trunkId: string): PortsError {
  return new PortsError(
    'PORTS_NO_VLAN',
    `trunk ${trunkId} has no free VLAN`,
    'remove ports that nobody uses from it',
    true,
  )
}
