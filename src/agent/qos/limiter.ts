/**
 * Holds endpoints to what their pods' annotations ask for. Level-triggered: a pod's event, a change of its port, a
 * removed queueing discipline or the clock only say where to look; what is right is left alone.
 *
 * The record comes first (OVSDB, beside the lease), then the kernel: an agent that is killed in between finds in the
 * record what to do, also while the registry is away.
 * @module
 */
import {
  type Bandwidth,
  type Limits,
  limitsFrom,
  problemsOf,
  RATE_REMEDY,
  sameLimits,
  UNLIMITED,
} from '../../network/model/bandwidth.ts'
import { isUnlimited } from '../../network/qos/shaping.ts'
import type { Lease } from '../attach/lease.ts'
import type { Ports } from '../attach/ports.ts'
import type { AgentLog } from '../log.ts'
import type { PodNotices } from '../notices.ts'
import type { Problems } from '../problems.ts'
import { Repeater } from '../repeater.ts'
import type { Groups } from './groups.ts'
import type { NodePods } from './node-pods.ts'
import type { Group, InForce, Shaper } from './shaper.ts'

/** What a limiter works with. */
export interface LimiterParts {
  readonly ports: Pick<Ports, 'leases' | 'connected' | 'handsOff'>
  readonly pods: Pick<NodePods, 'wantedFor'>
  readonly shaper: Pick<Shaper, 'apply' | 'inForce' | 'totalInForce' | 'sweep'>
  readonly groups: Pick<Groups, 'refresh' | 'of' | 'facts'>
  readonly problems: Problems
  readonly notices: Pick<PodNotices, 'warn'>
  readonly log: AgentLog
  readonly signal: AbortSignal
  /** Attachments with an operation under way: hands off. */
  busy(): ReadonlySet<string>
  /** Endpoints' records changed: the plan has to follow. */
  recorded(): void
  /** Every endpoint is as it should be; whether the kernel was told anything for it. */
  settled?(leases: readonly Lease[], isChanged: boolean): void
}

/** An endpoint that is limited, or should be; or a namespace (`namespace/<name>`), whose `pod` is empty then. */
export interface LimitFact {
  readonly endpoint: string
  readonly namespace: string
  readonly pod: string
  readonly link: string
  /** What the pod's annotations ask for; undefined while the pod has not been seen. */
  readonly wanted: Bandwidth | undefined
  /** What was decided and recorded, in bit/s. */
  readonly limits: Limits
  /** What the kernel holds it to, in bit/s, and what passed so far. */
  readonly inForce: InForce
  /** Why the kernel could not be asked. */
  readonly problem?: string
}

/** How often, and at which distance in milliseconds, a shaper that is to go is looked at before it goes anyway. */
const MOST_LOOKS = 20
const LOOK_AGAIN_MS = 25

/** Holds endpoints to their limits. */
export class Limiter {
  readonly #parts: LimiterParts
  readonly #repeater: Repeater
  /** What was last seen to be in force, by link: others are looked at anew. */
  readonly #applied = new Map<string, string>()
  /** Links whose shapers are to go and still have something waiting: how often they were looked at. */
  readonly #draining = new Map<string, number>()
  /** Whether the kernel was told anything since everything was settled last. */
  #isChanged = false
  /** Problems of pods by endpoint, as they were told. */
  readonly #told = new Map<string, string>()

  constructor(parts: LimiterParts) {
    this.#parts = parts
    this.#repeater = new Repeater(
      () => this.#run(),
      (error) => parts.problems.failed('bandwidth', error),
      parts.signal,
    )
  }

  /** Asks for what changed to be applied. */
  request(): void {
    this.#repeater.request()
  }

  /** Asks for every limited endpoint to be looked at in the kernel again. */
  requestAll(): void {
    for (const [link, applied] of this.#applied) if (applied !== NOTHING) this.#applied.delete(link)
    this.request()
  }

  /** Looks at everything in the kernel now; rejects with what went wrong. */
  applyNow(): Promise<void> {
    this.#applied.clear()
    return this.#repeater.runNow()
  }

  /** An ADD has just shaped this endpoint; what its pod asked for meanwhile is looked at now. */
  attached({ link, endpoint: { limits = UNLIMITED } }: Lease): void {
    this.#applied.set(link, keyOf(limits, undefined))
    this.request()
  }

  /** Somebody touched the queueing disciplines of a link of ours. */
  touched(link: string): void {
    if (this.#applied.delete(link)) this.request()
  }

  /** What an endpoint to be is held to from the start, and what is wrong with what was asked for it. */
  limitsFor(pod: Parameters<NodePods['wantedFor']>[0]): {
    readonly limits: Limits
    readonly problems: readonly string[]
  } {
    const wanted = this.#parts.pods.wantedFor(pod) ?? UNLIMITED
    return { limits: limitsFrom(wanted, UNLIMITED), problems: problemsOf(wanted) }
  }

  /** Every endpoint that is limited or should be, as the kernel has it. */
  facts(): readonly LimitFact[] {
    const { groups, shaper } = this.#parts
    return [...this.#podFacts(), ...groups.facts((group) => shaper.totalInForce(group))]
  }

  #podFacts(): readonly LimitFact[] {
    return this.#parts.ports.leases().flatMap((lease) => {
      const wanted = this.#parts.pods.wantedFor(lease.endpoint)
      const { limits = UNLIMITED, id, namespace, pod } = lease.endpoint
      if (isUnlimited(limits) && Object.keys(wanted ?? UNLIMITED).length === 0) return []
      return [{ endpoint: id, namespace, pod, link: lease.link, wanted, limits, ...this.#inForce(lease) }]
    })
  }

  #inForce(lease: Lease): Pick<LimitFact, 'inForce' | 'problem'> {
    try {
      return { inForce: this.#parts.shaper.inForce(lease) }
    } catch (error) {
      return { inForce: {}, problem: error instanceof Error ? error.message : String(error) }
    }
  }

  async #run(): Promise<void> {
    const { ports, problems, shaper, busy } = this.#parts
    // Its return brings all of it again.
    if (!ports.connected) return
    const leases = ports.leases()
    this.#forget(new Set(leases.map(({ link }) => link)))
    this.#parts.groups.refresh(leases)
    let isRecorded = false
    const failures: unknown[] = []
    for (const lease of leases) {
      if (busy().has(lease.endpoint.id)) continue
      try {
        if (await this.#settle(lease)) isRecorded = true
      } catch (error) {
        // One pod that cannot be reached keeps nobody else unlimited.
        failures.push(error)
      }
    }
    await ports.handsOff.sweep()
    // An ADD shapes before it has a lease.
    if (busy().size === 0) shaper.sweep(ports.leases())
    this.#parts.settled?.(ports.leases(), this.#isChanged)
    this.#isChanged = false
    if (isRecorded) this.#parts.recorded()
    if (failures.length > 0) throw failures[0]
    problems.solved('bandwidth')
  }

  /** Brings one endpoint to what it should be held to; whether its record changed. */
  async #settle(lease: Lease): Promise<boolean> {
    const { ports, shaper, log } = this.#parts
    const { endpoint, link } = lease
    const standing = endpoint.limits ?? UNLIMITED
    const limits = this.#decide(lease, standing)
    const isNew = !sameLimits(limits, standing)
    const isOurs = isUnlimited(limits) || ports.handsOff.has(link)
    if (isNew || !isOurs) {
      await ports.handsOff.setLimits(link, limits)
      log.info({ pod: `${endpoint.namespace}/${endpoint.pod}`, link, before: standing, limits }, 'bandwidth set')
    }
    const applied = this.#applied.get(link)
    // One that is new to this agent may have been left half done by an earlier one.
    const group = this.#parts.groups.of(endpoint.namespace)
    if (applied === keyOf(limits, group)) return isNew
    const looks = this.#draining.get(link) ?? 0
    this.#isChanged = true
    const options = { force: looks >= MOST_LOOKS, ...(group === undefined ? {} : { group }) }
    if (shaper.apply(withLimits(lease, limits), options) === 'draining') {
      this.#lookAgain(link, looks)
    } else {
      this.#draining.delete(link)
      this.#applied.set(link, keyOf(limits, group))
    }
    return isNew
  }

  /** What waits in a shaper that is to go leaves first: a moment, unless nobody takes it. */
  #lookAgain(link: string, looks: number): void {
    this.#applied.delete(link)
    this.#draining.set(link, looks + 1)
    setTimeout(() => this.request(), LOOK_AGAIN_MS)
  }

  #decide({ endpoint }: Lease, standing: Limits): Limits {
    const wanted = this.#parts.pods.wantedFor(endpoint)
    if (wanted === undefined) return standing
    const problem = problemsOf(wanted).join('; ')
    if (problem === '') this.#told.delete(endpoint.id)
    else if (this.#told.get(endpoint.id) !== problem) {
      this.#told.set(endpoint.id, problem)
      this.#parts.log.warn(
        { pod: `${endpoint.namespace}/${endpoint.pod}`, limits: standing },
        `refused: ${problem} → ${RATE_REMEDY}`,
      )
      this.#parts.notices.warn(endpoint, 'BandwidthRefused', `${problem} → ${RATE_REMEDY}. What was in force stays so.`)
    }
    return limitsFrom(wanted, standing)
  }

  #forget(present: ReadonlySet<string>): void {
    for (const known of [this.#applied, this.#draining]) {
      for (const link of known.keys()) if (!present.has(link)) known.delete(link)
    }
    const endpoints = new Set(this.#parts.ports.leases().map(({ endpoint }) => endpoint.id))
    for (const id of this.#told.keys()) if (!endpoints.has(id)) this.#told.delete(id)
  }
}

/** What was applied, to be compared. */
function keyOf({ toPod, fromPod }: Limits, group: Group | undefined): string {
  return JSON.stringify([toPod, fromPod, group?.limits?.toPod, group?.limits?.fromPod, group?.number])
}

const NOTHING = keyOf(UNLIMITED, undefined)

function withLimits(lease: Lease, limits: Limits): Lease {
  return { ...lease, endpoint: { ...lease.endpoint, limits } }
}
