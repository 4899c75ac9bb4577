/**
 * One node's ports: looked up, made, taken back, and written down. Neutron is the truth of what there is, and the node's agent of who has
 * it; what this process remembers only saves it calls (docs/adr/0038).
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { NeutronNetwork, NodePorts, PoolProblem, PortPool, PortUse } from '../../network/model/neutron.ts'
import type { Node } from '../../network/model/node.ts'
import { matchesSelector } from '../../network/model/selector.ts'
import { MAX_POOL_PROBLEMS } from '../../network/model/validate-neutron.ts'
import { Backoff } from '../../registry/backoff.ts'
import type { ControllerLog } from '../controller.ts'
import type { Cloud } from './cloud.ts'
import { PoolMemory } from './memory.ts'
import { drainPool, keepPool, type PassEnd, type PoolContext } from './pool.ts'
import { leavesDoubt, PortsError, problemOf, RETRY_S } from './problem.ts'

/** What a node is looked after with. */
export interface KeeperParts {
  readonly cloud: Cloud
  /** What tells this cluster's ports from others'. */
  readonly cluster: () => string
  readonly node: (name: string) => Node | undefined
  /** Nothing was seen of the node for so long that its ports may go without anybody's word. */
  readonly isGone: (name: string) => boolean
  readonly networks: () => Iterable<NeutronNetwork>
  /** Its NeutronNetwork is there and cannot be read: what there is of it stays as it is. */
  readonly isSpoilt: (network: string) => boolean
  readonly use: (name: string) => PortUse | undefined
  readonly ports: NodePortsStore
  /** The nodes whose VM's port it is, by the port. */
  readonly parents: Map<string, string>
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly random?: () => number
  readonly signal: AbortSignal
  readonly log: ControllerLog
  /** What was in the way of a node's pools the last time. */
  readonly onProblems: (node: string, problems: readonly PoolProblem[], errors: ReadonlyMap<string, unknown>) => void
}

/** Where nodes' ports are written down. */
export interface NodePortsStore {
  /** As last heard or written. */
  get(node: string): NodePorts | undefined
  /** Throws a RegistryError where somebody else wrote, or it is not known. */
  put(value: NodePorts): Promise<void>
  remove(node: string): Promise<void>
  /** What the agent of a node that is gone said. */
  forgetUse(node: string): Promise<void>
}

/** What came of one network. */
interface Turn {
  readonly problem?: PoolProblem
  readonly error?: unknown
  /** What pods ask for in vain. */
  readonly refused?: readonly PoolProblem[]
  /** Milliseconds. */
  readonly again?: number
}

/** One node's ports. Never at two of its methods at a time. */
export class NodeKeeper {
  readonly #name: string
  readonly #parts: KeeperParts
  readonly #memories = new Map<string, PoolMemory>()
  #problems: readonly PoolProblem[] = []

  constructor(name: string, parts: KeeperParts) {
    this.#name = name
    this.#parts = parts
  }

  /** Something may have changed in Neutron that nobody told, about one network or any. */
  doubt(network?: string): void {
    for (const [name, memory] of this.#memories) if (network === undefined || name === network) memory.isSure = false
  }

  /** Brings everything in order, as far as that can be. Milliseconds until it has to be looked at again; undefined: when something changes. */
  async lookAfter(): Promise<number | undefined> {
    const { ports, node, isGone, networks, onProblems } = this.#parts
    const isLost = node(this.#name) === undefined
    if (isLost && !isGone(this.#name)) return undefined
    const before = this.#parts.ports.get(this.#name)
    const wishes = new Map([...networks()].map((wish) => [wish.name, wish]))
    const names = new Set([...(before?.pools ?? []).map(({ network }) => network), ...this.#wanted(wishes)])
    const turns = new Map<string, Turn>()
    for (const name of names) {
      const isLeftAlone = !isLost && !wishes.has(name) && this.#parts.isSpoilt(name)
      turns.set(name, isLeftAlone ? {} : await this.#turn(name, wishes.get(name)))
    }
    for (const name of this.#memories.keys()) if (!names.has(name)) this.#memories.delete(name)
    const own = [...turns.values()].flatMap(({ problem }) => problem ?? [])
    const refused = [...turns.values()].flatMap((turn) => turn.refused ?? [])
    this.#problems = [...own, ...refused].slice(0, MAX_POOL_PROBLEMS)
    await this.#publish(this.#pools())
    if (isLost && this.#pools().length === 0) await ports.forgetUse(this.#name)
    onProblems(this.#name, own, new Map([...turns].map(([name, { error }]) => [name, error])))
    const pauses = [...turns.values()].flatMap(({ again }) => again ?? [])
    return pauses.length === 0 ? undefined : Math.min(...pauses)
  }

  /** One network, unless it is left alone for now. */
  async #turn(name: string, wish: NeutronNetwork | undefined): Promise<Turn> {
    const { now, cloud } = this.#parts
    const memory = this.#memory(name)
    const again = (): number => Math.max(memory.notBefore - now(), cloud.pause)
    const { refused } = memory
    if (again() > 0) {
      const problem = memory.problem ?? this.#untried(name)
      return { again: again(), refused, ...(problem === undefined ? {} : { problem }) }
    }
    const { more, ...end } = await this.#one(name, wish, memory)
    const turn = { ...end, refused: memory.refused }
    if (more) return { ...turn, again: 0 }
    if (end.problem !== undefined) return { ...turn, again: Math.max(0, again()) }
    return memory.refused.length === 0 ? turn : { ...turn, again: RETRY_S * 1000 }
  }

  /** Why a network has no pool that was not asked for yet, as the cloud is left alone. */
  #untried(network: string): PoolProblem | undefined {
    return this.#pools().some((pool) => pool.network === network)
      ? undefined
      : problemOf(network, this.#parts.cloud.outage)
  }

  #wanted(wishes: ReadonlyMap<string, NeutronNetwork>): readonly string[] {
    const node = this.#parts.node(this.#name)
    if (node === undefined) return []
    return [...wishes.values()].filter(({ nodes = [] }) => matchesSelector(nodes, node.labels)).map(({ name }) => name)
  }

  /** One network. What fails is told and tried again later; others go on. */
  async #one(
    network: string,
    wish: NeutronNetwork | undefined,
    memory: PoolMemory,
  ): Promise<{ readonly problem?: PoolProblem; readonly error?: unknown; readonly more: boolean }> {
    const { cloud, now, log } = this.#parts
    try {
      const { problem: error, more, refused = [] } = await this.#work(network, wish, memory)
      cloud.answered()
      memory.refused = refused.flatMap(({ groups, error: why }) => {
        const problem = problemOf(network, why)
        return problem === undefined ? [] : [{ ...problem, groups }]
      })
      if (error === undefined) {
        memory.succeeded()
        return { more }
      }
      const problem = problemOf(network, error)
      if (problem === undefined) throw error
      memory.failed(problem, now())
      return { problem, error, more: false }
    } catch (error) {
      cloud.failed(error)
      if (leavesDoubt(error)) memory.isSure = false
      memory.place = undefined
      const problem = problemOf(network, error)
      if (problem === undefined) throw error
      memory.failed(problem, now())
      log.warn({ node: this.#name, network, code: problem.reason }, problem.problem)
      return { problem, error, more: false }
    }
  }

  async #work(network: string, wish: NeutronNetwork | undefined, memory: PoolMemory): Promise<PassEnd> {
    const node = this.#parts.node(this.#name)
    const context = this.#context(network, memory)
    const pool = this.#pools().find((one) => one.network === network)
    const isWanted = wish !== undefined && node !== undefined && matchesSelector(wish.nodes ?? [], node.labels)
    if (!isWanted) {
      if (pool !== undefined) await drainPool(context, pool, { isForced: node === undefined })
      return { more: false }
    }
    return await keepPool(context, { node, wish, pool })
  }

  #context(network: string, memory: PoolMemory): PoolContext {
    const { cloud, cluster, use, parents, now, signal, log } = this.#parts
    return {
      cloud,
      owner: { cluster: cluster(), node: this.#name, network },
      memory,
      use: use(this.#name),
      now: now(),
      signal,
      publish: async (pool) => {
        const others = this.#pools().filter((one) => one.network !== network)
        await this.#publish(pool === undefined ? others : [...others, pool])
      },
      claimParent: (portId) => {
        const other = parents.get(portId)
        if (other === undefined || !this.#holds(other, portId)) parents.set(portId, this.#name)
        else if (other !== this.#name) throw sharedParent(portId, other, this.#name)
      },
      tell: (message) => log.warn({ node: this.#name, network }, message),
    }
  }

  /** Whether a node that claimed a VM's port still has it, or is about to. */
  #holds(other: string, portId: string): boolean {
    const pools = this.#parts.ports.get(other)?.pools ?? []
    return (
      this.#parts.node(other) !== undefined &&
      (pools.length === 0 || pools.some(({ parent }) => parent.portId === portId))
    )
  }

  #pools(): readonly PortPool[] {
    return this.#parts.ports.get(this.#name)?.pools ?? []
  }

  async #publish(pools: readonly PortPool[]): Promise<void> {
    const { ports } = this.#parts
    const sorted = pools.toSorted((a, b) => (a.network < b.network ? -1 : 1))
    const value: NodePorts = { node: this.#name, pools: sorted, problems: this.#problems }
    const before = ports.get(this.#name)
    if (pools.length === 0 && this.#problems.length === 0) {
      if (before !== undefined) await ports.remove(this.#name)
    } else if (!isDeepStrictEqual(before, value)) await ports.put(value)
  }

  #memory(network: string): PoolMemory {
    const known = this.#memories.get(network)
    if (known !== undefined) return known
    const memory = new PoolMemory(new Backoff(this.#parts.random ?? Math.random, { first: 1_000, most: 60_000 }))
    this.#memories.set(network, memory)
    return memory
  }
}

function sharedParent(portId: string, other: string, node: string): PortsError {
  return new PortsError(
    'PORTS_SHARED_PARENT',
    `the port ${portId} is that of node ${other}, too, and one of them alone may have it, not ${node}`,
    'give every Node the addresses of its own VM, or name the port by spec.parent of the NeutronNetwork',
    true,
  )
}
