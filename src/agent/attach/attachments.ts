/**
 * ADD, DEL, CHECK, GC and STATUS: from a validated request to an attached pod and back. Every step of ADD has its undo;
 * DEL of anything half made succeeds and leaves nothing.
 * @module
 */
import {
  type AddRequest,
  type CheckRequest,
  type CniResult,
  cniError,
  type DelRequest,
  NO_DNS,
} from '../../cni/index.ts'
import type { Ip } from '../../network/model/address.ts'
import { type Limits, UNLIMITED } from '../../network/model/bandwidth.ts'
import { type Endpoint, endpointId } from '../../network/model/endpoint.ts'
import type { NodePlanner } from '../../network/planner.ts'
import type { Limiter } from '../qos/limiter.ts'
import type { Shaper } from '../qos/shaper.ts'
import type { Forwarding } from '../switch/forwarding.ts'
import { termsOf } from './add-limits.ts'
import type { EndpointLinks, PodNetns } from './endpoint-links.ts'
import { type Lease, linkName } from './lease.ts'
import { OneAtATime } from './one-at-a-time.ts'
import { leaseFor, type Order } from './order.ts'
import { podAddresses } from './pod-address.ts'
import type { AddressPools } from './pools.ts'
import type { Ports } from './ports.ts'
import { dnsOf, falseBelief, resultOf } from './result.ts'

/** Why a namespace has no tenant. */
export type MissingTenant =
  | { readonly reason: 'unknown' | 'unassigned' }
  | { readonly reason: 'refused'; readonly problem: string }

/** What attaching works with. */
export interface AttachmentParts {
  readonly ports: Ports
  readonly forwarding: Pick<Forwarding, 'flush'>
  readonly links: EndpointLinks
  readonly pools: AddressPools
  readonly limiter: Pick<Limiter, 'limitsFor' | 'attached'>
  readonly shaper: Pick<Shaper, 'apply'>
  /** The plan, once cluster, node and tenants are known. */
  planner(): NodePlanner | undefined
  /** What is missing before pods can be attached, for people; empty when nothing is. */
  waitingFor(): readonly string[]
  /** The VNI of a namespace; waits a little for one that is being created. Undefined when none appears. */
  tenantOf(namespace: string): Promise<number | undefined>
  /** Why a namespace has no VNI, as far as the cluster tells; asked only where an ADD fails for it. */
  whyNoTenant(namespace: string): Promise<MissingTenant>
  readonly signal: AbortSignal
}

/** One endpoint's flows are confirmed in one round trip: after a refusal the whole plan is applied, this endpoint's undone. */
const QUICK = { confirm: 'afterwards' } as const

const OVSDB_AWAY = { target: 'ovsdb-server', reason: 'the connection is down' } as const

/** The attachments of this node. */
export class Attachments {
  readonly #parts: AttachmentParts
  readonly #operations = new OneAtATime()
  /** Promised to ADDs that are not recorded yet, or of removed ports whose flows may still be there. */
  readonly #held = new Set<Held>()

  constructor(parts: AttachmentParts) {
    this.#parts = parts
  }

  /** Attachments with an operation under way: nobody else's business yet. */
  get busy(): ReadonlySet<string> {
    return this.#operations.busy
  }

  /** Whether the link belongs to an attachment with an operation under way. */
  isBusyLink(link: string): boolean {
    return [...this.busy].some((id) => linkName(id) === link)
  }

  /** Addresses of operations under way, recorded or not: they are not free. */
  heldAddresses(): readonly Ip[] {
    return [...this.#held].flatMap(({ addresses }) => addresses)
  }

  /**
   * Attaches a pod; a repeated call for a standing attachment answers the same again. `plan` names the call of the runtime
   * that this is one of several networks of.
   */
  async add(request: AddRequest, netns: PodNetns, plan?: string): Promise<CniResult> {
    const id = endpointId(request.containerId, request.ifname)
    const { result, lease } = await this.#operations.exclusive(request, () => this.#add(id, request, netns, plan))
    // Not before it is nobody's operation any more: the limiter leaves those alone.
    if (lease !== undefined) this.#parts.limiter.attached(lease)
    return result
  }

  /** Detaches a pod, whatever is left of it. */
  del(request: DelRequest): Promise<void> {
    const id = endpointId(request.containerId, request.ifname)
    return this.#operations.exclusive(request, async () => {
      if (!this.#parts.ports.connected) throw cniError('ovs-unreachable', OVSDB_AWAY)
      const lease = this.#find(id)
      if (lease === undefined) this.#parts.links.doom(linkName(id))
      else await this.#detach(lease)
    })
  }

  /** Frees what was attached by this call of the runtime, as its interfaces' DEL would; throws what failed at the end. */
  releasePlan(plan: string): Promise<void> {
    return this.#releaseAll((lease) => lease.plan === plan)
  }

  /** Frees an attachment whose pod is gone, as DEL would. */
  release({ endpoint, link }: Lease): Promise<void> {
    return this.#operations.exclusive(endpoint, async () => {
      const lease = this.#parts.ports.leaseOf(link)
      if (lease !== undefined) await this.#detach(lease)
    })
  }

  /** Does something to an attachment that no operation may disturb; leaves it alone while one is under way. */
  whenIdle(id: string, work: () => Promise<void>): Promise<void> {
    return this.#operations.whenIdle(id, work)
  }

  /** Compares an attachment with what ADD answered; throws what differs. */
  check(request: CheckRequest, netns: PodNetns): void {
    const lease = this.#find(endpointId(request.containerId, request.ifname))
    const { containerId: container, ifname } = request
    if (lease === undefined) throw cniError('container-unknown', { container, ifname, network: request.config.name })
    const planner = this.#planner()
    const problem =
      falseBelief(request.prevResult, resultOf(lease, planner.context, NO_DNS)) ??
      this.#problemOf(lease, planner, netns)
    if (problem !== undefined) throw cniError('check-failed', { difference: problem })
  }

  /**
   * Detaches every attachment of the network that is not among these, `<container id>/<interface>`; goes on after a failure
   * and throws it at the end.
   */
  gc(wanted: string, valid: ReadonlySet<string>): Promise<void> {
    return this.#releaseAll(({ network, endpoint }) => network === wanted && !valid.has(endpoint.id))
  }

  /** Throws why no pod can be attached now. */
  status(): void {
    const waiting = this.#parts.waitingFor()
    if (waiting.length > 0) throw cniError('status-not-ready', { reason: waiting.join('; ') })
  }

  async #releaseAll(isStale: (lease: Lease) => boolean): Promise<void> {
    const { ports } = this.#parts
    const stale = [...ports.leases(), ...ports.lost()].filter(isStale)
    const results = await Promise.allSettled(stale.map((lease) => this.release(lease)))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** The answer, and the lease where it was made just now. */
  async #add(
    id: string,
    request: AddRequest,
    netns: PodNetns,
    plan: string | undefined,
  ): Promise<{ readonly result: CniResult; readonly lease?: Lease }> {
    const planner = this.#planner()
    const { namespace, mtu } = termsOf(request, planner.context)
    const dns = dnsOf(request.config)
    const standing = this.#find(id)
    if (standing !== undefined) {
      // An agent that was killed in the middle of an ADD left a record whose pod is not set up to the end.
      const isWhole = this.#problemOf(standing, planner, netns) === undefined
      if (isWhole) return { result: resultOf(standing, planner.context, dns) }
      await this.#detach(standing)
    }
    const limits = this.#limitsFor(request)
    if ((await this.#parts.tenantOf(namespace)) === undefined) throw await this.#noTenant(namespace)
    const lease = await this.#attach({ request, namespace, mtu, limits, plan }, planner, netns)
    return { result: resultOf(lease, planner.context, dns), lease }
  }

  /** What the pod is held to from its first packet on, as far as the cluster has told already. */
  #limitsFor({ args: { pod } }: AddRequest): Limits {
    if (pod === undefined) return UNLIMITED
    const { limits, problems } = this.#parts.limiter.limitsFor({
      namespace: pod.namespace,
      pod: pod.name,
      ...(pod.uid === undefined ? {} : { podUid: pod.uid }),
    })
    if (problems.length === 0) return limits
    throw cniError('bandwidth-refused', { pod: `${pod.namespace}/${pod.name}`, problem: problems.join('; ') })
  }

  async #noTenant(namespace: string): Promise<Error> {
    const why = await this.#parts.whyNoTenant(namespace).catch((): MissingTenant => ({ reason: 'unassigned' }))
    if (why.reason === 'unknown') return cniError('namespace-unknown', { namespace })
    if (why.reason === 'refused') return cniError('tenant-refused', { namespace, problem: why.problem })
    return cniError('tenant-unassigned', { namespace })
  }

  /** Takes what an attachment needs, step by step, each with its undo. */
  async #attach(order: Order, planner: NodePlanner, netns: PodNetns): Promise<Lease> {
    const { ports, forwarding, links, pools, shaper, signal } = this.#parts
    const ofport = ports.freeOfport((one) => [...this.#held].some((held) => held.ofport === one))
    const addresses = pools.lease()
    // Until it is recorded, or undone to the end.
    using _held = this.#hold({ ofport, addresses })
    await using undo = new AsyncDisposableStack()
    const otherwise = (step: () => Promise<unknown> | unknown): void => {
      // Every step is undone, whatever becomes of the others; the error that led here is the one to tell.
      undo.defer(async () => void (await Promise.try(step).catch(() => undefined)))
    }
    otherwise(() => pools.release(addresses))
    const lease = leaseFor(order, addresses, ofport, planner)
    const { endpoint, link } = lease
    otherwise(() => links.doom(link))
    await links.create(lease, netns)
    if (endpoint.limits !== undefined) shaper.apply(lease, { nsFd: netns.fd })
    planner.putEndpoint(endpoint)
    otherwise(() => {
      planner.removeEndpoint(endpoint.id)
      return forwarding.flush()
    })
    otherwise(() => ports.remove([link]))
    // The port first: it takes longest.
    const sent = Promise.allSettled([ports.add(lease, signal), forwarding.flush(QUICK)])
    // Both are on their way to OVS at the end of this turn; the pod's side is set up while OVS works.
    await new Promise<void>((resolve) => setImmediate(resolve))
    const configured = await Promise.try(() =>
      links.configure(lease, netns, podAddresses(planner.context, endpoint)),
    ).then(
      () => undefined,
      (error: unknown) => ({ reason: error }),
    )
    // Nothing is undone while OVS still works on it.
    const failed = configured ?? (await sent).find((result) => result.status === 'rejected')
    await sent
    if (failed !== undefined) throw failed.reason
    links.raise(lease)
    undo.move()
    return lease
  }

  async #detach({ endpoint, link }: Lease): Promise<void> {
    const { ports, forwarding, links, pools } = this.#parts
    this.#parts.planner()?.removeEndpoint(endpoint.id)
    // Without a connection to the switch the flows wait for the next synchronisation; the port's removal does not.
    const unplugged = forwarding.flush(QUICK).catch(() => undefined)
    const held = this.#hold(endpoint)
    let freed: readonly Ip[] = []
    try {
      await ports.remove([link])
      links.doom(link)
      freed = endpoint.addresses
    } finally {
      // ovs-vswitchd is busy with the port for tens of milliseconds: the answer waits for the record only. What the flows
      // name, number and addresses, goes to nobody else before the switch has confirmed that they are gone.
      void unplugged.then(() => {
        pools.release(freed)
        held[Symbol.dispose]()
      })
    }
  }

  #hold(what: Held): Disposable {
    // A copy: an operation and the one after it may hold the same, each to its own end.
    const held = { ...what }
    this.#held.add(held)
    return { [Symbol.dispose]: () => void this.#held.delete(held) }
  }

  /** What of a standing attachment is not as ADD makes it, for people. */
  #problemOf(lease: Lease, { context }: NodePlanner, netns: PodNetns): string | undefined {
    const { ports, links } = this.#parts
    return ports.problemOf(lease) ?? links.problemOf(lease, netns, podAddresses(context, lease.endpoint))
  }

  #find(id: string): Lease | undefined {
    return this.#parts.ports.leaseOf(linkName(id))
  }

  #planner(): NodePlanner {
    const planner = this.#parts.planner()
    const waiting = this.#parts.waitingFor()
    if (planner === undefined || waiting.length > 0) throw cniError('agent-starting', { waiting: waiting.join('; ') })
    return planner
  }
}

/** What an operation takes, or has not given back yet. */
type Held = Pick<Endpoint, 'ofport' | 'addresses'>
