/**
 * What real switches say about connections: their first packets are sent, and looked for at the other end.
 * @module
 */
import type { AgentLog } from '../../src/agent/log.ts'
import type { Cluster } from '../../src/network/model/cluster.ts'
import type { NodeNetwork } from '../../src/network/model/node.ts'
import { NodePlanner } from '../../src/network/planner.ts'
import type { Connection, Party } from '../../src/network/policy/verdict.ts'
import type { Order } from '../tables/policy/telling.ts'
import type { World } from '../tables/policy/world.ts'
import { type Call, Rig } from './rig.ts'
import { type Contents, EMPTY, steer } from './steer.ts'

/** Makes the planner of a node: another one than the agent's when a broken one is tried. */
export type MakePlanner = (context: NodePlanner['context']) => NodePlanner

/** What the switches did. */
export interface Answers {
  /** Whether the first packet of each connection arrived. */
  readonly allowed: readonly boolean[]
  /** What arrived where it should not have. */
  readonly strays: readonly string[]
  /** Calls whose first packet arrived, and which the switches still know. */
  readonly calls: readonly Call[]
}

/** Two nodes that hold one world of policies after the other. */
export class RealSwitches {
  readonly rig: Rig
  #planners: readonly NodePlanner[] = []
  #world: Contents = EMPTY

  private constructor(rig: Rig) {
    this.rig = rig
  }

  /** Starts them. Always `stop()` them. */
  static async start(cluster: Cluster, nodes: readonly NodeNetwork[], log: AgentLog): Promise<RealSwitches> {
    return new RealSwitches(await Rig.start({ cluster, nodes, log }))
  }

  /** Plans from the beginning: what the switches hold of earlier worlds goes with the first that comes. */
  async begin(make: MakePlanner = (context) => new NodePlanner(context)): Promise<void> {
    this.#planners = this.rig.nodes.map((node) => this.rig.plannerOf(node, make))
    this.#world = EMPTY
    await this.rig.follow(this.#planners)
  }

  /** Tells the switches of a world; what they know of connections stays. */
  async become(world: World, order: Order): Promise<void> {
    await this.rig.admit(world.pods)
    for (const planner of this.#planners) steer(planner, this.#world, world, order)
    this.#world = world
    await this.rig.apply()
  }

  /** Resolves when no packet is forwarded by anything older than the flows there are. */
  async settle(): Promise<void> {
    await Promise.all(this.rig.nodes.map((node) => node.settle()))
  }

  /** Asks about connections that nobody knows yet. */
  async ask(connections: readonly Connection[]): Promise<Answers> {
    const calls = this.rig.calls(connections)
    const those = calls.filter(against(calls))
    const these = calls.filter((call) => !those.includes(call))
    const arrived = new Set<Call>()
    const strays: string[] = []
    for (const part of [those, these]) {
      if (part.length === 0) continue
      await this.rig.forget()
      const delivery = await this.rig.ship(part, 'first')
      for (const [i, call] of part.entries()) if (delivery.arrived[i] === true) arrived.add(call)
      strays.push(...delivery.strays)
    }
    return { allowed: calls.map((call) => arrived.has(call)), strays, calls: these.filter((call) => arrived.has(call)) }
  }

  stop(): Promise<void> {
    return this.rig.stop()
  }
}

/**
 * In user space connection tracking knows no ports of SCTP: all of it between two addresses is one connection, whose
 * direction is that of its first packet. So of two directions one is not asked about at the same time.
 */
function against(calls: readonly Call[]): (call: Call) => boolean {
  const ways = new Set(calls.filter(isSctp).map(({ connection }) => wayOf(connection.source, connection.destination)))
  return (call) => {
    const { source, destination } = call.connection
    return isSctp(call) && source.address > destination.address && ways.has(wayOf(destination, source))
  }
}

function isSctp({ connection }: Call): boolean {
  return connection.protocol === 'SCTP'
}

function wayOf(from: Party, to: Party): string {
  return `${from.address} ${to.address}`
}
