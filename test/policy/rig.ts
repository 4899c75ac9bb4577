/**
 * Two nodes with real switches and a real tunnel between them, and pods that are nothing but the other ends of ports: what
 * policies say is tried here with packets.
 * @module
 */
import type { AgentLog } from '../../src/agent/log.ts'
import { closeFd, disableOffloads, linkAdd, linkGet, linkSet, netnsNew, openRtnl } from '../../src/linux/index.ts'
import { type NodeContext, nodeContext } from '../../src/network/context.ts'
import { NEXT_HOP_MAC } from '../../src/network/host.ts'
import type { Cluster } from '../../src/network/model/cluster.ts'
import type { NodeNetwork } from '../../src/network/model/node.ts'
import type { Pod } from '../../src/network/model/pod.ts'
import type { NodePlanner } from '../../src/network/planner.ts'
import type { Connection, Party } from '../../src/network/policy/verdict.ts'
import { endpointOf } from '../tables/policy/packets.ts'
import { markerFlows } from './markers.ts'
import { nodeNamespace, RigNode, UPLINK } from './node.ts'
import type { Hop, Part } from './probe.ts'
import { type Delivery, Numbers, type Shipment, Shipping } from './shipping.ts'
import { type End, Wire } from './wire.ts'

const MTU = 1450

/** What a rig is made for. */
export interface RigShape {
  readonly cluster: Cluster
  /** Two. */
  readonly nodes: readonly NodeNetwork[]
  readonly log: AgentLog
}

/** Where a party's packets go in and come out. */
interface Place {
  readonly end: End
  readonly hop: Hop
}

/** A connection under way: its first packet has a number. */
export interface Call {
  readonly connection: Connection
  readonly number: number
}

/** Two nodes, ready for plans. */
export class Rig {
  readonly nodes: readonly RigNode[]
  readonly #wire: Wire
  readonly #worldFd: number
  /** By node and port. */
  readonly #ends = new Map<string, End>()
  readonly #shipping: Shipping
  readonly #numbers = new Numbers()
  readonly #podPlaces = new WeakMap<Pod, Place>()

  private constructor(worldFd: number, wire: Wire, nodes: readonly RigNode[]) {
    this.#worldFd = worldFd
    this.#wire = wire
    this.nodes = nodes
    const gateways = nodes.map(({ gateway }) => gateway)
    this.#shipping = new Shipping(
      wire,
      gateways.map((from, i) => ({ from, to: gateways[1 - i] ?? from })),
    )
  }

  /** Starts both nodes. Always `stop()` it; should that not happen, nothing outlives the program but two folders. */
  static async start({ cluster, nodes, log }: RigShape): Promise<Rig> {
    const worldFd = netnsNew()
    const spaces = nodes.map(() => nodeNamespace())
    const wire = new Wire(worldFd)
    connectUplinks(spaces)
    const started = await Promise.all(
      nodes.map((self, i) => RigNode.start(contextOf(cluster, self), spaces[i] ?? -1, wire, log)),
    )
    return new Rig(worldFd, wire, started)
  }

  /** Has ports for these pods from now on: by their addresses, whoever has those. */
  async admit(pods: readonly Pod[]): Promise<void> {
    for (const pod of pods) {
      if (this.#ends.has(portOf(pod))) continue
      this.#ends.set(
        portOf(pod),
        await this.#node(pod.node).plug(`pod${endpointOf(pod).ofport}`, endpointOf(pod).ofport),
      )
    }
  }

  /** A planner for a node that has seen the other one and nothing else. */
  plannerOf(node: RigNode, make: (context: NodeContext) => NodePlanner): NodePlanner {
    const planner = make(node.context)
    for (const { context } of this.nodes) planner.putPeer(context.self)
    return planner
  }

  /** From now on these plans rule, one for each node. */
  async follow(planners: readonly NodePlanner[]): Promise<void> {
    await Promise.all(
      this.nodes.map(async (node, i) => {
        const [planner, other] = [planners[i], this.nodes[1 - i]]
        if (planner === undefined || other === undefined) throw new Error('a plan for each node')
        await node.follow(planner)
        const [end] = other.context.self.addresses
        if (end !== undefined) await node.install(markerFlows(end))
        await node.settle()
      }),
    )
    await Promise.all(this.nodes.map((node) => node.warmUp()))
  }

  /** Sends what changed in the plans; resolves when both switches go by them. */
  async apply(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.apply()))
  }

  /** No switch knows any connection. */
  async forget(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.forget()))
  }

  /** Connections with numbers of their own. */
  calls(connections: readonly Connection[]): readonly Call[] {
    return connections.map((connection) => ({ connection, number: this.#numbers.take() }))
  }

  /** Sends one packet of each of these and tells which arrived. */
  ship(calls: readonly Call[], part: Part): Promise<Delivery> {
    return this.#shipping.ship(calls.map((call) => this.#shipmentOf(call, part)))
  }

  /** Ends both nodes and all links. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
    this.#wire.close()
    closeFd(this.#worldFd)
  }

  #shipmentOf({ connection, number }: Call, part: Part): Shipment {
    const { source, destination, protocol, port } = connection
    const [caller, called] = [this.#callerAt(source, destination), this.#calledAt(source, destination)]
    const [from, to] = part === 'answer' ? [called, caller] : [caller, called]
    const probe = { source: source.address, destination: destination.address, protocol, port, number }
    return { probe, part, hop: from.hop, from: from.end, to: to.end }
  }

  /** Somebody outside is heard at the node of the pod that is called: only there may a node lead anybody to it. */
  #callerAt(source: Party, destination: Party): Place {
    if (source.type === 'pod') return this.#podAt(source.pod)
    if (source.type === 'node') return this.#gatewayAt(source.node)
    return this.#gatewayAt(nodeOf(destination))
  }

  /** A node is called at its own gateway by its address in the overlay; by another one it is outside. */
  #calledAt(source: Party, destination: Party): Place {
    if (destination.type === 'pod') return this.#podAt(destination.pod)
    const at = this.nodes.find(({ context }) => context.ranges.some(({ gateway }) => gateway === destination.address))
    return this.#gatewayAt(at?.name ?? nodeOf(source))
  }

  #podAt(pod: Pod): Place {
    const known = this.#podPlaces.get(pod)
    if (known !== undefined) return known
    const end = this.#ends.get(portOf(pod))
    if (end === undefined) throw new Error(`pod ${pod.namespace}/${pod.name} has no port`)
    const place = { end, hop: { from: endpointOf(pod).mac, to: this.#node(pod.node).context.routerMac } }
    this.#podPlaces.set(pod, place)
    return place
  }

  #gatewayAt(name: string): Place {
    const { gateway, context } = this.#node(name)
    return { end: gateway, hop: { from: context.routerMac, to: NEXT_HOP_MAC } }
  }

  #node(name: string): RigNode {
    const node = this.nodes.find((one) => one.name === name)
    if (node === undefined) throw new Error(`there is no node ${name}`)
    return node
  }
}

/** The node that a party's packets come from. */
function nodeOf(party: Party): string {
  if (party.type === 'outside') throw new Error('one end of a connection has to be in the cluster')
  return party.type === 'pod' ? party.pod.node : party.node
}

function portOf(pod: Pod): string {
  return `${pod.node}/${endpointOf(pod).ofport}`
}

function contextOf(cluster: Cluster, self: NodeNetwork): NodeContext {
  const context = nodeContext(cluster, self, MTU)
  if (context === undefined) throw new Error(`${self.node} has no range`)
  return context
}

/** The physical network is one cable. */
function connectUplinks([a, b]: readonly number[]): void {
  if (a === undefined || b === undefined) throw new Error('a rig has two nodes')
  using rtnl = openRtnl({ nsFd: a })
  linkAdd(rtnl, { kind: 'veth', name: UPLINK, up: true, peer: { name: UPLINK, nsFd: b } })
  using other = openRtnl({ nsFd: b })
  linkSet(other, linkGet(other, UPLINK).index, { up: true })
  for (const nsFd of [a, b]) disableOffloads(UPLINK, nsFd)
}
