/**
 * The cluster as this node sees it: what the registry says, turned into the node's plan. Nothing is planned before
 * every kind has been read once, and nothing is taken back because the registry is away.
 * @module
 */
import { changeObstacles, hasRange } from '../../network/cluster-change.ts'
import { type NodeContext, nodeContext } from '../../network/context.ts'
import { isDirect } from '../../network/fabric/way.ts'
import { mtusOf } from '../../network/host.ts'
import type { Cluster } from '../../network/model/cluster.ts'
import { NETWORK_SET_KINDS } from '../../network/model/network-set.ts'
import type { NodeNetwork } from '../../network/model/node.ts'
import { POLICY_KINDS } from '../../network/model/policy.ts'
import type { EndpointSlice, Service } from '../../network/model/service.ts'
import type { Tenant } from '../../network/model/tenant.ts'
import { outsideOf } from '../../network/outside-wishes.ts'
import { NodePlanner } from '../../network/planner.ts'
import { Catalogue } from '../../network/service/catalogue.ts'
import { OutsideInputs } from './outside-inputs.ts'
import { PolicyInputs } from './policy-inputs.ts'
import { Tenants } from './tenants.ts'
import type { ViewListener, ViewOptions } from './view-options.ts'
import { whatIsMissing } from './waiting.ts'

/** The kinds that a node's plan is made of. */
export const VIEWED_KINDS = [
  'Cluster',
  'NodeNetwork',
  'Tenant',
  'Service',
  'EndpointSlice',
  'Namespace',
  'Pod',
  ...POLICY_KINDS,
  ...NETWORK_SET_KINDS,
  'BgpConfiguration',
  'BgpRange',
] as const

/** What a host outside the cluster is let see: it has no pods, and is told of no services and no policies. */
export const KINDS_OF_EXTERNAL: readonly ViewedKind[] = ['Cluster', 'NodeNetwork']

/** A kind that a node's plan is made of. */
export type ViewedKind = (typeof VIEWED_KINDS)[number]

/** How long packets without a tunnel are let in after the cluster went back to the tunnel. */
const LINGER_MS = 15_000

/** The cluster as this node sees it. */
export class ClusterView {
  readonly #node: string
  readonly #uplinkMtu: () => number
  readonly #listener: ViewListener
  readonly #whyUnreadable: () => string | undefined
  readonly #networks = new Map<string, NodeNetwork>()
  readonly #tenants = new Tenants()
  /** Policies and whom they speak of. A policy that is not read yet would be a hole: nothing is planned before. */
  readonly policies = new PolicyInputs(() => this.#planChanged())
  /** What is open to machines outside: nothing is planned before, or a restart would shut it for a moment. */
  readonly outside = new OutsideInputs(() => this.#replan())
  /** Shared with the plan once there is one. */
  readonly #catalogue = new Catalogue()
  readonly #unsynced: Set<ViewedKind>
  readonly #isExternal: boolean
  readonly #datapath: NodeContext['datapath']
  /** An administrator shut this host out. Its own tables stay: nobody answers it any more. */
  #isDismissed = false
  /** The configuration in force, and the one that the registry has. */
  #cluster: Cluster | undefined
  #wanted: Cluster | undefined
  #refusal: string | undefined
  #planner: NodePlanner | undefined
  #lingering: ReturnType<typeof setTimeout> | undefined

  /** `uplinkMtu` in bytes. */
  constructor(node: string, uplinkMtu: () => number, listener: ViewListener, options: ViewOptions = {}) {
    const { isExternal = false, datapath = 'netdev', whyUnreadable = () => undefined } = options
    this.#whyUnreadable = whyUnreadable
    this.#node = node
    this.#datapath = datapath
    this.#isExternal = isExternal
    this.#unsynced = new Set(this.kinds)
    this.#uplinkMtu = uplinkMtu
    this.#listener = listener
  }

  get cluster(): Cluster | undefined {
    return this.#cluster
  }

  get planner(): NodePlanner | undefined {
    return this.#planner
  }

  get self(): NodeNetwork | undefined {
    return this.#networks.get(this.#node)
  }

  /** What it is made of. */
  get kinds(): readonly ViewedKind[] {
    return this.#isExternal ? KINDS_OF_EXTERNAL : VIEWED_KINDS
  }

  tenants(): readonly Tenant[] {
    return [...this.#tenants.values()]
  }

  /** What is missing before there is a plan, for people. */
  waitingFor(): readonly string[] {
    return whatIsMissing({
      node: this.#node,
      unread: [...this.#unsynced],
      cluster: this.#cluster,
      reason: this.#reason(),
      self: this.#isDismissed ? undefined : this.self,
      isExternal: this.#isExternal,
      uplinkMtu: this.#uplinkMtu,
    })
  }

  /** A kind has been read as a whole. */
  synced(kind: ViewedKind): void {
    this.#unsynced.delete(kind)
    this.#replan()
  }

  /**
   * The cluster's configuration is another. One that vanished, or that takes away what somebody lives by, is no reason to
   * take a running network apart: the node goes on as it is, and says so. All nodes come to the same conclusion.
   */
  putCluster(cluster: Cluster | undefined): void {
    this.#wanted = cluster
    this.#judge()
  }

  /** Why the cluster's present configuration is not followed, for people; undefined when it is. */
  get refusal(): string | undefined {
    // What is wrong with one that is not valid may be another thing by now.
    return this.#refusal === undefined ? undefined : this.#whyNot(this.#wanted)
  }

  putNetwork(network: NodeNetwork): void {
    const before = this.#networks.get(network.node)
    this.#networks.set(network.node, network)
    if (network.node === this.#node) this.#isDismissed = false
    if (this.#refusal !== undefined) this.#judge()
    if (network.node === this.#node || isElsewhere(before, network) || this.#planner === undefined) this.#replan()
    if (network.node === this.#node && !Bun.deepEquals(before?.closing, network.closing)) this.#listener.closing?.()
    this.#planner?.putPeer(network)
    this.#planChanged()
  }

  removeNetwork(node: string): void {
    if (node === this.#node) {
      this.#isDismissed = this.#isExternal
      return
    }
    this.#networks.delete(node)
    this.#planner?.removePeer(node)
    if (this.#refusal !== undefined) this.#judge()
    // It may have had the smallest uplink.
    this.#replan()
    this.#planChanged()
  }

  putTenant(tenant: Tenant): void {
    if (!this.#tenants.put(tenant)) return
    this.#planner?.putTenant(tenant.namespace, tenant.vni)
    this.#listener.tenant?.(tenant.namespace)
    this.#planChanged()
  }

  removeTenant(namespace: string): void {
    this.#tenants.remove(namespace)
    this.#planner?.removeTenant(namespace)
    this.#listener.tenant?.(namespace)
    this.#planChanged()
  }

  putService(service: Service): void {
    if (this.#planner === undefined) this.#catalogue.putService(service)
    else this.#planner.putService(service)
    this.#planChanged()
  }

  /** The service goes by its `<namespace>/<name>`. */
  removeService(key: string): void {
    if (this.#planner === undefined) this.#catalogue.removeService(key)
    else this.#planner.removeService(key)
    this.#planChanged()
  }

  putEndpointSlice(slice: EndpointSlice): void {
    if (this.#planner === undefined) this.#catalogue.putSlice(slice)
    else this.#planner.putEndpointSlice(slice)
    this.#planChanged()
  }

  /** The slice goes by its `<namespace>/<name>`. */
  removeEndpointSlice(name: string): void {
    if (this.#planner === undefined) this.#catalogue.removeSlice(name)
    else this.#planner.removeEndpointSlice(name)
    this.#planChanged()
  }

  /** The node's uplink may have another MTU. */
  uplinkChanged(): void {
    this.#replan()
  }

  /** The VNI of a namespace; waits up to `timeoutMs` for one that is being made. */
  tenantOf(namespace: string, timeoutMs: number): Promise<number | undefined> {
    return this.#tenants.vniOf(namespace, timeoutMs)
  }

  /** An event that leaves this node's plan as it is costs no bundle. */
  #planChanged(): void {
    if (this.#planner?.isTouched === true) this.#listener.fragments()
  }

  #judge(): void {
    const wanted = this.#wanted
    this.#refusal = this.#planner === undefined ? undefined : this.#whyNot(wanted)
    if (this.#refusal !== undefined || wanted === undefined) return
    if (this.#cluster !== undefined && isDirect(this.#cluster) && !isDirect(wanted)) this.#linger()
    this.#cluster = wanted
    this.#replan()
  }

  /** Others see the change when they see it: what they send until then is still let in. */
  #linger(): void {
    clearTimeout(this.#lingering)
    this.#lingering = setTimeout(() => {
      this.#lingering = undefined
      this.#replan()
    }, LINGER_MS)
    this.#lingering.unref()
  }

  #whyNot(wanted: Cluster | undefined): string | undefined {
    if (wanted === undefined) {
      return `the cluster configuration (ClusterNetwork default) is gone or not valid${this.#reason()}; the last one stands`
    }
    if (this.#cluster === undefined) return undefined
    const inhabitants = { machines: this.#networks.values(), services: this.#catalogue.services() }
    const [first, ...more] = changeObstacles(this.#cluster, wanted, inhabitants)
    if (first === undefined) return undefined
    const others = more.length === 0 ? '' : ` (and ${more.length} more)`
    return `the cluster configuration was changed, which is not followed: ${first}${others}`
  }

  #reason(): string {
    const reason = this.#whyUnreadable()
    return reason === undefined ? '' : `: ${reason}`
  }

  #replan(): void {
    const context = this.#context()
    if (context === undefined) return
    if (this.#planner === undefined) {
      this.#planner = new NodePlanner(context, this.#catalogue)
      for (const network of this.#networks.values()) this.#planner.putPeer(network)
      for (const { namespace, vni } of this.#tenants.values()) this.#planner.putTenant(namespace, vni)
      this.policies.feed(this.#planner)
    } else if (sameContext(this.#planner.context, context)) {
      return
    } else {
      this.#planner.setContext(context)
    }
    this.#listener.context(this.#planner)
  }

  #context(): NodeContext | undefined {
    const { self } = this
    const cluster = this.#cluster
    if (this.#unsynced.size > 0 || cluster === undefined || self === undefined) return undefined
    if (self.ranges.some((range) => !hasRange(cluster, range))) return undefined
    const uplinks = [...this.#networks.values()].flatMap(({ status }) => status?.uplinkMtu ?? [])
    const { pods, tunnel: tunnelMtu } = mtusOf(cluster, [this.#uplinkMtu(), ...uplinks])
    const takesDirect = isDirect(cluster) || this.#lingering !== undefined
    const machines = [...this.#networks.values()].flatMap(({ addresses }) => addresses)
    const outside = outsideOf(cluster, machines, this.outside)
    return nodeContext(cluster, self, pods, { tunnelMtu, datapath: this.#datapath, takesDirect, outside })
  }
}

/** Whether what all nodes' contexts are made of is another for this machine: its addresses are nobody else's, its uplink may be the smallest. */
function isElsewhere(before: NodeNetwork | undefined, now: NodeNetwork): boolean {
  if (before?.status?.uplinkMtu !== now.status?.uplinkMtu) return true
  return String(before?.addresses ?? '') !== String(now.addresses)
}

function sameContext(a: NodeContext, b: NodeContext): boolean {
  const same = a.mtu === b.mtu && a.tunnelMtu === b.tunnelMtu && a.takesDirect === b.takesDirect
  return same && JSON.stringify(placeOf(a)) === JSON.stringify(placeOf(b))
}

function placeOf({ cluster, self, outside }: NodeContext): readonly unknown[] {
  return [cluster, self.machine, self.ranges, self.addresses, outside]
}
