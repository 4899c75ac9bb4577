/**
 * The networks of this node's pods: what a runtime asks for becomes one record of everything that is to be done, then
 * each network in its turn. What was begun is undone by the record, by whichever agent finds it.
 * @module
 */
import {
  type AddRequest,
  type CheckRequest,
  type CniResult,
  cniError,
  type DelRequest,
  type GcRequest,
  type JsonObject,
  type StatusRequest,
  toCniError,
} from '../../cni/index.ts'
import { withDefaultRoutes } from '../../compat/multus/default-route.ts'
import type { Pod } from '../../network/model/pod.ts'
import type { Attachments } from '../attach/attachments.ts'
import type { PodNetns } from '../attach/endpoint-links.ts'
import { falseBelief } from '../attach/result.ts'
import type { PodNotices } from '../notices.ts'
import { addList, checkList, delList, gcList, statusList } from '../plugins/list.ts'
import type { Plugins } from '../plugins/plugin.ts'
import type { Problems } from '../problems.ts'
import { attachedOf, callOf, podNamed } from './calls.ts'
import { checkConfigured } from './configured.ts'
import { applyDefaultRoutes } from './default-routes.ts'
import { firstOf, isOfAway } from './failures.ts'
import type { LocalPods } from './local-pods.ts'
import { Operations } from './operations.ts'
import { type CallPlan, checkReadiness, planCall } from './plan-call.ts'
import { type Attached, isLeaving, type NetworkRecord, recordId } from './record.ts'
import type { Records } from './records.ts'
import { needsResolving, type ResolveParts, resolveNetworks, type Wanted } from './resolve.ts'
import type { StatusWriter } from './status-writer.ts'
import { planOf, type RecordToday, toKeep, withAccountsOfToday } from './today.ts'

/** What the networks are made with. */
export interface NetworksParts {
  /** The overlay: what most pods have, and nothing else. */
  readonly overlay: Attachments
  readonly plugins: Plugins
  readonly records: Records
  readonly pods: LocalPods
  readonly resolving: ResolveParts
  readonly notices: PodNotices
  readonly status: StatusWriter
  readonly problems: Pick<Problems, 'failed' | 'solved'>
  readonly signal: AbortSignal
}

/** How often what could not be given back is tried again, in milliseconds. */
const RELEASE_INTERVAL_MS = 5_000

/** The networks of this node's pods. */
export class Networks implements Disposable {
  readonly #parts: NetworksParts
  readonly #busy = new Operations()
  readonly #releasing: ReturnType<typeof setInterval>

  constructor(parts: NetworksParts) {
    this.#parts = parts
    this.#releasing = setInterval(() => void this.releaseLeaving(), RELEASE_INTERVAL_MS)
    if (parts.records.unreadable.length > 0) this.#tellUnreadable()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#releasing)
  }

  /** Attaches a pod to its networks; the answer is its first one's. */
  async add(request: AddRequest, program: string, netns: PodNetns): Promise<CniResult> {
    const plan = planCall(program, request.config.raw, this.#parts.resolving)
    checkReadiness(plan)
    const pod = await this.#podOf(request)
    if (plan.kind === 'networks' && !needsResolving(pod, plan.resolving.defaults)) {
      return this.#parts.overlay.add(request, netns)
    }
    return this.#busy.exclusive({ ...request, program }, async () => {
      try {
        return await this.#add(request, plan, pod, program, netns)
      } catch (error) {
        this.#tell(request, error)
        throw error
      }
    })
  }

  /** Detaches a pod from everything that was recorded for the call, and from the overlay. */
  del(request: DelRequest, program: string, netns: PodNetns | undefined): Promise<void> {
    const record = this.#parts.records.get({ ...request, program })
    if (record === undefined) return this.#delUnrecorded(request, program, netns)
    return this.#busy.exclusive({ ...request, program }, async () => {
      const config = request.config?.raw
      const failures = await this.#undo(record, netns, config)
      if (failures.length === 0) return
      if (!failures.every(isOfAway)) throw firstOf(failures)
      // Somebody else has to be there for the rest. The pod is gone all the same: it is tried again until it is done,
      // by the accounts that this call brought: nobody else may.
      this.#parts.records.put({ ...toKeep(await this.#ofToday(record, config)), isLeaving: true })
    })
  }

  /** Compares what stands with what was answered. */
  async check(request: CheckRequest, program: string, netns: PodNetns): Promise<void> {
    const record = this.#parts.records.get({ ...request, program })
    if (record === undefined) {
      const plan = planCall(program, request.config.raw, this.#parts.resolving)
      if (plan.kind === 'networks') return this.#parts.overlay.check(request, netns)
      const { containerId: container, ifname, config } = request
      throw cniError('container-unknown', { container, ifname, network: config.name })
    }
    const [first] = record.attached
    const problem =
      first?.result === undefined ? 'ADD did not come to its end' : falseBelief(request.prevResult, first.result)
    if (problem !== undefined) throw cniError('check-failed', { difference: problem })
    const { attached } = await this.#ofToday(record, request.config.raw)
    for (const one of attached.filter(({ disableCheck }) => disableCheck !== true)) {
      await checkList(this.#parts.plugins, { ...callOf(record, one), netns, plugins: one.plugins }, one.result)
    }
  }

  /** Detaches what is not among the valid attachments of a runtime's network. */
  async gc(request: GcRequest, program: string): Promise<void> {
    const { records, overlay } = this.#parts
    const valid = new Set(request.validAttachments.map(({ containerId, ifname }) => `${containerId}/${ifname}`))
    const stale = records
      .values()
      .filter((one) => one.network === request.config.name && one.program === program)
      .filter(({ containerId, ifname }) => !valid.has(`${containerId}/${ifname}`))
    const failures = (await Promise.all(stale.map((record) => this.#release(record, request.config.raw)))).flat()
    const plan = planCall(program, request.config.raw, this.#parts.resolving)
    if (plan.kind === 'networks') await overlay.gc(request.config.name, valid)
    else await gcList(this.#parts.plugins, [plan.plugin], request.config.name, valid)
    if (failures.length > 0) throw firstOf(failures)
  }

  /** Throws why no pod can be attached now: what the overlay is not ready for, or any network that every pod gets. */
  async status(request: StatusRequest, program: string): Promise<void> {
    const { overlay, plugins, resolving } = this.#parts
    const plan = planCall(program, request.config.raw, resolving)
    const { version } = request.config
    checkReadiness(plan)
    if (plan.kind === 'plugin') return statusList(plugins, { plugins: [plan.plugin], version, path: request.path })
    overlay.status()
    await checkConfigured(plugins, plan.resolving, [...plan.path, ...request.path])
  }

  /** Gives back what a DEL could not, while somebody was away. */
  async releaseLeaving(): Promise<void> {
    const { records, problems } = this.#parts
    const leaving = records.values().filter(isLeaving)
    const failures = (await Promise.all(leaving.map((record) => this.#release(record)))).flat()
    if (failures.length > 0) problems.failed('networks', failures[0])
    else if (leaving.length > 0 && !records.values().some(isLeaving)) problems.solved('networks')
  }

  async #add(
    request: AddRequest,
    plan: CallPlan,
    pod: Pod | undefined,
    program: string,
    netns: PodNetns,
  ): Promise<CniResult> {
    const { records } = this.#parts
    const standing = records.get({ ...request, program })
    if (standing !== undefined) {
      const { raw } = request.config
      const answer = await this.#standingAnswer(await this.#ofToday(standing, raw), netns)
      if (answer !== undefined) return answer
      const failures = await this.#undo(standing, netns, raw)
      if (failures.length > 0) throw firstOf(failures)
    }
    const wanted =
      plan.kind === 'networks' ? await resolveNetworks(request, pod, plan.resolving) : [plan.wanted(request)]
    const { containerId, ifname, path } = request
    const { pod: named } = request.args
    const record: NetworkRecord = {
      containerId,
      ifname,
      program,
      network: request.config.name,
      netns: netns.path,
      path: plan.kind === 'networks' ? [...plan.path, ...path] : path,
      ...(named === undefined ? {} : { pod: podNamed(named) }),
      attached: wanted.map(attachedOf),
    }
    records.put(record)
    return this.#attachAll(record, wanted, request.prevResult, netns)
  }

  /** Every network in its turn; a failure undoes all of them. */
  async #attachAll(
    record: NetworkRecord,
    wanted: readonly Wanted[],
    prevResult: CniResult | undefined,
    netns: PodNetns,
  ): Promise<CniResult> {
    const { plugins, records, signal, status } = this.#parts
    const attached: Attached[] = []
    try {
      for (const one of wanted) {
        const call = { ...callOf(record, one), netns, plugins: one.plugins }
        const made = await addList(plugins, call, one.isFirst ? prevResult : undefined, signal)
        applyDefaultRoutes(one, netns)
        attached.push({ ...attachedOf(one), result: withDefaultRoutes(made, one) })
      }
    } catch (error) {
      await this.#undo(record, netns)
      throw error
    }
    const whole = { ...record, attached }
    records.complete(whole)
    status.attached(whole)
    const [first] = attached
    if (first?.result === undefined) throw cniError('internal')
    return first.result
  }

  /** What a standing attachment answers again; undefined where it is not whole. */
  async #standingAnswer(record: NetworkRecord, netns: PodNetns): Promise<CniResult | undefined> {
    const [first] = record.attached
    if (record.isLeaving === true || first?.result === undefined) return undefined
    try {
      for (const one of record.attached) {
        await checkList(this.#parts.plugins, { ...callOf(record, one), netns, plugins: one.plugins }, one.result)
      }
      return first.result
    } catch {
      return undefined
    }
  }

  /** Undoes all of a record, the last network first, whatever fails on the way. Forgets it when nothing failed. */
  async #undo(record: NetworkRecord, netns?: PodNetns, config?: JsonObject): Promise<readonly unknown[]> {
    const failures: unknown[] = []
    const { attached } = await this.#ofToday(record, config)
    for (const one of attached.toReversed()) {
      const call = { ...callOf(record, one), ...(netns === undefined ? {} : { netns }), plugins: one.plugins }
      failures.push(...(await delList(this.#parts.plugins, call, one.result)))
    }
    if (failures.length === 0) this.#parts.records.remove(record)
    return failures
  }

  /** As DEL would, when nobody else is at it; what failed. */
  async #release(record: NetworkRecord, config?: JsonObject): Promise<readonly unknown[]> {
    if (this.#busy.has(record)) return []
    return this.#busy.exclusive(record, () => this.#undo(record, undefined, config))
  }

  #ofToday(record: NetworkRecord, config: JsonObject | undefined): Promise<RecordToday> {
    return withAccountsOfToday(record, config, this.#parts.resolving)
  }

  /**
   * Nothing is recorded: of the overlay each port says which call it was made in, and what was made for others, by whoever
   * calls us for each interface alone, stays. Of other networks there can be nothing but strays, which go with the pod.
   */
  async #delUnrecorded(request: DelRequest, program: string, netns: PodNetns | undefined): Promise<void> {
    const { overlay, resolving } = this.#parts
    // A configuration that is not well formed any more keeps nothing from being undone.
    const plan = request.config === undefined ? undefined : planOf(program, request.config.raw, resolving)
    if (plan === undefined || plan.kind === 'networks') {
      await overlay.del(request)
      return overlay.releasePlan(recordId({ ...request, program }))
    }
    const one = plan.wanted(request)
    const record = { ...request, program, netns: request.netns ?? '' }
    const call = { ...callOf(record, one), ...(netns === undefined ? {} : { netns }), plugins: one.plugins }
    const failures = await delList(this.#parts.plugins, call, request.prevResult)
    if (failures.length > 0) throw firstOf(failures)
  }

  /** Where there are no networks by name nothing hangs on what a pod asks for: it need not wait for whoever could say. */
  async #podOf({ args }: AddRequest): Promise<Pod | undefined> {
    const { pods, resolving } = this.#parts
    if (args.pod === undefined) return undefined
    try {
      return await pods.find(args.pod)
    } catch (error) {
      if (resolving.definitions.isEmpty) return undefined
      throw error
    }
  }

  /** The pod's owner reads what is at fault, and what would mend it. */
  #tell({ args: { pod } }: AddRequest, error: unknown): void {
    if (pod === undefined) return
    const { message, remedy } = toCniError(error)
    this.#parts.notices.warn({ namespace: pod.namespace, pod: pod.name }, 'NetworkNotAttached', `${message}; ${remedy}`)
  }

  #tellUnreadable(): void {
    const [first] = this.#parts.records.unreadable
    if (first === undefined) return
    this.#parts.problems.failed('networks', new Error(`${first.file} cannot be read: ${first.problem}`))
  }
}
