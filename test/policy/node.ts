/**
 * A node without an agent: a real Open vSwitch in a namespace of its own, and the plan that is kept in it by the agent's own parts.
 * @module
 */
import type { AgentLog } from '../../src/agent/log.ts'
import { coldInUserspace } from '../../src/agent/node/outer-neighbours.ts'
import { WarmUp } from '../../src/agent/node/warm-up.ts'
import { Forwarding } from '../../src/agent/switch/forwarding.ts'
import { Switch } from '../../src/agent/switch/switch.ts'
import type { Flow } from '../../src/flow/flow.ts'
import { addrAdd, closeFd, linkGet, linkSet, netnsNew, openRtnl, sysctlSet } from '../../src/linux/index.ts'
import type { NodeContext } from '../../src/network/context.ts'
import { tunnelInterface } from '../../src/network/fabric/encapsulation.ts'
import { BRIDGE, TUNNEL } from '../../src/network/host.ts'
import { GATEWAY_PORT, TUNNEL_PORT, ZONES } from '../../src/network/pipeline/stages.ts'
import { NodePlanner } from '../../src/network/planner.ts'
import { addFlows, connectOpenFlow, type OpenFlowClient } from '../../src/ovs/openflow/index.ts'
import { type OvsSandbox, startOvsSandbox } from '../../src/ovs/testing/ovs-sandbox.ts'
import { unixctl } from '../../src/ovs/unixctl.ts'
import { beDeaf, type End, type Wire } from './wire.ts'

/** The node's link to the physical network, and the bridge that holds it. */
export const UPLINK = 'eth0'
const UPLINK_BRIDGE = 'br-phy'

/** A node: its switch, the plan that the switch holds, and the other ends of its ports. */
export class RigNode {
  readonly name: string
  readonly nsFd: number
  readonly context: NodeContext
  /** The other end of the gateway port: where the node's own stack would be. */
  readonly gateway: End
  readonly #ovs: OvsSandbox
  readonly #client: OpenFlowClient
  readonly #switch: Switch
  readonly #forwarding: Forwarding
  readonly #stop: AbortController
  #planner: NodePlanner
  readonly #wire: Wire

  private constructor(parts: Parts) {
    this.name = parts.context.self.node
    this.nsFd = parts.nsFd
    this.context = parts.context
    this.gateway = parts.gateway
    this.#ovs = parts.ovs
    this.#client = parts.client
    this.#switch = parts.switch
    this.#forwarding = parts.forwarding
    this.#stop = parts.stop
    this.#planner = new NodePlanner(parts.context)
    this.#wire = parts.wire
  }

  /** Starts a node; `nsFd` has its uplink already. What the log says is told to people. */
  static async start(context: NodeContext, nsFd: number, wire: Wire, log: AgentLog): Promise<RigNode> {
    const [address] = context.self.addresses
    const { node } = context.self
    const gateway = wire.plug(`${node}-gw`, nsFd)
    const ovs = await startOvsSandbox({ netns: nsFd })
    try {
      await ovs.vsctl(...uplinkCommands(node))
      using rtnl = openRtnl({ nsFd })
      const { index } = linkGet(rtnl, UPLINK_BRIDGE)
      linkSet(rtnl, index, { up: true })
      addrAdd(rtnl, { link: index, address: `${address}/24` })
      await ovs.vsctl(...bridgeCommands(context, `${node}-gw`))
      const stop = new AbortController()
      const listener = { connected: () => undefined, disconnected: () => undefined, mtu: () => context.mtu }
      const [opened, client] = await Promise.all([
        Switch.open(ovs.dir, context.datapath, listener, log, stop.signal),
        connectOpenFlow({ path: ovs.mgmtSocket(BRIDGE), signal: stop.signal }),
      ])
      await opened.ensureMeters()
      const forwarding = new Forwarding(opened)
      return new RigNode({ context, nsFd, gateway, ovs, client, switch: opened, forwarding, stop, wire })
    } catch (error) {
      await ovs.stop()
      throw error
    }
  }

  /** What is to be in the switch. */
  get planner(): NodePlanner {
    return this.#planner
  }

  /** Gives a port to a pod that may come; resolves with its other end. */
  async plug(name: string, ofport: number): Promise<End> {
    const link = `${this.name}-${name}`
    const end = this.#wire.plug(link, this.nsFd)
    await this.#ovs.vsctl(...portCommand(link, ofport))
    return end
  }

  /** From now on this plan rules, whatever was in the switch. */
  async follow(planner: NodePlanner): Promise<void> {
    this.#planner = planner
    this.#forwarding.follow(planner)
    await this.#forwarding.sync()
  }

  /** Sends what changed in the plan; resolves when no packet is forwarded by anything older. */
  async apply(): Promise<void> {
    await this.#forwarding.flush()
    await this.settle()
  }

  /** Flows that are in no plan. The next {@link follow} takes them away. */
  async install(flows: readonly Flow[]): Promise<void> {
    await this.#client.bundle({ flows: addFlows(flows) })
  }

  /** Changes flows behind the plan's back. */
  get client(): OpenFlowClient {
    return this.#client
  }

  /** Resolves when no packet is forwarded by anything older than the flows there are: what the agent has done soon after. */
  async settle(): Promise<void> {
    await this.#switch.settled()
  }

  /** No connection is known any more. */
  async forget(): Promise<void> {
    await this.#client.ctFlush({ zone: ZONES.service })
  }

  /** Resolves when the way to the other nodes is known. */
  async warmUp(): Promise<void> {
    const parts = {
      warm: (planner: NodePlanner) => this.#switch.warm(planner),
      cold: coldInUserspace(this.#ovs.dir),
      signal: this.#stop.signal,
    }
    const warmUp = new WarmUp(parts)
    await warmUp.run(this.#planner)
    if (warmUp.cold.length > 0) throw new Error(`${this.name} does not find ${warmUp.cold.join(', ')}`)
  }

  /** What the switch would do with a packet: `ofproto/trace`. */
  trace(question: string): Promise<string> {
    return unixctl(this.#ovs.vswitchdCtl, 'ofproto/trace', [BRIDGE, question])
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#client.close()
    await this.#ovs.stop()
    closeFd(this.nsFd)
  }
}

interface Parts {
  readonly context: NodeContext
  readonly nsFd: number
  readonly gateway: End
  readonly ovs: OvsSandbox
  readonly client: OpenFlowClient
  readonly switch: Switch
  readonly forwarding: Forwarding
  readonly stop: AbortController
  readonly wire: Wire
}

/** A namespace for a node, whose own stack hears what its switch hears on the uplink, and says nothing to it. */
export function nodeNamespace(): number {
  const nsFd = netnsNew()
  beDeaf(nsFd)
  sysctlSet(['net', 'ipv4', 'conf', 'all', 'arp_ignore'], 1, nsFd)
  return nsFd
}

/** The bridge's own MAC address: with the uplink's the node's stack would take for its own what the switch does. */
function uplinkCommands(node: string): readonly string[] {
  const mac = `02:57:00:00:00:${node.replace(/\D/g, '').padStart(2, '0')}`
  return [
    ...['add-br', UPLINK_BRIDGE, '--', 'set', 'Bridge', UPLINK_BRIDGE, 'datapath_type=netdev', 'fail_mode=standalone'],
    ...[`other_config:hwaddr=${mac}`, '--', 'add-port', UPLINK_BRIDGE, UPLINK],
  ]
}

function bridgeCommands({ cluster }: NodeContext, gateway: string): readonly string[] {
  const { type, options } = tunnelInterface(cluster.encapsulation, cluster.underlay)
  const settings = Object.entries(options).map(([key, value]) => `options:${key}=${value}`)
  return [
    ...['add-br', BRIDGE, '--', 'set', 'Bridge', BRIDGE, 'datapath_type=netdev', 'fail_mode=secure'],
    ...['--', ...portCommand(gateway, GATEWAY_PORT)],
    ...['--', 'add-port', BRIDGE, TUNNEL, '--', 'set', 'Interface', TUNNEL, `type=${type}`, ...settings],
    `ofport_request=${TUNNEL_PORT}`,
  ]
}

function portCommand(name: string, ofport: number): readonly string[] {
  return ['add-port', BRIDGE, name, '--', 'set', 'Interface', name, `ofport_request=${ofport}`]
}
