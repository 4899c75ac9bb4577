/**
 * What is to be made and what is to go of one pool: by security groups, as ports of some groups are of no use to pods of others. Pure.
 * @module
 */
import type { PooledPort, PoolSizes, PortPool, PortUse, PortWish } from '../../network/model/neutron.ts'
import { decidePool, type PoolDecision, type PoolState } from '../../network/warm/decide.ts'

/** What is known of a pool and of what its node does with it. */
export interface Sizing {
  readonly pool: PortPool
  readonly sizes: PoolSizes
  readonly use: Pick<PortUse, 'leased' | 'resting' | 'wants'> | undefined
  /** Ports that are likely to be asked for. */
  readonly demand: number
  readonly quotaLeft?: number
}

/** What is to be done for ports with these groups; those of pods that ask for none have no names. */
export interface SizedGroups {
  readonly groups?: readonly string[]
  readonly decision: PoolDecision
  /** Whether pods wait for some. */
  readonly isWanted: boolean
}

/** What is to be done, the groups that pods wait for first. */
export function sizePool({ pool, sizes, use, demand, quotaLeft }: Sizing): readonly SizedGroups[] {
  const wishes = wishesOf(pool, use)
  const busy = new Set([...(use?.leased ?? []), ...(use?.resting ?? [])].map(({ id }) => id))
  const keys = new Set(['', ...wishes.keys(), ...pool.ports.map(({ groups }) => keyOf(groups))])
  const idle = (key: string): readonly string[] =>
    pool.ports.filter((port) => isIdle(port, busy) && keyOf(port.groups) === key).map(({ id }) => id)
  let total = pool.ports.length
  let left = quotaLeft
  const sized = [...keys].map((key) => ({ key, wanted: wishes.get(key)?.n ?? 0 }))
  return sized
    .sort((a, b) => Number(b.wanted > 0) - Number(a.wanted > 0))
    .map(({ key, wanted }) => {
      const isDefault = key === ''
      const state: PoolState = {
        sizes: isDefault ? sizes : { ...sizes, min: 0 },
        total,
        idle: idle(key),
        wanted,
        demand: isDefault ? demand : 0,
        ...(left === undefined ? {} : { quotaLeft: left }),
      }
      const decision = decidePool(state)
      if (decision.do === 'fetch') {
        total += decision.n
        if (left !== undefined) left -= decision.n
      }
      if (decision.do === 'withdraw') total -= decision.ids.length
      return { ...(isDefault ? {} : { groups: groupsIn(key) }), decision, isWanted: wanted > 0 }
    })
}

/** Ports of groups that nobody asks for now, which can make room for those of others. */
export function idleOfOthers(
  { pool, use }: Pick<Sizing, 'pool' | 'use'>,
  groups: readonly string[] | undefined,
): readonly string[] {
  const wishes = wishesOf(pool, use)
  const busy = new Set([...(use?.leased ?? []), ...(use?.resting ?? [])].map(({ id }) => id))
  const isSpare = (port: PooledPort): boolean =>
    isIdle(port, busy) && keyOf(port.groups) !== keyOf(groups) && !wishes.has(keyOf(port.groups))
  return pool.ports.filter(isSpare).map(({ id }) => id)
}

/** Whether ports of a way through the VM's port can have groups of their own. */
export function hasGroups({ mode }: Pick<PortPool, 'mode'>): boolean {
  return mode !== 'fixed'
}

function wishesOf(pool: PortPool, use: Sizing['use']): ReadonlyMap<string, PortWish> {
  const own = (use?.wants ?? []).filter(
    ({ network, groups }) => network === pool.network && (groups === undefined || hasGroups(pool)),
  )
  return new Map(own.map((wish) => [keyOf(wish.groups), wish]))
}

function isIdle({ id, withdrawn }: PooledPort, busy: ReadonlySet<string>): boolean {
  return withdrawn === undefined && !busy.has(id)
}

function keyOf(groups: readonly string[] | undefined): string {
  return groups === undefined ? '' : JSON.stringify(groups)
}

function groupsIn(key: string): readonly string[] {
  return JSON.parse(key) as readonly string[]
}
