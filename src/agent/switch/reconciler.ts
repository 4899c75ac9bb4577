/**
 * Makes Open vSwitch and the node's stack what the plan says: as a whole at the start, when the plan's foundation
 * changes, when OVS comes back and from time to time; fragment by fragment in between.
 * @module
 */
import { type HostPlan, hostPlan } from '../../network/host.ts'
import type { IpRange } from '../../network/model/ip-range.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { PacketIn } from '../../ovs/openflow/index.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Attachments } from '../attach/attachments.ts'
import type { EndpointLinks } from '../attach/endpoint-links.ts'
import { syncEndpoints } from '../attach/endpoints.ts'
import type { AddressPools } from '../attach/pools.ts'
import type { Ports } from '../attach/ports.ts'
import { restorePorts } from '../attach/restore-ports.ts'
import { reportStatus } from '../cluster/node-status.ts'
import type { ClusterView } from '../cluster/view.ts'
import { AgentError } from '../errors.ts'
import type { AgentLog } from '../log.ts'
import { admitPods } from '../node/foreign-filters.ts'
import { applyHost } from '../node/host.ts'
import { HostStack } from '../node/host-stack.ts'
import type { ColdEnds } from '../node/outer-neighbours.ts'
import { WarmUp } from '../node/warm-up.ts'
import type { AgentOptions } from '../options.ts'
import type { Part, Problems } from '../problems.ts'
import { Repeater } from '../repeater.ts'
import { Forwarding } from './forwarding.ts'
import { Switch } from './switch.ts'

/** What a reconciler works on. */
export interface ReconcilerParts {
  readonly options: AgentOptions
  readonly registry: Registry
  readonly ports: Ports
  readonly links: EndpointLinks
  readonly pools: AddressPools
  readonly problems: Problems
  readonly log: AgentLog
  readonly signal: AbortSignal
  view(): ClusterView
  uplinkMtu(): number
  readonly coldEnds: ColdEnds
  /** A packet that a policy drops which asks for it to be logged. */
  dropped(packet: PacketIn): void
  /** A frame that answers a probe, or says so. */
  probeAnswered(frame: Uint8Array): void
  /** Where an administrator leads guests of the overlay; the same list as long as it says the same. */
  hijacked(): Promise<readonly IpRange[]>
  /** Tells the plan what the kernel knows of the ways to other machines. */
  lookAtWays(): void
  /** The node's own stack is as planned. Called again and again. */
  stackApplied(): void
  /** Pods can be attached, and reach others. Called again and again. */
  ready(): Promise<void>
  /** Those with an operation under way: hands off. */
  attachments(): Pick<Attachments, 'busy' | 'isBusyLink' | 'whenIdle' | 'heldAddresses'>
}

/** Keeps the node as planned. */
export class Reconciler {
  readonly #parts: ReconcilerParts
  readonly #whole: Repeater
  readonly #changes: Repeater
  readonly #status: Repeater
  readonly #stack: HostStack
  #forwarding: Forwarding | undefined
  #switch: Switch | undefined
  #warmUp: WarmUp | undefined

  constructor(parts: ReconcilerParts) {
    this.#parts = parts
    this.#stack = new HostStack(applyHost, () => parts.hijacked())
    this.#whole = this.#repeater('plan', () => this.#applyWhole())
    this.#changes = this.#repeater('flows', () => this.#applyChanges())
    this.#status = this.#repeater('status', () => this.#reportStatus())
    parts.pools.onNeed(() => this.#status.request())
  }

  /** The bridge's connection, once there is one. */
  get switch(): Switch | undefined {
    return this.#switch
  }

  get fullSyncs(): number {
    return this.#forwarding?.fullSyncs ?? 0
  }

  /** Asks for everything to be compared and applied. */
  requestWhole(): void {
    this.#whole.request()
  }

  /** Compares and applies everything now; rejects with what went wrong. */
  applyNow(): Promise<void> {
    return this.#whole.runNow()
  }

  /** Asks for the changed fragments to be applied. */
  requestChanges(): void {
    this.#changes.request()
  }

  /** OVSDB changed: the bridge may be gone, a port removed or renumbered by somebody else. */
  lookAtPorts(): void {
    const { ports, attachments } = this.#parts
    const planner = this.#parts.view().planner
    if (planner === undefined) return
    if (ports.lacksBridge() || ports.lost().length > 0) this.requestWhole()
    else if (syncEndpoints(planner, ports, attachments().busy)) this.requestChanges()
  }

  /** Ranges of the node close, or are opened again: of those that close nothing is given from now on. */
  closingChanged(): void {
    this.#parts.pools.setClosing(this.#parts.view().self?.closing ?? [])
    this.#status.request()
  }

  /** Sends what changed in the plan now; resolves when the switch has it. */
  flush(options?: Parameters<Forwarding['flush']>[0]): Promise<void> {
    if (this.#forwarding !== undefined) return this.#forwarding.flush(options)
    return Promise.reject(new AgentError('AGENT_NOT_READY', 'the bridge has not been set up yet', 'see weft status'))
  }

  /** Lets the cluster know that an external host lives; a node's own machine does that for it. */
  beat(): void {
    if (this.#parts.view().self?.machine.kind === 'external') this.#status.request()
  }

  /** The bridge, where it holds the plan. */
  get tunnelSender(): Switch | undefined {
    return this.#switch?.connected === true && this.#forwarding?.synced === true ? this.#switch : undefined
  }

  /** What is missing before pods can be attached, for people. */
  waitingFor(): readonly string[] {
    const { ports, problems } = this.#parts
    const fromView = this.#parts.view().waitingFor()
    if (!ports.connected) return ['Open vSwitch (ovsdb-server does not answer)', ...fromView]
    // Without the node's own rules a pod's frames would reach its stack past the switch.
    const ready = this.#stack.applied && this.#forwarding?.synced === true
    if (fromView.length > 0 || ready) return fromView
    const problem = problems.of('plan')
    return [problem === undefined ? 'the flow tables to be written' : `the node's plan to be applied: ${problem}`]
  }

  /** What is missing before this node should be given pods, for people: those that come may be attached earlier. */
  notReadyFor(): readonly string[] {
    const waitingFor = this.waitingFor()
    if (waitingFor.length > 0 || this.#warmUp?.isOver === true) return waitingFor
    const cold = this.#warmUp?.cold.join(', ') ?? ''
    return [`the way to other machines${cold === '' ? '' : `: no answer from ${cold} yet`}`]
  }

  async #applyWhole(): Promise<void> {
    const { ports, pools, links, log, signal, problems } = this.#parts
    const attachments = this.#parts.attachments()
    const planner = this.#parts.view().planner
    if (planner === undefined) return
    await ports.ensureBridge(hostPlan(planner.context, planner.publication()).bridge, signal)
    await restorePorts({ ports, links, attachments, log, signal })
    const bridge = await this.#openSwitch()
    const lost = ports.lost().flatMap(({ endpoint }) => endpoint.addresses)
    const { self = planner.context.self } = this.#parts.view()
    pools.setRanges({ ...planner.context, self }, [
      ...ports.recordedAddresses(),
      ...lost,
      ...attachments.heldAddresses(),
    ])
    syncEndpoints(planner, ports, attachments.busy)
    this.#forwarding ??= new Forwarding(bridge, () => {
      // A switch that is away asks for it when it is back.
      if (bridge.connected) this.requestWhole()
    })
    this.#forwarding.follow(planner)
    await bridge.ensureMeters()
    // After a start the switch forwards as it was told before, and no packet is lost when the ways that it uses are there first.
    const isStart = !this.#stack.applied
    this.#parts.lookAtWays()
    let plan = isStart ? await this.#applyStack(planner) : undefined
    await this.#forwarding.sync()
    plan ??= await this.#applyStack(planner)
    this.#parts.stackApplied()
    await this.#lookAtFilters(plan)
    this.#sweepStrays()
    problems.solved('plan')
    this.#status.request()
    this.#warm(bridge, planner)
  }

  async #applyChanges(): Promise<void> {
    // While the switch is away there is nothing to send to; its return brings the whole plan.
    if (this.#forwarding?.synced === true) await this.#forwarding.flush()
    // The node's own stack leads what arrives at a service's node port to the switch, once that knows the service.
    const planner = this.#parts.view().planner
    const plan = planner === undefined ? undefined : await this.#stack.publish(planner)
    if (plan !== undefined && planner?.led(plan.direct) === true) await this.#forwarding?.flush()
    this.#parts.problems.solved('flows')
  }

  async #applyStack(planner: NodePlanner): Promise<HostPlan> {
    const plan = await this.#stack.apply(planner)
    if (planner.led(plan.direct)) this.requestChanges()
    return plan
  }

  /** What others filter keeps nobody from attaching pods, whose network works within the cluster. */
  async #lookAtFilters(plan: HostPlan): Promise<void> {
    const { options, problems } = this.#parts
    try {
      const traffic = plan.traffic.filter((one) => one.of === 'pods' || options.datapath === 'system')
      const drops = await admitPods({ acceptance: plan.acceptance, traffic })
      if (drops.length > 0) throw new AgentError('AGENT_FOREIGN_DROP', drops.join('; '), 'accept it there')
      problems.solved('filters')
    } catch (error) {
      problems.failed('filters', error)
    }
  }

  #warm(bridge: Switch, planner: NodePlanner): void {
    const { coldEnds: cold, signal, log, problems } = this.#parts
    if (this.#warmUp !== undefined) {
      bridge.warm(planner).catch((error: unknown) => problems.failed('probe', error))
      return
    }
    const warmUp = new WarmUp({ warm: (one) => bridge.warm(one), cold, signal })
    this.#warmUp = warmUp
    warmUp
      .run(planner)
      .catch((error: unknown) => problems.failed('probe', error))
      .finally(() => {
        if (warmUp.cold.length > 0) log.warn({ machines: warmUp.cold }, 'no answer from other machines; going on')
        this.#status.request()
      })
  }

  async #reportStatus(): Promise<void> {
    const { registry, options, problems, uplinkMtu, ready, view } = this.#parts
    const reason = this.notReadyFor().join('; ')
    if (reason === '') await ready()
    await reportStatus(registry, options.node, {
      ready: reason === '',
      ...(reason === '' ? {} : { reason }),
      uplinkMtu: uplinkMtu(),
      datapath: options.datapath,
      ...this.#parts.pools.need(),
      ...(this.#stack.takesDirect && this.#forwarding?.synced === true ? { direct: true } : {}),
      // Of a host outside the cluster nobody else knows whether it lives.
      ...(view().self?.machine.kind === 'external' ? { beat: Math.floor(Date.now() / 1000) } : {}),
    })
    problems.solved('status')
  }

  async #openSwitch(): Promise<Switch> {
    const { options, log, signal } = this.#parts
    this.#switch ??= await Switch.open(
      options.ovsRunDir,
      options.datapath,
      {
        connected: () => this.requestWhole(),
        disconnected: () => {
          this.#forwarding?.lost()
          this.#status.request()
        },
        mtu: () => this.#parts.view().planner?.context.tunnelMtu,
        dropped: (packet) => this.#parts.dropped(packet),
        probeAnswered: (frame) => this.#parts.probeAnswered(frame),
      },
      log,
      signal,
    )
    return this.#switch
  }

  /** Links in our group that no lease knows: what an ADD left when the agent was killed in the middle of it. */
  #sweepStrays(): void {
    const { ports, links, attachments } = this.#parts
    const known = new Set(ports.records().map((record) => record.link))
    for (const { name, doomed } of links.facts()) {
      if (!doomed && !known.has(name) && !attachments().isBusyLink(name)) links.doom(name)
    }
    links.sweepUnwatched()
  }

  #repeater(part: Part, job: () => Promise<void>): Repeater {
    return new Repeater(job, (error) => this.#parts.problems.failed(part, error), this.#parts.signal)
  }
}
