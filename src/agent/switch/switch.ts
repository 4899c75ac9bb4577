/**
 * The bridge over OpenFlow: flow tables, the answers to packets that go nowhere, and what is sent through the tunnel.
 * @module
 */

import type { Action, Flow, Group, Meter } from '../../flow/flow.ts'
import type { NodeContext } from '../../network/context.ts'
import { isOfPolicies, type SwitchDiff } from '../../network/diff.ts'
import { BRIDGE } from '../../network/host.ts'
import { familyOf, type Ip } from '../../network/model/address.ts'
import {
  AGENT_METERS,
  ANSWER_METERS,
  type Answer,
  answerOf,
  isLogged,
  isProbeAnswer,
} from '../../network/pipeline/answers.ts'
import { ETH_IPV4, load, PROTO_UDP } from '../../network/pipeline/build.ts'
import { STAGES, TUNNEL_PORT, ZONES } from '../../network/pipeline/stages.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { MeterDiff } from '../../network/qos/meters.ts'
import type { Backend } from '../../network/service/backends.ts'
import type { CalledAt } from '../../network/service/stale.ts'
import {
  addFlows,
  type ConnectionFilter,
  connectOpenFlow,
  type OpenFlowClient,
  type PacketIn,
  type PacketOut,
  removeFlows,
} from '../../ovs/openflow/index.ts'
import type { InstalledFlow } from '../control/facts.ts'
import type { AgentLog } from '../log.ts'
import { warmingFrame } from '../tunnels/frame.ts'
import type { TunnelSender } from '../tunnels/watch.ts'
import { dumpParts } from './dump-parts.ts'
import type { Confirm, FlowTables } from './forwarding.ts'
import { type IcmpError, icmpAnswer, PORT_UNREACHABLE, tooBig } from './icmp-answer.ts'
import { Shortcuts } from './shortcuts.ts'

/** What the agent is told about the connection. */
export interface SwitchListener {
  connected(): void
  disconnected(): void
  /** MTU of pods in bytes, to be told to senders of oversize packets; undefined while there is no plan. */
  mtu(): number | undefined
  /** Somebody wants to read of this packet, which is dropped. */
  dropped?(packet: PacketIn): void
  /** A frame that answers a probe, or says so. */
  probeAnswered?(frame: Uint8Array): void
}

/** Until the kernel's datapath has gone by the present flows: Open vSwitch's `max-revalidator` is 500 ms. */
const REVALIDATED_MS = 1_000

/** The bridge over OpenFlow. */
export class Switch implements FlowTables, TunnelSender {
  readonly #client: OpenFlowClient
  readonly #log: AgentLog
  readonly #shortcuts: Shortcuts | undefined

  private constructor(client: OpenFlowClient, log: AgentLog, shortcuts: Shortcuts | undefined) {
    this.#client = client
    this.#log = log
    this.#shortcuts = shortcuts
  }

  /** Connects to a bridge; keeps trying until it is there. */
  static async open(
    runDir: string,
    datapath: NodeContext['datapath'],
    listener: SwitchListener,
    log: AgentLog,
    signal: AbortSignal,
    bridge: string = BRIDGE,
  ): Promise<Switch> {
    let opened: Switch | undefined
    const client = await connectOpenFlow({
      path: `${runDir}/${bridge}.mgmt`,
      signal,
      waitForSwitch: true,
      // First fragments show their ports: without this a fragmented tunnel packet of a pod would pass as portless.
      fragments: 'nx-match',
      log: (text) => log.debug({ bridge }, text),
      onConnect: () => listener.connected(),
      onDisconnect: () => listener.disconnected(),
      onPacketIn: (packetIn) => {
        if (isProbeAnswer(packetIn.userdata)) listener.probeAnswered?.(packetIn.packet)
        else if (isLogged(packetIn.userdata)) listener.dropped?.(packetIn)
        else
          opened
            ?.answer(packetIn, listener.mtu())
            .catch((error: unknown) => log.debug({ err: error }, 'no answer sent'))
      },
    })
    opened = new Switch(client, log, datapath === 'netdev' ? new Shortcuts(runDir, log, signal) : undefined)
    return opened
  }

  get connected(): boolean {
    return this.#client.connected
  }

  /** Ends the connection; what the bridge holds stays. */
  close(): void {
    this.#client.close()
  }

  /** Whether the bridge has done all that it was told so far; resolves when it answers. */
  async answers(): Promise<boolean> {
    if (!this.connected) return false
    await this.#client.barrier()
    return true
  }

  /** Makes sure of the meters that flows refer to. One that is right stays: removing it would remove its flows. */
  async ensureMeters(): Promise<void> {
    const present = new Map((await this.#client.dumpMeters()).map((meter) => [meter.id, meter]))
    const mods = AGENT_METERS.flatMap((meter) => {
      const found = present.get(meter.id)
      if (found?.rate === meter.rate && found.unit === meter.unit) return []
      return [{ op: found === undefined ? ('add' as const) : ('modify' as const), meter }]
    })
    if (mods.length > 0) await this.#client.meters(mods)
  }

  /** What the meter of answers to oversize packets has counted. */
  async oversizeSeen(): Promise<{ readonly packets: bigint; readonly bytes: bigint }> {
    const stats = (await this.#client.meterStats()).find(({ id }) => id === ANSWER_METERS.tooBig)
    return { packets: stats?.packets ?? 0n, bytes: stats?.bytes ?? 0n }
  }

  /** In parts, beside which packets go on. What changes between two parts may be missing or stale. */
  async dump(): Promise<readonly InstalledFlow[]> {
    const all: InstalledFlow[] = []
    for (const { table, flows } of await this.#client.tableStats()) {
      for (const part of dumpParts(table, flows)) {
        for (const flow of await this.#client.dumpFlows(part)) all.push(flow)
      }
    }
    return all
  }

  /** Flows whose cookie has these bits. */
  async dumpMatching(value: bigint, mask: bigint): Promise<readonly InstalledFlow[]> {
    return this.#client.dumpFlows({ cookie: value, cookieMask: mask })
  }

  dumpGroups(): Promise<readonly Group[]> {
    return this.#client.dumpGroups()
  }

  dumpMeters(): Promise<readonly Meter[]> {
    return this.#client.dumpMeters()
  }

  async changeMeters({ add, modify, remove }: MeterDiff): Promise<void> {
    await this.#client.meters([
      ...add.map((meter) => ({ op: 'add', meter }) as const),
      ...modify.map((meter) => ({ op: 'modify', meter }) as const),
      ...remove.map((id) => ({ op: 'delete', id }) as const),
    ])
  }

  async apply({ write, remove, groups }: SwitchDiff, confirm: Confirm = 'before'): Promise<void> {
    const flows = [...removeFlows(remove), ...addFlows(write)]
    const mods = [
      ...groups.add.map((group) => ({ op: 'add', group }) as const),
      ...groups.modify.map((group) => ({ op: 'modify', group }) as const),
      ...groups.remove.map((id) => ({ op: 'delete', id }) as const),
    ]
    if (flows.length + mods.length === 0) return
    try {
      await this.#client.bundle({ flows, groups: mods }, { confirm })
    } finally {
      if (write.some(decides) || remove.some(decides)) this.#shortcuts?.outdated()
    }
  }

  /** Resolves when no packet is forwarded by anything older than the flows there are. */
  async settled(): Promise<void> {
    await this.#shortcuts?.forget()
  }

  async forgetUdp(backends: readonly Backend[]): Promise<void> {
    const filters = backends.map(({ address, port }) => ({
      protocol: PROTO_UDP,
      reply: { source: address, sourcePort: port },
    }))
    await this.#forget(filters, 'UDP clients of endpoints that are gone could not be led elsewhere')
  }

  async forgetCalls(services: readonly CalledAt[]): Promise<void> {
    const filters = services.map(({ address, port, protocol }) => ({
      protocol,
      original: { destination: address, destinationPort: port },
    }))
    await this.#forget(filters, 'connections from outside keep the tenant that their service had')
  }

  /**
   * An Open vSwitch before 3.1 cannot; then such connections stay as they are until they end or pause.
   *
   * A packet that is still forwarded by what was worked out from the former flows would bring the connection back as it was:
   * in user space that is thrown away before; the kernel's datapath forgets it within half a second, and the connections are
   * forgotten once more.
   */
  async #forget(filters: readonly ConnectionFilter[], failure: string): Promise<void> {
    if (filters.length === 0) return
    const forget = async (): Promise<void> => {
      try {
        await this.settled()
        for (const filter of filters) await this.#client.ctFlush({ zone: ZONES.service, ...filter })
      } catch (error) {
        this.#log.warn({ err: error }, failure)
      }
    }
    await forget()
    if (this.#shortcuts === undefined) setTimeout(() => this.connected && forget(), REVALIDATED_MS).unref()
  }

  /** Sends a frame to every peer, so that the first real packet finds the neighbour resolved. */
  async warm(planner: NodePlanner): Promise<void> {
    const ends = [...planner.tunnelEnds()].map(({ end }) => end)
    await this.sendThroughTunnel(warmingFrame(), ends)
  }

  async sendThroughTunnel(frame: Uint8Array, ends: readonly Ip[]): Promise<void> {
    const outs = ends.map((end): PacketOut => {
      const actions: Action[] = [
        { op: 'set', field: 'tun_id', value: 0n },
        { op: 'set', field: familyOf(end) === 4 ? 'tun_dst' : 'tun_ipv6_dst', value: end },
        { op: 'output', port: TUNNEL_PORT },
      ]
      return { actions }
    })
    if (outs.length > 0) await this.#client.packetOuts(frame, outs)
  }

  /** Tells the sender of a packet what became of it. */
  async answer({ packet, userdata, metadata }: PacketIn, mtu: number | undefined): Promise<void> {
    const port = metadata.in_port
    const error = errorOf(answerOf(userdata), mtu)
    if (error === undefined || typeof port !== 'number') return
    const answer = icmpAnswer(packet, error)
    if (answer === undefined) return
    await this.#client.packetOut(answer, { actions: [load('destinationPort', port), backThroughServices(packet)] })
  }

  async removeOpaque(flows: readonly InstalledFlow[]): Promise<void> {
    const removals = flows.map(({ flow }) => ({
      op: 'delete' as const,
      filter: { table: flow.table, cookie: flow.cookie },
    }))
    await this.#client.bundle({ flows: removals })
  }
}

/** Whether a row says who may talk to whom: what such a row forbids must end. */
function decides(flow: Flow): boolean {
  return isOfPolicies(flow) || flow.table === STAGES.tenant.table
}

function errorOf(answer: Answer | undefined, mtu: number | undefined): IcmpError | undefined {
  if (answer === 'unreachable') return PORT_UNREACHABLE
  return answer === undefined || mtu === undefined ? undefined : tooBig(mtu)
}

/**
 * The packet may have been on its way to an endpoint that its sender does not know: the answer, and what it quotes, get
 * the service's address. Not so ICMPv6: in user space address translation damages its errors.
 */
function backThroughServices(packet: Uint8Array): Action {
  const table = STAGES.deliver.table
  const isIpv4 = ((packet[12] ?? 0) << 8) + (packet[13] ?? 0) === ETH_IPV4
  return isIpv4 ? { op: 'ct', zone: ZONES.service, nat: {}, table } : { op: 'resubmit', table }
}
