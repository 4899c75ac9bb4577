/**
 * What follows from the ports that a node has and from what became of them. Pure.
 * @module
 */
import type { NodePorts, PooledPort, PortPool, PortUse, PortWish } from '../../network/model/neutron.ts'
import type { LeasedPort, PortRecord } from './port-record.ts'

/** What is known of ports beside NodePorts. */
export interface PortFacts {
  /** A pod has it, or it rests, or nobody can say. */
  isBusy(id: string): boolean
  /** Whether the controller may have been told that it can delete the port: it is nobody's then, whatever NodePorts say. */
  isPromised(id: string): boolean
  /** When a pod last had it, in milliseconds since 1970. */
  lastUsed(id: string): number | undefined
}

/** The pool of a network, by the NeutronNetwork's name or the network's id in Neutron. */
export function poolOf({ pools }: NodePorts, network: string): PortPool | undefined {
  return pools.find((one) => one.network === network) ?? pools.find((one) => one.networkId === network)
}

/** A port that a pod may have now: of those with exactly these security groups the one that was nobody's for longest. */
export function freePort(
  { ports }: PortPool,
  groups: readonly string[] | undefined,
  { isBusy, isPromised, lastUsed }: PortFacts,
): PooledPort | undefined {
  const free = ports.filter(
    ({ id, withdrawn, groups: own }) =>
      withdrawn !== true && Bun.deepEquals(own, groups) && !isBusy(id) && !isPromised(id),
  )
  return free.reduce<PooledPort | undefined>((best, one) => {
    if (best === undefined) return one
    return (lastUsed(one.id) ?? 0) < (lastUsed(best.id) ?? 0) ? one : best
  }, undefined)
}

/** Ports that the controller wants back and that nobody has: it may delete them. */
export function givenOf({ pools }: NodePorts, { isBusy }: Pick<PortFacts, 'isBusy'>): readonly string[] {
  return pools.flatMap(({ ports }) =>
    ports.filter(({ id, withdrawn }) => withdrawn === true && !isBusy(id)).map(({ id }) => id),
  )
}

/** Leases of ports that are not there any more: somebody deleted them. */
export function lostOf(nodePorts: NodePorts | undefined, records: readonly PortRecord[]): readonly LeasedPort[] {
  const present = new Set(nodePorts?.pools.flatMap(({ ports }) => ports.map(({ id }) => id)))
  return records.filter((one): one is LeasedPort => one.state === 'leased' && !present.has(one.id))
}

/** What a pod waits for. */
export interface Wanting {
  readonly network: string
  readonly groups?: readonly string[]
}

/** What this node does with its ports, for the controller. */
export function useOf(
  node: string,
  nodePorts: NodePorts | undefined,
  records: readonly PortRecord[],
  facts: Pick<PortFacts, 'isBusy'>,
  waiting: readonly Wanting[],
): PortUse {
  return {
    node,
    leased: records.flatMap((one) =>
      one.state === 'leased'
        ? {
            id: one.id,
            sandbox: one.containerId,
            ifname: one.ifname,
            ...(one.pod === undefined ? {} : { pod: one.pod }),
            since: new Date(one.since).toISOString(),
          }
        : [],
    ),
    resting: records.flatMap((one) =>
      one.state === 'resting' ? { id: one.id, until: new Date(one.until).toISOString() } : [],
    ),
    given: nodePorts === undefined ? [] : givenOf(nodePorts, facts),
    wants: wishesOf(nodePorts, waiting),
  }
}

/** Names of objects: of a network that has no pool here nothing else is known. */
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

function wishesOf(nodePorts: NodePorts | undefined, waiting: readonly Wanting[]): readonly PortWish[] {
  const wishes = new Map<string, PortWish>()
  for (const { network: asked, groups } of waiting) {
    const network = (nodePorts && poolOf(nodePorts, asked)?.network) ?? asked
    if (!NAME.test(network)) continue
    const key = JSON.stringify([network, groups])
    const n = (wishes.get(key)?.n ?? 0) + 1
    wishes.set(key, { network, ...(groups === undefined ? {} : { groups }), n })
  }
  return [...wishes.values()]
}

/** Why a pool has nothing to give, in numbers, for people. */
export function countsOf({ ports }: PortPool, records: readonly PortRecord[]): string {
  const states = new Map(records.map(({ id, state }) => [id, state]))
  const count = (state: PortRecord['state']): number => ports.filter(({ id }) => states.get(id) === state).length
  const withdrawn = ports.filter((one) => one.withdrawn === true).length
  return `of its ${ports.length} ports on this node pods have ${count('leased')}, ${count('resting')} rest, ${withdrawn} are withdrawn`
}
