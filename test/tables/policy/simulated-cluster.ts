/**
 * Two nodes whose plans are kept event by event, and whose switches are simulated: packets of connections are followed
 * from the port they come in by, through the tunnel, to where they go, and so are their answers.
 */
import { type NodeContext, nodeContext, tunnelAddress } from '../../../src/network/context.ts'
import type { Cluster } from '../../../src/network/model/cluster.ts'
import type { NodeNetwork } from '../../../src/network/model/node.ts'
import { parseCookie } from '../../../src/network/pipeline/cookie.ts'
import { type DropName, dropByCode } from '../../../src/network/pipeline/drops.ts'
import { GATEWAY_PORT, TUNNEL_PORT } from '../../../src/network/pipeline/stages.ts'
import { NodePlanner } from '../../../src/network/planner.ts'
import type { Connection, Party } from '../../../src/network/policy/verdict.ts'
import {
  Connections,
  compileSwitch,
  type Output,
  type Packet,
  packetOf,
  type Switch,
  simulate,
} from '../../../src/network/simulate/simulate.ts'
import { SAMPLE_CLUSTER } from '../sample-node.ts'
import { textOf } from './connections.ts'
import type { Engine } from './engine.ts'
import { endpointOf, fromPod, fromStack, ipFields, type Part } from './packets.ts'
import { type Order, stepsTo, tell } from './telling.ts'
import { after, type Step, type World } from './world.ts'

/** Policies alone decide here: every namespace is everybody's. */
export const POLICY_CLUSTER: Cluster = { ...SAMPLE_CLUSTER, tenancy: 'subnet' }
const MTU = 1450

/** What became of a packet. */
export type Outcome =
  | { readonly kind: 'arrived' }
  | { readonly kind: 'dropped'; readonly drop: DropName; readonly cookie: bigint }
  /** `why` is for people who look for a defect. */
  | { readonly kind: 'lost'; readonly why: string }

/** A conversation: what the switches know of it stays between its packets. */
export interface Call {
  readonly connection: Connection
  readonly known: ReadonlyMap<string, Connections>
}

interface Node {
  readonly context: NodeContext
  readonly planner: NodePlanner
  compiled: Switch | undefined
}

/** A port of a node's switch. */
interface Place {
  readonly node: string
  readonly port: Output['port']
}

/** The pipeline of two nodes as one of the engines. `make` makes their planners: another one where a broken one is tried. */
export class SimulatedCluster implements Engine {
  readonly name = 'simulated pipeline'
  readonly #make: (context: NodeContext) => NodePlanner
  #nodes: ReadonlyMap<string, Node> = new Map()
  #world: World | undefined

  constructor(make = (context: NodeContext): NodePlanner => new NodePlanner(context)) {
    this.#make = make
  }

  start(world: World, order?: Order): void {
    this.#world = { ...world, policies: [], namespaces: [], pods: [], names: new Map(), sets: [] }
    this.#nodes = new Map(world.nodes.map((self) => [self.node, this.#nodeOf(self)]))
    for (const { planner } of this.#nodes.values()) for (const peer of world.nodes) planner.putPeer(peer)
    for (const step of stepsTo(world, order)) this.apply(step)
  }

  apply(step: Step): void {
    const world = this.#world
    if (world === undefined) throw new Error('there is no world yet')
    for (const node of this.#nodes.values()) {
      tell(node.planner, step, world.pods)
      node.compiled = undefined
    }
    this.#world = after(world, step)
  }

  verdicts(connections: readonly Connection[]): readonly boolean[] {
    return connections.map((connection) => {
      const call = this.call(connection)
      const outcome = this.send(call, 'question')
      if (outcome.kind === 'lost') throw new Error(`${textOf(connection)}: ${outcome.why}`)
      if (outcome.kind === 'dropped') return false
      const answer = this.send(call, 'answer')
      if (answer.kind === 'arrived') return true
      throw new Error(`${textOf(connection)}: its answer ${answer.kind === 'lost' ? answer.why : answer.drop}`)
    })
  }

  /** The plans, by node. */
  get planners(): ReadonlyMap<string, NodePlanner> {
    return new Map([...this.#nodes].map(([name, { planner }]) => [name, planner]))
  }

  /** A conversation that no switch knows yet. */
  call(connection: Connection): Call {
    const known = [...this.#nodes.keys()].map((node) => [node, new Connections({ sctp: true })] as const)
    return { connection, known: new Map(known) }
  }

  /** Sends one packet of a conversation. */
  send({ connection, known }: Call, part: Part): Outcome {
    const [caller, called] = [this.#callerAt(connection), this.#calledAt(connection)]
    const [from, to] = part === 'question' ? [caller, called] : [called, caller]
    const sender = part === 'question' ? connection.source : connection.destination
    const { routerMac } = this.#node(from.node).context
    const link = sender.type === 'pod' ? fromPod(sender.pod, routerMac) : fromStack(routerMac)
    let at = from.node
    let packet = packetOf({ ...link, ...ipFields(connection, part) })
    for (let hops = 0; hops < this.#nodes.size; hops += 1) {
      const exit = this.#pass(at, packet, known.get(at) ?? new Connections())
      if ('kind' in exit) return exit
      if (exit.port !== TUNNEL_PORT) return arrival({ node: at, port: exit.port }, to)
      const far = this.#farEnd(at, exit.packet)
      if (far === undefined) return { kind: 'lost', why: `leaves ${at} through the tunnel for nobody` }
      packet = this.#afterTunnel(at, far, exit.packet)
      at = far
    }
    return { kind: 'lost', why: 'goes from node to node in circles' }
  }

  /** A packet's way through one switch: where it leaves, or how it ends. */
  #pass(at: string, packet: Packet, connections: Connections): Exclude<Outcome, { kind: 'arrived' }> | Output {
    const { steps, outputs } = simulate(this.#switchOf(at), packet, { connections })
    // What is dropped and logged goes to the agent, too.
    const [output, ...others] = outputs.filter(({ port }) => port !== 'controller')
    if (others.length > 0) return { kind: 'lost', why: `leaves ${at} ${outputs.length} times` }
    if (output !== undefined) return output
    const last = steps.at(-1)
    const cookie = last?.flow?.cookie ?? 0n
    const drop = dropByCode(parseCookie(cookie)?.dropCode ?? 0)
    return drop === undefined
      ? { kind: 'lost', why: `ends in table ${last?.table} of ${at}` }
      : { kind: 'dropped', drop, cookie }
  }

  #nodeOf(self: NodeNetwork): Node {
    const context = nodeContext(POLICY_CLUSTER, self, MTU)
    if (context === undefined) throw new Error(`${self.node} has no range`)
    return { context, planner: this.#make(context), compiled: undefined }
  }

  #switchOf(name: string): Switch {
    const node = this.#node(name)
    node.compiled ??= compileSwitch(node.planner.flows(), node.planner.groups())
    return node.compiled
  }

  #node(name: string): Node {
    const node = this.#nodes.get(name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }

  /** Somebody outside comes by way of the node of the pod that is called. */
  #callerAt({ source, destination }: Connection): Place {
    if (source.type === 'pod') return placeOf(source)
    return { node: source.type === 'node' ? source.node : homeOf(destination), port: GATEWAY_PORT }
  }

  /** A node's address in the overlay is there; every other address is outside, by way of the caller's node. */
  #calledAt({ source, destination }: Connection): Place {
    if (destination.type === 'pod') return placeOf(destination)
    const gateway = [...this.#nodes.values()].find(({ context }) =>
      context.ranges.some((range) => range.gateway === destination.address),
    )
    return { node: gateway?.context.self.node ?? homeOf(source), port: GATEWAY_PORT }
  }

  #farEnd(from: string, packet: Packet): string | undefined {
    const remote = packet.get('tun_dst')
    return [...this.#nodes.keys()].find((name) => name !== from && this.#tunnelEnd(name) === remote)
  }

  #afterTunnel(from: string, to: string, packet: Packet): Packet {
    const inside = [...packet].filter(([field]) => !/^(reg|tun_|ct_)/.test(field))
    return new Map([
      ...inside,
      ['in_port', BigInt(TUNNEL_PORT)],
      ['tun_src', this.#tunnelEnd(from) ?? 0n],
      ['tun_dst', this.#tunnelEnd(to) ?? 0n],
      ['tun_id', packet.get('tun_id') ?? 0n],
    ])
  }

  #tunnelEnd(name: string): bigint | undefined {
    const address = tunnelAddress(POLICY_CLUSTER, this.#node(name).context.self)
    return address === undefined ? undefined : packetOf({ tun_src: address }).get('tun_src')
  }
}

function arrival(at: Place, expected: Place): Outcome {
  if (at.node === expected.node && at.port === expected.port) return { kind: 'arrived' }
  return {
    kind: 'lost',
    why: `leaves ${at.node} by port ${at.port} instead of ${expected.node} by ${expected.port}`,
  }
}

function placeOf({ pod }: Extract<Party, { type: 'pod' }>): Place {
  return { node: pod.node, port: endpointOf(pod).ofport }
}

/** The node that a party's packets meet first. */
function homeOf(party: Party): string {
  if (party.type === 'outside') throw new Error('one end of a connection has to be in the cluster')
  return party.type === 'pod' ? party.pod.node : party.node
}
