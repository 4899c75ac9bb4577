/**
 * Bridges of ours on the physical network, over OpenFlow: each has the flows that guard its pods and hold them to the
 * node's policies. Bridges of others are left as they are.
 * @module
 */

import type { Fragment } from '../../network/fragments/fragment.ts'
import { WIRE_OWNER } from '../../network/host.ts'
import type { Endpoint } from '../../network/model/endpoint.ts'
import type { NodePlanner } from '../../network/planner.ts'
import { WirePlan } from '../../network/wire/plan.ts'
import type { PacketIn } from '../../ovs/openflow/index.ts'
import type { InstalledFlow } from '../control/facts.ts'
import type { AgentLog } from '../log.ts'
import type { AgentOptions } from '../options.ts'
import type { Problems } from '../problems.ts'
import { Forwarding } from './forwarding.ts'
import { Switch } from './switch.ts'

/** A bridge as Open vSwitch's database has it. */
export interface WireBridge {
  readonly name: string
  readonly datapath: 'system' | 'netdev'
  readonly externalIds: ReadonlyMap<string, string>
}

/** A pod's port on a bridge. */
export interface WirePort {
  readonly bridge: string
  readonly endpoint: Endpoint
}

/** What wires look at. */
export interface WireParts {
  readonly options: Pick<AgentOptions, 'ovsRunDir'>
  readonly log: AgentLog
  readonly problems: Pick<Problems, 'failed' | 'solved'>
  readonly signal: AbortSignal
  planner(): NodePlanner | undefined
  bridges(): readonly WireBridge[]
  /** Pods' ports on bridges of the physical network, as they are recorded. */
  ports(): readonly WirePort[]
  /** A packet that a policy drops which asks for it to be logged. */
  dropped?(packet: PacketIn): void
  /** Sends what changed in the node's plan now. */
  flush(): Promise<void>
}

/** A bridge of ours: its part of the plan, and what it has. */
export interface WireTables {
  readonly bridge: string
  readonly fragments: readonly Fragment[]
  readonly installed: readonly InstalledFlow[]
}

/** One bridge under way. */
interface Wire {
  readonly plan: WirePlan
  readonly bridge: Switch
  readonly forwarding: Forwarding
  readonly unfollow: () => void
}

/** The bridges of ours on the physical network. */
export class Wires {
  readonly #parts: WireParts
  readonly #wires = new Map<string, Wire>()
  readonly #opening = new Map<string, Promise<Wire>>()
  /** Whom the node's plan was told of, with their bridge. */
  readonly #endpoints = new Map<string, WirePort>()

  constructor(parts: WireParts) {
    this.#parts = parts
  }

  /** Whether pods on this bridge are guarded. */
  isOurs(bridge: string): boolean {
    return this.#parts.bridges().some((one) => one.name === bridge && isOurs(one))
  }

  /** A pod has a port with these addresses: resolves when the bridge guards it. Nothing is done on others' bridges. */
  async put(port: WirePort): Promise<void> {
    if (!this.isOurs(port.bridge)) return
    const wire = await this.#wireOf(port.bridge)
    // The node's plan first, so that the rows of the pod's policies are there before it is heard.
    this.#enter(port)
    await this.#parts.flush()
    wire.plan.putEndpoint(port.endpoint)
    await wire.forwarding.flush()
  }

  /** A pod's port is gone, or about to go. */
  remove(id: string): void {
    const port = this.#endpoints.get(id)
    if (port === undefined) return
    this.#endpoints.delete(id)
    this.#parts.planner()?.removeWireEndpoint(id)
    const wire = this.#wires.get(port.bridge)
    wire?.plan.removeEndpoint(id)
    wire?.forwarding.flush().catch((error: unknown) => this.#failed(error))
  }

  /** Every bridge of ours with what it has; one that does not answer has nothing. */
  async tables(): Promise<readonly WireTables[]> {
    const titles = new Map([...(this.#parts.planner()?.fragments() ?? [])].map(({ key, title }) => [key, title]))
    return Promise.all(
      [...this.#wires].map(async ([name, { bridge, plan, forwarding }]) => {
        // The switch first: what changes while it answers is newer in the plan, and shows as a difference next time only.
        if (bridge.connected) await forwarding.flush().catch(() => undefined)
        const installed = bridge.connected ? await bridge.dump() : []
        const fragments = [...plan.fragments()].map((one) => ({
          ...one,
          title: one.title === one.key ? (titles.get(one.key) ?? one.title) : one.title,
        }))
        return { bridge: name, fragments, installed }
      }),
    )
  }

  /** Flows whose cookie has these bits, of every bridge of ours that answers. */
  async matching(value: bigint, mask: bigint): Promise<readonly Omit<WireTables, 'fragments'>[]> {
    const answering = [...this.#wires].filter(([, { bridge }]) => bridge.connected)
    return Promise.all(
      answering.map(async ([name, { bridge }]) => ({
        bridge: name,
        installed: await bridge.dumpMatching(value, mask),
      })),
    )
  }

  /** Whether a bridge's flows know this port of a pod. */
  guards({ bridge, endpoint }: WirePort): boolean {
    const entered = this.#endpoints.get(endpoint.id)
    return entered?.bridge === bridge && entered.endpoint.ofport === endpoint.ofport && this.#wires.has(bridge)
  }

  /** Ports that are recorded otherwise than they were: what they are held to has changed. */
  refresh(): void {
    for (const port of this.#parts.ports()) {
      const before = this.#endpoints.get(port.endpoint.id)
      if (before === undefined || Bun.deepEquals(before, port)) continue
      this.put(port).catch((error: unknown) => this.#failed(error))
    }
  }

  /** Looks at the bridges and ports that are there: at the start, when they change, and from time to time. */
  async look(): Promise<void> {
    const planner = this.#parts.planner()
    if (planner === undefined) return
    const ours = this.#parts.bridges().filter(isOurs)
    const names = new Set(ours.map(({ name }) => name))
    for (const [name, wire] of this.#wires) if (!names.has(name)) this.#forget(name, wire)
    const ports = this.#parts.ports().filter(({ bridge }) => names.has(bridge))
    const wanted = new Set(ports.map(({ endpoint }) => endpoint.id))
    for (const id of [...this.#endpoints.keys()]) if (!wanted.has(id)) this.remove(id)
    for (const port of ports) this.#enter(port)
    for (const { name } of ours) await this.#sync(name, planner, ports)
    this.#parts.problems.solved('wires')
  }

  /** Compares a bridge as a whole with its plan. */
  async #sync(name: string, planner: NodePlanner, ports: readonly WirePort[]): Promise<void> {
    const { plan, forwarding, bridge } = await this.#wireOf(name)
    plan.setContext(planner.context)
    for (const port of ports) if (port.bridge === name) plan.putEndpoint(port.endpoint)
    await bridge.ensureMeters()
    await forwarding.sync()
  }

  #enter(port: WirePort): void {
    const { id } = port.endpoint
    if (Bun.deepEquals(this.#endpoints.get(id), port)) return
    this.#endpoints.set(id, port)
    this.#parts.planner()?.removeWireEndpoint(id)
    this.#parts.planner()?.putWireEndpoint(port.endpoint)
  }

  #wireOf(name: string): Promise<Wire> {
    const wire = this.#wires.get(name)
    if (wire !== undefined) return Promise.resolve(wire)
    const opening = this.#opening.get(name) ?? this.#open(name).finally(() => this.#opening.delete(name))
    this.#opening.set(name, opening)
    return opening
  }

  async #open(name: string): Promise<Wire> {
    const { options, log, signal } = this.#parts
    const planner = this.#parts.planner()
    const datapath = this.#parts.bridges().find((one) => one.name === name)?.datapath
    if (planner === undefined || datapath === undefined) throw new Error(`bridge ${name} has no plan yet`)
    const again = (): void => void this.look().catch((error: unknown) => this.#failed(error))
    const listener = {
      connected: () => again(),
      disconnected: () => this.#wires.get(name)?.forwarding.lost(),
      mtu: () => undefined,
      dropped: (packet: PacketIn) => this.#parts.dropped?.(packet),
    }
    const bridge = await Switch.open(options.ovsRunDir, datapath, listener, log, signal, name)
    const forwarding: Forwarding = new Forwarding(bridge, () => bridge.connected && again())
    const plan: WirePlan = new WirePlan(planner.context, () => {
      if (forwarding.synced) forwarding.flush().catch((error: unknown) => this.#failed(error))
    })
    const unfollow = planner.mirror(plan)
    forwarding.follow(plan)
    const wire = { plan, bridge, forwarding, unfollow }
    this.#wires.set(name, wire)
    await bridge.ensureMeters()
    await forwarding.sync()
    return wire
  }

  /** The bridge is gone, or nobody's any more; what was ours on it is not looked after. */
  #forget(name: string, { unfollow, bridge }: Wire): void {
    unfollow()
    bridge.close()
    this.#wires.delete(name)
  }

  #failed(error: unknown): void {
    this.#parts.problems.failed('wires', error)
  }
}

function isOurs({ externalIds }: WireBridge): boolean {
  return externalIds.get(WIRE_OWNER.key) === WIRE_OWNER.value
}
