/**
 * Mode `pair`: a port of our own keeps the address, and the VM's port may send from it. OVN answers for the VM's port once it hears of the
 * address there: exact addresses only, never ranges (docs/adr/0040).
 * @module
 */
import type { PooledPort, PortPool } from '../../network/model/neutron.ts'
import { OpenStackError } from '../../openstack/errors.ts'
import { pairChange } from '../../openstack/neutron/lists.ts'
import type { Port } from '../../openstack/neutron/model.ts'
import { changePort } from '../../openstack/neutron/on-revision.ts'
import type { AddressWay, PoolStep, PoolWork } from './mode.ts'
import { alignGroups, deleteReserved, listReserved, makeReserved, pooledOf, sortFound, stayingOf } from './reserved.ts'

export const pairWay: AddressWay = { look, grow, release }

async function look(work: PoolWork, pool: PortPool): Promise<PoolStep> {
  const found = await listReserved(work)
  const { kept, surplus, gone } = sortFound(work, pool, found)
  for (const { id } of gone) work.tell(`port ${id} is gone from Neutron`)
  await alignGroups(work, kept)
  const staying = new Set(kept.flatMap(([, pooled]) => addresses(pooled)))
  const before = [...pool.ports.flatMap(addresses), ...surplus.flatMap(addressesIn)]
  await changePairs(
    work,
    pool,
    [],
    before.filter((address) => !staying.has(address)),
  )
  await deleteReserved(work, surplus)
  const { fitting, ...why } = await allow(work, pool, kept)
  const fits = new Set(fitting.map(([{ id }]) => id))
  return { pool: { ...pool, ports: await stayingOf(work, pool, kept, (id) => fits.has(id)) }, ...why }
}

async function grow(
  work: PoolWork,
  pool: PortPool,
  n: number,
  groups?: Parameters<AddressWay['grow']>[3],
): Promise<PoolStep> {
  const { made, problem } = await makeReserved(work, n, groups?.ids ?? work.place.pool.groups)
  const pairs = made.map((port) => [port, pooledOf(port, pool, groups?.names)] as const)
  const allowed = await allow(work, pool, pairs)
  const fits = new Set(allowed.fitting.map(([{ id }]) => id))
  await deleteReserved(
    work,
    made.filter(({ id }) => !fits.has(id)),
  )
  const why = allowed.problem ?? problem
  const ports = [...pool.ports, ...allowed.fitting.map(([, pooled]) => pooled)]
  return { pool: { ...pool, ports }, ...(why === undefined ? {} : { problem: why }) }
}

/** The pair goes first: an address that another port gets next must not be the VM's to send from. */
async function release(work: PoolWork, pool: PortPool, ids: ReadonlySet<string>): Promise<PortPool> {
  const leaving = pool.ports.filter(({ id }) => ids.has(id))
  await changePairs(work, pool, [], leaving.flatMap(addresses))
  const found = await listReserved(work)
  await deleteReserved(
    work,
    found.filter(({ id }) => ids.has(id)),
  )
  return { ...pool, ports: pool.ports.filter(({ id }) => !ids.has(id)) }
}

type Reserved = readonly (readonly [Port, PooledPort])[]

/** As many as the port may have pairs for. Half as many are tried where all are too many: nobody tells how many may be. */
async function allow(
  work: PoolWork,
  pool: PortPool,
  all: Reserved,
): Promise<{ readonly fitting: Reserved } & Omit<PoolStep, 'pool'>> {
  if (all.length === 0) return { fitting: [] }
  try {
    await changePairs(
      work,
      pool,
      all.flatMap(([, pooled]) => addresses(pooled)),
      [],
    )
    return { fitting: all }
  } catch (problem) {
    if (!(problem instanceof OpenStackError)) throw problem
    if (problem.code === 'OPENSTACK_NOT_FOUND') return { fitting: [], problem, isCut: true }
    if (problem.code !== 'OPENSTACK_EXHAUSTED') throw problem
    if (all.length === 1) return { fitting: [], problem }
    const middle = Math.ceil(all.length / 2)
    const first = await allow(work, pool, all.slice(0, middle))
    if (first.problem !== undefined) return first
    const second = await allow(work, pool, all.slice(middle))
    return { fitting: [...first.fitting, ...second.fitting], problem }
  }
}

async function changePairs(
  { cloud, signal }: PoolWork,
  { parent }: PortPool,
  add: readonly string[],
  remove: readonly string[],
): Promise<void> {
  if (add.length + remove.length === 0) return
  const change = { add: add.map((address) => ({ address })), remove }
  try {
    await changePort(cloud.neutron.ports, parent.portId, (port) => pairChange(port, change), signal)
  } catch (error) {
    // With the VM's port its pairs are gone, too.
    if (add.length === 0 && error instanceof OpenStackError && error.code === 'OPENSTACK_NOT_FOUND') return
    throw error
  }
}

function addresses({ addresses: all }: PooledPort): readonly string[] {
  return all.map(({ address }) => address)
}

function addressesIn({ fixedIps }: Port): readonly string[] {
  return fixedIps.map(({ address }) => address)
}
