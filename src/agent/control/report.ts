/**
 * What the agent tells about its node, and what it does when told to repair.
 * @module
 */

import type { Flow } from '../../flow/flow.ts'
import { tunnelAddress } from '../../network/context.ts'
import { BRIDGE } from '../../network/host.ts'
import { serviceKey } from '../../network/model/service.ts'
import { parseCookie } from '../../network/pipeline/cookie.ts'
import { DROPS } from '../../network/pipeline/drops.ts'
import type { NodePlanner } from '../../network/planner.ts'
import { unixctl, vswitchdControl } from '../../ovs/unixctl.ts'
import { VERSION } from '../../version.ts'
import { isLease, type UnreadableLease } from '../attach/lease.ts'
import type { AddressPools } from '../attach/pools.ts'
import type { Bgp } from '../bgp/bgp.ts'
import type { ClusterView } from '../cluster/view.ts'
import { AgentError } from '../errors.ts'
import type { AgentOptions } from '../options.ts'
import type { UnderlayPorts } from '../plugins/ovs/ports.ts'
import type { Problems } from '../problems.ts'
import type { LimitFact } from '../qos/limiter.ts'
import type { Switch } from '../switch/switch.ts'
import type { TunnelWatch } from '../tunnels/watch.ts'
import type { AgentHealth, AgentStatus, DropFlow, InstalledFlow, NodeFacts, ServiceFact, WayFact } from './facts.ts'
import { type RepairParts, repair } from './repair.ts'
import type { RepairAnswer } from './repair-request.ts'
import type { Control } from './server.ts'
import { strayPorts, underlayFacts } from './underlay-facts.ts'

/** What there is to report on. */
export interface ReportParts extends RepairParts {
  readonly options: AgentOptions
  readonly pools: AddressPools
  readonly view: ClusterView
  readonly problems: Problems
  readonly underlay: UnderlayPorts
  /** The ways to every machine, by its name. */
  ways(planner: NodePlanner): ReadonlyMap<string, readonly WayFact[]>
  readonly bgp: Pick<Bgp, 'facts' | 'sessionProblem'>
  readonly tunnels: Pick<TunnelWatch, 'facts' | 'problems'>
  uplinkMtu(): number
}

/** A switch that takes longer than this to say that it is there is not well. */
const SWITCH_PATIENCE_MS = 1_000

/** Cookie bits that all flows of ours share. */
const OURS = { value: 0x57n << 56n, mask: 0xffn << 56n } as const

function dropCodeOf({ cookie }: Flow): number {
  return parseCookie(cookie)?.dropCode ?? 0
}

/** The agent's answers on its control socket. */
export class AgentReport implements Control {
  readonly #parts: ReportParts
  readonly #startedAt = Math.floor(Date.now() / 1000)

  constructor(parts: ReportParts) {
    this.#parts = parts
  }

  status(): AgentStatus {
    const { options, ports, pools, view, reconciler, problems } = this.#parts
    const waitingFor = reconciler.notReadyFor()
    const planner = view.planner
    const ways = planner === undefined ? undefined : this.#parts.ways(planner)
    const bgp = this.#parts.bgp.facts()
    const { sessionProblem } = this.#parts.bgp
    const tunnels = planner === undefined ? undefined : this.#parts.tunnels.facts(planner)
    return {
      node: options.node,
      version: VERSION,
      pid: process.pid,
      ready: waitingFor.length === 0,
      waitingFor,
      datapath: options.datapath,
      ovsVersion: ports.ovsVersion,
      mtu: planner?.context.mtu,
      uplinkMtu: this.#parts.uplinkMtu(),
      addresses: view.self?.addresses ?? [],
      ranges: pools.facts(),
      peers: [...(planner?.peers() ?? [])].map((peer) => {
        const tunnel = tunnels?.get(peer.node)
        return {
          node: peer.node,
          address: planner === undefined ? undefined : tunnelAddress(planner.context.cluster, peer),
          ranges: peer.ranges,
          ways: ways?.get(peer.node) ?? [],
          ...(tunnel === undefined ? {} : { tunnel }),
        }
      }),
      endpoints: [...(planner?.endpoints() ?? [])].length,
      services: view.cluster?.services === 'weft' ? [...(planner?.catalogue.services() ?? [])].length : 0,
      flows: planner?.flows().length ?? 0,
      startedAt: this.#startedAt,
      fullSyncs: reconciler.fullSyncs,
      problems: [view.refusal, ...problems.texts(), ...this.#parts.tunnels.problems(), sessionProblem].filter(
        (one) => one !== undefined,
      ),
      ...(bgp === undefined ? {} : { bgp }),
    }
  }

  async health(): Promise<AgentHealth> {
    const waitingFor = [...this.#parts.reconciler.notReadyFor()]
    if (waitingFor.length === 0 && !(await this.#switchAnswers()))
      waitingFor.push('Open vSwitch (the bridge is silent)')
    return { ready: waitingFor.length === 0, waitingFor }
  }

  async facts(): Promise<NodeFacts> {
    const { ports, links, pools, view } = this.#parts
    const { cluster, self, planner } = view
    if (cluster === undefined || self === undefined || planner === undefined) {
      throw new AgentError(
        'AGENT_NOT_READY',
        `the agent waits for ${this.#parts.reconciler.waitingFor().join('; ')}`,
        'see weft status',
      )
    }
    // The switch first: whatever changes while it answers is newer in the rest, and shows as a difference next time only.
    // Changes on their way to the switch are part of the plan that its flows are compared with.
    await this.#parts.reconciler.flush().catch(() => undefined)
    const installed = await this.#counted(await this.#switch().dump())
    const groups = await this.#switch().dumpGroups()
    const wires = await this.#parts.wires().tables()
    const records = ports.records()
    return {
      status: this.status(),
      cluster,
      self,
      routerMac: planner.context.routerMac,
      tenants: view.tenants().map(({ namespace, vni }) => [namespace, vni] as const),
      names: [...view.policies.names()],
      keptPolicies: view.policies.kept(),
      fragments: [...planner.fragments()],
      installed,
      groups,
      services: servicesOf(planner),
      leases: records.filter(isLease),
      unreadable: records.filter((record): record is UnreadableLease => !isLease(record)),
      ports: ports.facts(),
      links: links.facts(),
      resting: pools.resting(),
      limits: this.bandwidth(),
      wires: wires.map((wire) => ({ ...wire, strays: strayPorts(ports, this.#parts.underlay, wire.bridge) })),
      underlay: underlayFacts(this.#parts.underlay, this.#parts.wires()),
    }
  }

  async drops(): Promise<readonly DropFlow[]> {
    const installed = await this.#switch().dumpMatching(OURS.value, OURS.mask)
    const own = await this.#counted(installed.filter(({ flow }) => dropCodeOf(flow) !== 0))
    const wires = await this.#parts.wires().matching(OURS.value, OURS.mask)
    const others = wires.flatMap(({ bridge, installed: flows }) =>
      flows.filter(({ flow }) => dropCodeOf(flow) !== 0).map((one) => ({ ...one, bridge })),
    )
    return [...own, ...others]
  }

  bandwidth(): readonly LimitFact[] {
    return this.#parts.limiter.facts()
  }

  ofprotoTrace(flow: string): Promise<string> {
    return unixctl(vswitchdControl(this.#parts.options.ovsRunDir), 'ofproto/trace', [BRIDGE, flow])
  }

  repair(plan: unknown): Promise<RepairAnswer> {
    return repair(this.#parts, plan)
  }

  /**
   * Counters as they really are: Open vSwitch credits both outcomes of `check_pkt_larger` with every packet it asked
   * about, so of oversize packets only the meter they pass knows how many there were.
   */
  async #counted(installed: readonly InstalledFlow[]): Promise<readonly InstalledFlow[]> {
    const oversize = await this.#switch().oversizeSeen()
    return installed.map((one) => (dropCodeOf(one.flow) === DROPS['too-big'].code ? { ...one, ...oversize } : one))
  }

  async #switchAnswers(): Promise<boolean> {
    const patience = Bun.sleep(SWITCH_PATIENCE_MS).then(() => false)
    const answer = this.#parts.reconciler.switch?.answers().catch(() => false)
    return Promise.race([patience, answer ?? false])
  }

  #switch(): Switch {
    const bridge = this.#parts.reconciler.switch
    if (bridge?.connected === true) return bridge
    throw new AgentError('AGENT_SWITCH_AWAY', 'the bridge does not answer', 'check that ovs-vswitchd runs')
  }
}

function servicesOf({ catalogue }: NodePlanner): readonly ServiceFact[] {
  return [...catalogue.services()].map((service) => ({
    service,
    slices: catalogue.slicesOf(serviceKey(service.namespace, service.name)),
  }))
}
